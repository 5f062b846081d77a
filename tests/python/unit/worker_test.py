"""The worker's life: start, stop, drain, concurrent starts, failures, forks."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
import types
from pathlib import Path
from typing import Any

import pytest
import tasker_core
from tasker_core import (
    BootstrapConfig,
    EventBridge,
    EventNames,
    HandlerRegistry,
    StepHandler,
    Worker,
    WorkerBootstrapError,
    WorkerState,
    _fork,
)
from tasker_core._execution import announce

HERE = Path(__file__).resolve().parent


class Doubles(StepHandler):
    handler_name = "doubles"

    def call(self, context: Any) -> Any:
        return self.success({"value": context.get_input("n") * 2})


class Blocks(StepHandler):
    """Runs until its test lets go of it."""

    handler_name = "blocks"
    entered = threading.Event()
    go_on = threading.Event()

    def call(self, context: Any) -> Any:
        Blocks.entered.set()
        Blocks.go_on.wait(10)
        return self.success({"cancelled": context.cancel_reason})


@pytest.fixture
def registry() -> HandlerRegistry:
    registry = HandlerRegistry.instance(skip_bootstrap=True)
    registry.register("doubles", Doubles)
    Blocks.entered.clear()
    Blocks.go_on.clear()
    registry.register("blocks", Blocks)
    return registry


def test_a_step_is_executed(host: Any, event: Any, registry: Any) -> None:
    with Worker.start() as worker:
        assert worker.is_running and worker.worker_id == "python-worker-1"
        assert worker.state is WorkerState.RUNNING and Worker.instance() is worker
        host.put(event("doubles", context={"n": 21}))
        host.wait_ended(1)
    assert host.completed[0]["result"] == {"value": 42}
    assert worker.state is WorkerState.STOPPED
    assert not worker.is_running and Worker.instance() is None


def test_an_idle_worker_has_no_id_and_no_result() -> None:
    worker = Worker()
    assert worker.worker_id == "" and not worker.is_running
    with pytest.raises(RuntimeError, match="Worker has not been started"):
        _ = worker.bootstrap_result
    worker.stop()


def test_the_configuration_reaches_the_host(host: Any) -> None:
    Worker.start(
        config=BootstrapConfig(worker_id="w7", namespace="shop", log_level="debug"),
        overrides={"store.path": "/tmp/x.db"},
    )
    assert Worker.instance().worker_id == "w7"  # type: ignore[union-attr]
    assert host.config["namespace"] == "shop" and host.config["log_level"] == "debug"
    assert host.config["overrides"] == {"store.path": "/tmp/x.db"}


def test_a_second_start_returns_the_first_worker(host: Any) -> None:
    first = Worker.start()
    assert Worker.start(handler_packages=["ignored"]) is first
    assert host.bootstraps == 1
    assert any("called again" in message for _, message, _ in host.logs)


def test_concurrent_starts_yield_one_worker(host: Any, event: Any, registry: Any) -> None:
    found: list[Worker] = []
    barrier = threading.Barrier(8)

    def start() -> None:
        barrier.wait()
        found.append(Worker.start())

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1 and host.bootstraps == 1
    host.put(event("doubles", context={"n": 1}))
    host.wait_ended(1)
    assert len(host.completed) == 1


async def test_start_works_in_an_asyncio_thread(host: Any) -> None:
    worker = Worker.start()
    await asyncio.sleep(0)
    assert worker.is_running
    worker.stop()


def test_a_failed_bootstrap_raises_and_leaves_nothing(host: Any) -> None:
    host.bootstrap_error = "the store is on a read-only disk"
    with pytest.raises(WorkerBootstrapError, match="read-only disk"):
        Worker.start()
    assert Worker.instance() is None
    host.bootstrap_error = None
    assert Worker.start().is_running


def test_a_start_that_fails_after_the_bootstrap_stops_the_host(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasker_core.worker.Pool, "start", lambda self: (_ for _ in ()).throw(MemoryError("threads")))
    with pytest.raises(MemoryError):
        Worker.start()
    assert host.stops == 1 and not host.running and Worker.instance() is None
    monkeypatch.undo()
    assert Worker.start().bootstrap_result.status == "started"


def test_a_start_after_stop_worker_starts_anew(host: Any, event: Any, registry: Any) -> None:
    first = Worker.start()
    tasker_core.stop_worker()
    second = Worker.start()
    assert second is not first and second.is_running and first.state is WorkerState.STOPPED
    host.put(event("doubles", context={"n": 2}))
    host.wait_ended(1)
    assert host.completed[0]["result"] == {"value": 4}


def test_a_stop_in_the_last_moment_of_a_start_is_obeyed(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop_meanwhile() -> float:
        monkeypatch.undo()
        thread = threading.Thread(target=starting[0].stop)
        thread.start()
        thread.join()
        return time.monotonic()

    consume, starting = Worker._consume, []
    monkeypatch.setattr(Worker, "_consume", lambda self, *a, **k: (starting.append(self), consume(self, *a, **k))[1])
    monkeypatch.setattr(tasker_core.worker, "time", types.SimpleNamespace(monotonic=stop_meanwhile))
    with pytest.raises(WorkerBootstrapError, match="broken off"):
        Worker.start()
    assert Worker.instance() is None and not host.running


def test_a_missing_package_degrades_and_is_named(host: Any) -> None:
    worker = Worker.start(handler_packages=["nonexistent.handlers"])
    health = worker.health()
    assert worker.is_running and health.status == "degraded"
    assert "nonexistent.handlers" in health.python["import_failures"]


def test_a_string_is_one_package(host: Any) -> None:
    assert list(Worker.start("nonexistent.handlers").health().python["import_failures"]) == ["nonexistent.handlers"]


def test_strict_refuses_a_missing_package(host: Any) -> None:
    with pytest.raises(WorkerBootstrapError, match=r"nonexistent\.handlers"):
        Worker.start(handler_packages=["nonexistent.handlers"], strict=True)
    assert host.bootstraps == 0


def test_no_step_is_wanted_before_the_handlers_are_known(host: Any, registry: Any) -> None:
    seen: list[int] = []
    consume, fake = tasker_core._native._consume, tasker_core._native
    try:
        fake._consume = lambda slots, _: seen.append(len(host.handlers)) if slots else None
        Worker.start()
    finally:
        fake._consume = consume
    assert seen and min(seen) >= 2


def test_a_handler_registered_later_is_announced(host: Any) -> None:
    Worker.start()
    HandlerRegistry.instance().register("doubles", Doubles)
    assert host.handlers["doubles"] == ("1.0.0", 0, False, False)
    HandlerRegistry.instance().unregister("doubles")
    assert "doubles" not in host.handlers


def test_a_name_that_is_refused_concerns_no_other_name(host: Any) -> None:
    host.names_of_others = {"hello"}
    Worker.start()
    registry = HandlerRegistry.instance()
    with pytest.raises(RuntimeError, match="'hello' belongs"):
        registry.register("hello", Doubles)
    registry.register("doubles", Doubles)
    registry.unregister("hello")
    assert list(host.handlers) == ["doubles"]
    with pytest.raises(RuntimeError, match="'hello' belongs"):
        registry.register("hello", Doubles)
    host.names_of_others.clear()
    registry.register("hello", Blocks)  # Another class is another try.
    assert set(host.handlers) == {"doubles", "hello"}


def test_stop_waits_for_what_runs(host: Any, event: Any, registry: Any) -> None:
    worker = Worker.start()
    host.put(event("blocks"))
    assert Blocks.entered.wait(5)
    stopper = threading.Thread(target=worker.stop)
    stopper.start()
    while worker.state is WorkerState.RUNNING:
        threading.Event().wait(0.005)
    assert host.slots[-1] == 0
    Blocks.go_on.set()
    stopper.join(5)
    assert len(host.completed) == 1 and worker.unfinished == []


def test_stop_returns_at_its_deadline_and_names_who_still_runs(host: Any, event: Any, registry: Any) -> None:
    worker = Worker.start()
    host.put(event("blocks"))
    assert Blocks.entered.wait(5)
    started = time.monotonic()
    worker.stop(drain_s=0.2)
    assert time.monotonic() - started < 2
    assert worker.unfinished == ["blocks"] and worker.state is WorkerState.STOPPED
    Blocks.go_on.set()


def test_a_stuck_handler_does_not_disturb_the_next_worker(host: Any, event: Any, registry: Any) -> None:
    host.put(event("blocks"))
    worker = Worker.start()
    assert Blocks.entered.wait(5)
    worker.stop(drain_s=0.05)
    Worker.start()
    Blocks.go_on.set()
    host.put(event("doubles", context={"n": 2}))
    host.wait_ended(1)
    assert [row["result"] for row in host.completed] == [{"value": 4}]


class StopsItself(StepHandler):
    handler_name = "stops"

    def call(self, context: Any) -> Any:
        worker = Worker.instance()
        assert worker is not None
        worker.stop()
        return self.success({"done": True})


def test_stop_from_a_handler_commits_its_step_first(host: Any, event: Any, registry: Any) -> None:
    registry.register("stops", StopsItself)
    worker = Worker.start()
    stopped = threading.Event()
    worker.on_shutdown(stopped.set)
    host.put(event("stops"))
    assert stopped.wait(5)
    assert host.completed[0]["result"] == {"done": True}
    assert worker._stopper is not None
    worker._stopper.join(5)
    assert worker.state is WorkerState.STOPPED


@pytest.mark.parametrize("call", [Worker.reset_instance, Worker.start])
def test_a_handler_may_reset_or_start_while_the_worker_stops(host: Any, event: Any, registry: Any, call: Any) -> None:
    def handle(self: Any, context: Any) -> Any:
        Blocks.entered.set()
        Blocks.go_on.wait(10)
        call()
        return self.success()

    registry.register("calls", type("Calls", (StepHandler,), {"handler_name": "calls", "call": handle}))
    worker = Worker.start()
    host.put(event("calls"))
    assert Blocks.entered.wait(5)
    stopper = threading.Thread(target=worker.stop)
    stopper.start()
    while worker.state is WorkerState.RUNNING:
        threading.Event().wait(0.005)
    Blocks.go_on.set()
    stopper.join(5)
    assert len(host.completed) == 1 and worker.unfinished == []


def interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def interrupted(function: Any) -> Any:
    def call(*args: Any) -> None:
        function(*args)
        interrupt()

    return call


@pytest.mark.parametrize("where", ["before the host", "after the host", "the threads", "a hook"])
def test_ctrl_c_in_a_stop_leaves_nothing_half_stopped(host: Any, registry: Any, where: str) -> None:
    before = threading.active_count()
    worker = Worker.start()
    hooks: list[str] = []
    worker.on_shutdown(lambda: hooks.append("ran"))
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        if where == "before the host":
            stop_host, once = tasker_core.worker.stop_host, iter([interrupt])
            patch.setattr(tasker_core.worker, "stop_host", lambda s: next(once, stop_host)(s))
        elif where == "after the host":
            patch.setattr(tasker_core.worker, "stop_host", interrupted(tasker_core.worker.stop_host))
        elif where == "the threads":
            patch.setattr(tasker_core.worker.Pool, "close", interrupted(tasker_core.worker.Pool.close))
        else:
            worker.on_shutdown(interrupt)
        worker.stop()
    assert worker.state is WorkerState.STOPPED and hooks == ["ran"] and not host.running
    assert Worker._instance is None and not announce.attached() and threading.active_count() == before
    worker.stop()
    assert Worker.start().is_running


def test_a_stop_that_was_broken_off_is_finished_by_the_next(host: Any) -> None:
    worker = Worker.start()
    worker._state = WorkerState.SHUTTING_DOWN  # As if a second Ctrl-C had come before anything was done.
    worker.stop()
    assert worker.state is WorkerState.STOPPED and not host.running and Worker.start().is_running


def test_hooks_run_after_the_stop_in_reverse_and_one_that_raises_is_logged(host: Any) -> None:
    worker = Worker.start()
    calls: list[str] = []
    worker.on_shutdown(lambda: calls.append(f"first {host.running}"))
    worker.on_shutdown(lambda: 1 / 0)
    worker.on_shutdown(lambda: (calls.append("last"), worker.stop()))  # type: ignore[func-returns-value]
    worker.stop()
    assert calls == ["last", "first False"]
    assert any("on_shutdown" in message for level, message, _ in host.logs if level == "error")


def test_stop_in_a_signal_handler(host: Any) -> None:
    worker = Worker.start()
    old = signal.signal(signal.SIGUSR1, lambda *_: worker.stop())
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
        while worker.state is not WorkerState.STOPPED:
            threading.Event().wait(0.005)
    finally:
        signal.signal(signal.SIGUSR1, old)


def test_start_and_stop_again_and_again_leaves_no_thread(host: Any, registry: Any) -> None:
    before = threading.active_count()
    for _ in range(50):
        Worker.start(max_concurrent_handlers=3).stop()
    assert threading.active_count() == before and host.stops == 50


def test_listeners_of_the_application_survive_a_stop(host: Any, event: Any, registry: Any) -> None:
    seen: list[Any] = []
    EventBridge.instance().subscribe(EventNames.STEP_COMPLETION_SENT, seen.append)
    for n in (1, 2):
        with Worker.start():
            host.put(event("doubles", context={"n": n}))
            host.wait_ended(n)
    assert [result.result for result in seen] == [{"value": 2}, {"value": 4}]
    assert seen[0].worker_id == "python-worker-1"


def test_discovered_handlers_are_forgotten_with_their_worker(host: Any, tmp_path: Path) -> None:
    (tmp_path / "shop_handlers_once.py").write_text(
        "from tasker_core import StepHandler\n"
        "class A(StepHandler):\n    handler_name = 'a'\n    def call(self, context): return self.success()\n"
    )
    sys.path.insert(0, str(tmp_path))
    try:
        with Worker.start(handler_packages=["shop_handlers_once"]):
            assert HandlerRegistry.instance().is_registered("a")
        assert not HandlerRegistry.instance().is_registered("a")
    finally:
        sys.path.remove(str(tmp_path))


def test_status_tells_state_handlers_and_counts(host: Any, event: Any, registry: Any) -> None:
    worker = Worker.start()
    host.put(event("doubles", context={"n": 1}))
    host.wait_ended(1)
    status = worker.status()
    assert status["state"] == "running" and status["uptime_s"] >= 0
    assert "doubles" in status["handlers"] and status["by_handler"]["doubles"]["succeeded"] >= 1


def test_under_tasker_host_start_returns_its_worker_and_stop_refuses(host: Any, registry: Any) -> None:
    host.world, host.running = "embedded", True
    with pytest.raises(WorkerBootstrapError, match="tasker-host"):
        Worker.start()
    # As libtasker_python.so does it.
    Worker()._start([], None, auto_discover=True, strict=False, threads=2, async_limit=5, overrides=None)
    worker = Worker.start()
    assert worker.worker_id == "embedded-1" and worker.is_running
    with pytest.raises(RuntimeError, match="belongs to tasker-host"):
        worker.stop()
    worker._stop(None)
    assert host.running and worker.state is WorkerState.STOPPED
    host.world = "application"


def test_a_forked_child_is_refused_in_one_sentence(host: Any, registry: Any) -> None:
    worker = Worker.start()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            worker.stop()
            Worker.start()
            answer = "started"
        except WorkerBootstrapError as error:
            answer = str(error)
        try:
            tasker_core.TaskerClient().health_check()
        except RuntimeError as error:
            answer += "|" + str(error)
        os.write(writing, f"{Worker.instance()}|{answer}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    answer = os.read(reading, 4096).decode()
    os.close(reading)
    assert answer.startswith("None|Worker.start() is refused") and "|TaskerClient is refused" in answer
    for word in ("lifespan", "post_fork", "spawn"):
        assert word in answer
    assert worker.is_running and host.stops == 0


def test_a_child_forked_without_a_store_may_start(host: Any) -> None:
    Worker.start().stop()
    child = os.fork()
    if child == 0:
        os._exit(0 if not _fork.dead() and Worker.start().is_running else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_client_that_was_used_before_the_worker_is_closed_with_it(host: Any) -> None:
    with pytest.raises(RuntimeError):  # The fake has no client.
        tasker_core.TaskerClient().health_check()
    assert "client" in _fork._open
    Worker.start().stop()
    assert not _fork._open


@pytest.mark.parametrize(("ending", "code"), [("", 0), ("sys.exit(7)", 7), ("1/0", 1)])
def test_a_script_that_ends_without_stop_drains(ending: str, code: int) -> None:
    script = f"""
import sys; sys.path.insert(0, {str(HERE)!r})
from conftest import fake, make_event
from tasker_core import *
import threading
class Slow(StepHandler):
    handler_name = "slow"
    def call(self, context):
        entered.set(); threading.Event().wait(0.2); print("handled", flush=True); return self.success()
entered = threading.Event()
HandlerRegistry.instance(skip_bootstrap=True).register("slow", Slow)
Worker.start()
fake.host.put(make_event("slow")); entered.wait(5)
end = fake._on_exit
fake._on_exit = lambda: (end(), print("exit", len(fake.host.completed), flush=True))
{ending}
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == code, done.stderr
    assert done.stdout.split() == ["handled", "exit", "1"]


def test_a_host_without_its_python_side_is_no_worker(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasker_core._native, "_status", lambda: {"running_worker": True, "attached": False})
    with pytest.raises(WorkerBootstrapError, match="earlier worker of this process still runs"):
        Worker.start()
    assert host.stops == 1 and Worker.instance() is None
