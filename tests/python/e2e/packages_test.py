"""Handlers that cannot be found, imported or told apart: steps wait instead of failing, and one sentence says why."""

import os
from pathlib import Path

import pytest
from conftest import CLIENT, HANDLERS, template, wait_for_log

BROKEN = {
    "missing": ("no_such_package.handlers", "ModuleNotFoundError"),
    "syntax": ("app.syntax", "SyntaxError"),
    "raises": ("app.raises", "ZeroDivisionError"),
    "leaves": ("app.leaves", "SystemExit"),
    "dependency": ("app.dependency", "no_such_module"),
}


@pytest.fixture
def broken(program):
    program.write("app/handlers.py", HANDLERS)
    program.write("app/syntax.py", "def f(:\n")
    program.write("app/raises.py", "1 / 0\n")
    program.write("app/leaves.py", "import sys; sys.exit(3)\n")
    program.write("app/dependency.py", "import no_such_module\n")
    program.write("driver.py", CLIENT)
    program.write("templates/one.yaml", template("one", ("a", "app.noop", [])))
    program.write("templates/lost.yaml", template("lost", ("a", "app.lost", [])))
    return program


def test_a_package_that_cannot_be_imported_leaves_its_steps_to_others(broken):
    packages = [package for package, _ in BROKEN.values()]
    ended = broken.run(f"""
        import json
        from tasker_core import Worker
        from driver import settled, steps, submit
        with Worker.start(handler_packages=["app.handlers", *{packages!r}]) as worker:
            lost = submit("lost")
            state = settled(submit("one"))["status"]
            health = worker.health()
            step = steps(lost)["a"]
            print(json.dumps([state, health.status, health.python, step["current_state"], step["attempts"]]))
    """)
    state, health, python, step, attempts = ended.answer()
    assert (state, health, step, attempts) == ("complete", "degraded", "enqueued", 0)
    for package, word in BROKEN.values():
        assert package in str(python) and word in str(python)
        assert len([line for line in ended.err.splitlines() if f"'{package}' could not be imported" in line]) == 1


def test_strict_refuses_it(broken):
    packages = [package for package, _ in BROKEN.values()]
    ended = broken.run(f"""
        import json, threading
        from tasker_core import Worker, WorkerBootstrapError, is_worker_running
        said = []
        for package in {packages!r}:
            try:
                Worker.start(handler_packages=["app.handlers", package], strict=True)
            except WorkerBootstrapError as error:
                said.append(str(error))
        print(json.dumps([said, is_worker_running(), Worker.instance(), threading.active_count()]))
    """)
    sentences, *left = ended.answer()
    assert left == [False, None, 1]
    for sentence, (package, word) in zip(sentences, BROKEN.values(), strict=True):
        assert package in sentence and word in sentence and "\n" not in sentence


def test_a_handler_registered_after_the_start_finds_its_steps_waiting(broken):
    ended = broken.run("""
        import json, threading
        from tasker_core import HandlerRegistry, StepHandler, Worker
        from driver import settled, steps, submit
        with Worker.start(handler_packages=["app.handlers"]):
            lost = submit("lost")
            settled(submit("one"))
            before = steps(lost)["a"]
            class Lost(StepHandler):
                handler_name = "app.lost"
                def call(self, context): return self.success({"found": True})
            HandlerRegistry.instance().register("app.lost", Lost)
            state = settled(lost)["status"]
            print(json.dumps([before["current_state"], before["attempts"], state, steps(lost)["a"]["attempts"]]))
    """)
    assert ended.answer() == ["enqueued", 0, "complete", 0]


def test_of_two_handlers_of_one_name_the_last_is_taken_with_a_warning(broken):
    for number in (1, 2):
        broken.write(f"app/twice_{number}.py", f"""
            from tasker_core import StepHandler
            class Twice(StepHandler):
                handler_name = "app.lost"
                def call(self, context): return self.success({{"n": {number}}})
        """)
    ended = broken.run("""
        import json
        from tasker_core import Worker
        from driver import settled, steps, submit
        with Worker.start(handler_packages=["app.twice_1", "app.twice_2"]):
            task = submit("lost")
            settled(task)
            print(json.dumps(steps(task)["a"]["results"]))
    """)
    assert ended.answer() == {"n": 2}
    [warning] = [line for line in ended.err.splitlines() if "'app.lost' was" in line]
    assert "app.twice_1.Twice" in warning and "app.twice_2.Twice" in warning


GREETS = """
    from tasker_core import StepHandler
    class Greets(StepHandler):
        handler_name = "hello.greet"
        def call(self, context): return self.success({"by": "python"})
"""


def test_a_name_that_a_native_plugin_has_is_one_clear_error(broken):
    (broken.path / "plugins").mkdir()
    (broken.path / "plugins/hello.so").symlink_to(Path(os.environ["TASKER_BUILD"], "plugins/hello.so"))
    broken.write("app/greets.py", GREETS)
    ended = broken.run("""
        import json, threading
        from tasker_core import Worker, WorkerBootstrapError, is_worker_running
        from driver import settled, submit
        try:
            Worker.start(handler_packages=["app.handlers", "app.greets"])
        except WorkerBootstrapError as error:
            said = str(error)
        left = [is_worker_running(), threading.active_count()]
        with Worker.start(handler_packages=["app.handlers"]):
            print(json.dumps([said, left, settled(submit("one"))["status"]]))
    """)
    said, left, state = ended.answer()
    assert "hello.greet" in said and "hello.so" in said
    assert (left, state) == ([False, 1], "complete")


def test_under_tasker_host_it_is_the_same_error(broken, host):
    broken.write("app/greets.py", GREETS)
    plugins = broken.path / "plugins"
    plugins.mkdir()
    (plugins / "hello.so").symlink_to(Path(os.environ["TASKER_BUILD"], "plugins/hello.so"))
    running = host('packages = ["app.greets"]', plugins=[str(plugins)])
    wait_for_log(running, "libtasker_python.so: its init failed")
    line = next(line for line in running.log().splitlines() if "its init failed" in line)
    assert "hello.greet" in line and "hello.so" in line


def test_an_interpreter_without_the_native_module_is_told_to_install_it(program):
    (program.path / "tasker_core").mkdir()
    sources = Path(os.environ["TASKER_BUILD"], "python/tasker_core")
    for source in sources.iterdir():
        if source.suffix != ".so":
            (program.path / "tasker_core" / source.name).symlink_to(source.resolve())
    ended = program.run("import sys; sys.path.insert(0, '.'); import tasker_core")
    last = ended.err.strip().splitlines()[-1]
    assert ended.status == 1 and last.startswith("ImportError: tasker_core has no native module")
    assert "`pip install .` in a checkout" in last and "under tasker-host" in last


def test_a_virtualenv_of_another_python_is_named(program, host):
    (program.path / "old/bin").mkdir(parents=True)
    (program.path / "old/bin/python").touch()
    program.write("old/pyvenv.cfg", "home = /usr/bin\nversion = 3.9.2\n")
    running = host(venv=str(program.path / "old"))
    wait_for_log(running, "libtasker_python.so: its init failed")
    assert "is of Python 3.9.2, and this plugin embeds Python 3." in running.log()
