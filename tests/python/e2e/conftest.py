"""Programs of their own that use the package as it is built: a worker is one a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

PATIENCE_S = 60
VENV = os.path.dirname(os.path.dirname(sys.executable))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--restarts", type=int, default=100, help="how often a worker is started and stopped")


@pytest.fixture
def restarts(request: pytest.FixtureRequest) -> int:
    count: int = request.config.getoption("--restarts")
    return count


class Program:
    """A folder with handlers, templates and a store, in which Python programs are run."""

    def __init__(self, folder: Path) -> None:
        self.path = folder
        (folder / "templates").mkdir()
        (folder / "app").mkdir()
        self.write("app/__init__.py", "")

    def write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def environment(self) -> dict[str, str]:
        path = f"{os.environ['TASKER_BUILD']}/python:{self.path}"
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.path),
            "PYTHONPATH": path,
            "PYTHONDONTWRITEBYTECODE": "1",
            "TASKER_PLUGIN_PATH": str(self.path / "plugins"),
            "TASKER_LOG_LEVEL": "info",
        }

    def start(self, source: str, name: str = "program.py", stdin: bool = False) -> subprocess.Popen[str]:
        """A program that has been started; with `stdin` it can be written to."""
        script = self.write(name, source)
        return subprocess.Popen(
            [sys.executable, "-X", "faulthandler", str(script)],
            cwd=self.path,
            env=self.environment(),
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, source: str, timeout_s: float = PATIENCE_S, name: str = "program.py") -> Ended:
        """A program that was run to its end."""
        process = self.start(source, name)
        try:
            out, err = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # Children that it forked hold its output, too.
            out, err = process.communicate()
            raise AssertionError(f"the program hangs:\n{out}\n{err}") from None
        return Ended(process.returncode, out, err)

    def host(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of tasker-host on this folder's store."""
        return subprocess.run(
            [os.environ["TASKER_HOST"], *arguments],
            cwd=self.path,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )


class Ended:
    """How a program ended."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err

    def answer(self) -> object:
        """The JSON of the last line that it printed; it must have ended well."""
        assert self.status == 0, f"exit status {self.status}\n{self.out}\n{self.err}"
        return json.loads(self.out.strip().splitlines()[-1])

    def log(self, containing: str) -> list[dict]:
        lines = [json.loads(line) for line in self.err.splitlines() if line.startswith("{")]
        return [line for line in lines if containing in line["message"]]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def configure(program: Program, more: str = "", venv: str = VENV, plugins: Sequence[str] = ()) -> dict[str, str]:
    """Writes the worker.toml of a host with the Python plugin; returns the environment of such a host."""
    folders = json.dumps([*plugins, f"{os.environ['TASKER_BUILD']}/plugins_python"])
    program.write("worker.toml", f"""
[plugins]
dirs = {folders}
[plugin.python]
venv = "{venv}"
{more}
""")
    return {**program.environment(), "TASKER_CONFIG_PATH": str(program.path / "worker.toml"), "PYTHONPATH": "",
            "TASKER_PLUGIN_PATH": ""}


@pytest.fixture
def host(program: Program) -> Iterator[Callable[..., Any]]:
    """Starts a tasker-host with the Python plugin; lines of its [plugin.python] may be given."""
    hosts = []

    def start(more="", **settings):
        env = configure(program, more, **settings)
        log = open(program.path / "host.log", "wb")
        process = subprocess.Popen([os.environ["TASKER_HOST"], "run"], cwd=program.path, env=env,
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        hosts.append(process)

        def client(*arguments):
            return subprocess.run([os.environ["TASKER_HOST"], *arguments], cwd=program.path, env=env,
                                  capture_output=True, text=True, timeout=PATIENCE_S)

        process.client = client
        process.log = lambda: (program.path / "host.log").read_text()
        return process

    yield start
    for process in hosts:
        process.kill()
        process.wait()


def wait_for_log(running, text, patience_s=PATIENCE_S):
    """Until a host that `host` started has logged the text."""
    wait_until(lambda: text in running.log() or running.poll() is not None, patience_s)
    assert text in running.log(), running.log()


def wait_until(happened, patience_s=PATIENCE_S):
    """Until `happened()` is true."""
    until = time.monotonic() + patience_s
    while not happened():
        assert time.monotonic() < until, "it did not happen"
        threading.Event().wait(0.02)


HANDLERS = """
    import threading
    from tasker_core import StepHandler

    class Noop(StepHandler):
        handler_name = "app.noop"
        def call(self, context):
            return self.success({"n": 1})

    class Slow(StepHandler):
        handler_name = "app.slow"
        def call(self, context):
            threading.Event().wait(context.get_input_or("seconds", 0.3))
            return self.success({"slept": True})
"""


def wired(body: str) -> str:
    """A program around this one whose parts are wired by hand, word for word as upstream's documentation has it."""
    return f"""\
from tasker_core import (EventBridge, EventPoller, HandlerRegistry, StepExecutionSubscriber, bootstrap_worker,
                         stop_worker)
result = bootstrap_worker()
registry = HandlerRegistry.instance(); registry.discover_handlers("app.handlers")
bridge = EventBridge.instance(); bridge.start()
subscriber = StepExecutionSubscriber(event_bridge=bridge, handler_registry=registry, worker_id=result.worker_id)
subscriber.start()
poller = EventPoller()
poller.on_step_event(lambda event: bridge.publish("step.execution.received", event))
poller.start()
{textwrap.dedent(body)}
poller.stop(); subscriber.stop(); bridge.stop(); stop_worker()
"""


CLIENT = """
    from tasker_core import _tasker_core as native

    def submit(name, context=None):
        request = {"name": name, "namespace": "app", "context": context or {}, "initiator": "test",
                   "source_system": "e2e", "reason": "a test"}
        return native.client_create_task(request)["task_uuid"]

    def settled(task, timeout_s=30.0):
        return native._client_wait(task, timeout_s)

    def steps(task):
        return {step["name"]: step for step in native.client_list_task_steps(task)}
"""


def template(name: str, *steps: tuple[str, str, list[str]], more: str = "") -> str:
    """A template of namespace app; a step is its name, its handler and its dependencies. `more`: lines of each step."""
    lines = [f"name: {name}", "namespace_name: app", 'version: "1.0.0"', "steps:"]
    for step, handler, dependencies in steps:
        lines += [f"  - name: {step}", f"    handler: {{callable: {handler}}}",
                  f"    dependencies: [{', '.join(dependencies)}]"]
        lines += [f"    {line}" for line in more.splitlines()]
    return "\n".join(lines) + "\n"
