"""The same handlers under tasker-host: libtasker_python.so embeds the interpreter."""

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from conftest import HANDLERS, PATIENCE_S, VENV, configure, template, wait_for_log, wait_until

ABANDONED = 75  # The exit status of a host whose handlers did not return.

def test_python_steps_run_under_tasker_host(program, host):
    program.write("app/handlers.py", HANDLERS)
    program.write("templates/chain.yaml", template("chain", ("a", "app.noop", []), ("b", "app.slow", ["a"])))
    running = host('packages = ["app.handlers"]')
    ended = running.client("submit", "app/chain", "--wait")
    assert ended.returncode == 0, ended.stderr + running.log()
    assert '"slept":true' in ended.stdout.replace(" ", "")
    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=PATIENCE_S) == 0, running.log()


def test_without_packages_the_callables_of_the_templates_are_imported(program, host):
    program.write("app/handlers.py", HANDLERS)
    program.write("templates/one.yaml", template("one", ("a", "app.handlers.Noop", [])))
    running = host()
    ended = running.client("submit", "app/one", "--wait")
    assert ended.returncode == 0, ended.stderr + running.log()


def test_plugin_list_names_the_handlers_in_python(program, host):
    program.write("app/handlers.py", HANDLERS)
    running = host('packages = ["app.handlers"]')
    listed = running.client("plugin", "list")
    assert listed.returncode == 0 and "app.noop" in listed.stdout, listed.stderr


def test_a_virtualenvs_packages_win_over_those_beside_the_plugin(program):
    plugins, beside = program.path / "lib" / "plugins", program.path / "lib" / "python"
    plugins.mkdir(parents=True)
    build = Path(os.environ["TASKER_BUILD"])
    shutil.copy(build / "plugins_python" / "libtasker_python.so", plugins)
    shutil.copytree(build / "python" / "tasker_core", beside / "tasker_core")
    (beside / "pydantic.py").write_text("raise ImportError('this is the one beside the plugin')\n")
    program.write("app/handlers.py", HANDLERS)
    listed = []
    for venv in (f'venv = "{VENV}"', ""):
        program.write("worker.toml", f'[plugins]\ndirs = ["{plugins}"]\n[plugin.python]\n{venv}\n'
                                     'packages = ["app.handlers"]\n')
        listed.append(program.host("--config", "worker.toml", "plugin", "list"))
    assert listed[0].returncode == 0 and "app.noop" in listed[0].stdout, listed[0].stderr
    assert listed[1].returncode == 1 and "the one beside the plugin" in listed[1].stderr


def test_the_worker_belongs_to_tasker_host(program, host):
    program.write("app/handlers.py", HANDLERS + """
    from tasker_core import Worker, bootstrap_worker, is_worker_running, stop_worker

    class Asks(StepHandler):
        handler_name = "app.asks"
        def call(self, context):
            said = []
            for refused in (stop_worker, Worker.start().stop):
                try:
                    refused()
                except RuntimeError as error:
                    said.append(str(error))
            return self.success({"said": said, "status": bootstrap_worker().status,
                                 "same": Worker.start() is Worker.instance(), "running": is_worker_running()})
    """)
    program.write("templates/asks.yaml", template("asks", ("a", "app.asks", [])))
    running = host('packages = ["app.handlers"]')
    ended = running.client("submit", "app/asks", "--wait")
    assert ended.returncode == 0, ended.stdout + ended.stderr + running.log()
    assert ended.stdout.count("belongs to tasker-host") == 2
    text = ended.stdout.replace(" ", "")
    assert '"status":"already_running"' in text and '"same":true' in text and '"running":true' in text


