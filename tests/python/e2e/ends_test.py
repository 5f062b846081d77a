"""How a program ends that did not call `stop()`: with its own status, soon, and without an abort."""

import signal
import time

import pytest
from conftest import CLIENT, HANDLERS, template

BEGIN = """
    import os, signal, sys, threading, time
    from tasker_core import Worker
    from driver import settled, submit
    worker = Worker.start(handler_packages=["app.handlers"])
    for _ in range(20): submit("load", {"seconds": 0.05})
    settled(submit("one"))
"""


@pytest.fixture
def loaded(program):
    program.write("app/handlers.py", HANDLERS)
    program.write("driver.py", CLIENT)
    program.write("templates/one.yaml", template("one", ("a", "app.noop", [])))
    program.write("templates/load.yaml", template("load", *[(f"s{i}", "app.slow", []) for i in range(3)]))
    return program


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ("", 0),
        ("raise ValueError('an end')", 1),
        ("sys.exit(7)", 7),
        ("os.kill(os.getpid(), signal.SIGINT); threading.Event().wait(9)", -signal.SIGINT),
        ("threading.Thread(target=lambda: threading.Event().wait(0.2)).start()", 0),
        ("os._exit(5)", 5),
        ("worker.stop(); worker.stop()", 0),
    ],
)
def test_each_ending_has_its_own_status(loaded, ending, status):
    began = time.monotonic()
    ended = loaded.run(BEGIN + f"    {ending}\n")
    assert ended.status == status, ended.err
    assert "Fatal" not in ended.err and "terminate called" not in ended.err
    assert time.monotonic() - began < 20


def test_what_was_not_run_is_there_for_the_next_start(loaded):
    loaded.run(BEGIN)
    ended = loaded.run("""
        import json, threading
        from tasker_core import Worker
        from tasker_core import _tasker_core as native
        with Worker.start(handler_packages=["app.handlers"]):
            tasks = native.client_list_tasks(limit=100)["tasks"]
            states = {native._client_wait(task["task_uuid"], 30)["status"] for task in tasks}
            print(json.dumps([len(tasks), sorted(states)]))
    """)
    assert ended.answer() == [21, ["complete"]]


def test_a_killed_program_loses_nothing(loaded):
    process = loaded.start(BEGIN + "    print('up', flush=True); threading.Event().wait(60)\n")
    assert process.stdout.readline() == "up\n"
    process.kill()
    process.communicate()
    ended = loaded.run("""
        import json
        from tasker_core import Worker
        from tasker_core import _tasker_core as native
        with Worker.start(handler_packages=["app.handlers"]):
            tasks = native.client_list_tasks(limit=100)["tasks"]
            print(json.dumps(sorted({native._client_wait(t["task_uuid"], 30)["status"] for t in tasks})))
    """)
    assert ended.answer() == ["complete"]


def test_a_forked_child_works_without_the_store_and_is_told_so(loaded):
    ended = loaded.run(BEGIN + """
    import json
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        said = []
        try:
            Worker.start(handler_packages=["app.handlers"])
        except Exception as error:
            said.append(str(error))
        try:
            submit("one")
        except Exception as error:
            said.append(str(error))
        os.write(write, json.dumps(said).encode())
        sys.exit(4)
    os.close(write)
    said = b""
    while part := os.read(read, 65536): said += part
    _, status = os.waitpid(child, 0)
    state = settled(submit("one"))["status"]
    worker.stop()
    print(json.dumps([json.loads(said), os.waitstatus_to_exitcode(status), state]))
    """)
    said, status, state = ended.answer()
    assert status == 4 and state == "complete"
    assert len(said) == 2 and all("fork" in sentence for sentence in said)
    assert "gunicorn" in said[0] and "spawn" in said[0]


def test_subprocesses_of_a_handler_are_harmless(loaded):
    loaded.write("app/handlers.py", HANDLERS + """
    import multiprocessing, subprocess

    class Forks(StepHandler):
        handler_name = "app.forks"
        def call(self, context):
            said = subprocess.run(["echo", "hello"], capture_output=True, text=True).stdout
            process = multiprocessing.get_context("fork").Process(target=print, args=("child",))
            process.start()
            process.join(20)
            return self.success({"said": said, "status": process.exitcode})
    """)
    loaded.write("templates/forks.yaml", template("forks", ("a", "app.forks", [])))
    ended = loaded.run("""
        import json
        from tasker_core import Worker
        from driver import settled, steps, submit
        with Worker.start(handler_packages=["app.handlers"]):
            task = submit("forks")
            state = settled(task)["status"]
            print(json.dumps([state, steps(task)["a"]["results"]]))
    """)
    assert ended.answer() == ["complete", {"said": "hello\n", "status": 0}]
