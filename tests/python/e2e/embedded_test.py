"""The same handlers under tasker-host: libtasker_python.so embeds the interpreter."""

import signal

import pytest
from conftest import HANDLERS, PATIENCE_S, template, wait_for_log

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