def test_a_child_that_a_handler_forked_is_told_that_it_has_no_store(program, host):
    program.write("app/handlers.py", """
        import json, os
        from tasker_core import StepHandler, TaskerClient, Worker, bootstrap_worker, log_info
        from tasker_core import _tasker_core as native

        def ask():
            said = []
            for call in (Worker.start, bootstrap_worker, lambda: TaskerClient().list_tasks(), native.client_list_tasks):
                try:
                    call()
                    said.append("nothing")
                except Exception as error:
                    said.append(str(error))
            return said

        class Forks(StepHandler):
            handler_name = "app.forks"
            def call(self, context):
                read, write = os.pipe()
                child = os.fork()
                if child == 0:
                    log_info("a line of the child")
                    os.write(write, json.dumps(ask()).encode())
                    os._exit(0)
                os.close(write)
                said = b""
                while part := os.read(read, 65536): said += part
                os.waitpid(child, 0)
                return self.success({"said": json.loads(said), "parent": ask()[2:]})
    """)
    program.write("templates/one.yaml", template("one", ("a", "app.forks", [])))
    running = host('packages = ["app.handlers"]')
    ended = running.client("submit", "app/one", "--wait")
    assert ended.returncode == 0, ended.stdout + ended.stderr + running.log()
    assert ended.stdout.count("does not survive fork") == 4, ended.stdout
    assert ended.stdout.count("nothing") == 2, ended.stdout


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ('packages = 3', "packages is not a list of texts"),
        ('pakages = ["x"]', "has no key 'pakages'"),
        ('packages = ["no_such_package"]\nstrict = true', "no_such_package"),
        ('packages = ["app.broken"]\nstrict = true', "app.broken"),
    ],
)
def test_what_is_wrong_is_one_sentence(program, host, more, sentence):
    program.write("app/broken.py", "def f(:\n")
    running = host(more)
    wait_for_log(running, "libtasker_python.so: its init failed")
    assert sentence in running.log()


def test_a_folder_that_is_no_virtualenv_is_named(program, host):
    running = host(venv=str(program.path / "nothing"))
    wait_for_log(running, "libtasker_python.so: its init failed")
    assert "is no virtualenv; make it with" in running.log()


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_stuck_handler_does_not_hold_up_the_hosts_end_and_its_step_is_not_lost(program, host, kind):
    program.write("app/handlers.py", f"""
        import os, threading
        from pathlib import Path
        from tasker_core import StepHandler

        class Stuck(StepHandler):
            handler_name = "app.stuck"
            {kind} call(self, context):
                Path("entered").touch()
                if not os.path.exists("quick"): threading.Event().wait(60)
                return self.success({{"n": 1}})
    """)
    program.write("templates/one.yaml", template("one", ("a", "app.stuck", [])))
    settings = 'packages = ["app.handlers"]\n[worker]\ndrain = "1s"'
    running = host(settings)
    assert running.client("submit", "app/one", "--key", "k").returncode == 0
    wait_until((program.path / "entered").exists)
    running.send_signal(signal.SIGTERM)
    began = time.monotonic()
    status = running.wait(timeout=PATIENCE_S)
    assert time.monotonic() - began < 5
    assert status == ABANDONED and "app.stuck" in running.log() and "Fatal Python" not in running.log()

    (program.path / "quick").touch()
    again = host(settings)
    ended = again.client("submit", "app/one", "--key", "k", "--wait")
    assert ended.returncode == 0, ended.stdout + ended.stderr + again.log()


def test_the_plugin_runs_by_itself(program):
    program.write("app/handlers.py", HANDLERS)
    configure(program)
    plugin = f"{os.environ['TASKER_BUILD']}/plugins_python/libtasker_python.so"
    ran = program.host("--config", "worker.toml", "plugin", "run", plugin, "--handler", "app.handlers.Noop", "--json")
    assert ran.returncode == 0 and json.loads(ran.stdout)["outcome"] == "complete", ran.stdout + ran.stderr
    checked = program.host("--config", "worker.toml", "plugin", "check", plugin, "--handler", "app.handlers.Noop",
                           "--strict")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    listed = program.host("--config", "worker.toml", "plugin", "list")
    assert listed.returncode == 0, listed.stdout + listed.stderr
