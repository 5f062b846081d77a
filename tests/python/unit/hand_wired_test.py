"""The wiring by hand: bootstrap_worker, HandlerRegistry, EventBridge, StepExecutionSubscriber, EventPoller."""

from __future__ import annotations

import asyncio
import sys
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from tasker_core import (
    EventBridge,
    EventNames,
    EventPoller,
    FfiStepEvent,
    HandlerRegistry,
    PermanentError,
    StepExecutionSubscriber,
    StepHandler,
    StepHandlerResult,
    Worker,
    bootstrap_worker,
    get_worker_status,
    is_worker_running,
    step_execution_subscriber,
    stop_worker,
    transition_to_graceful_shutdown,
)
from tasker_core.step_execution_subscriber import StepExecutionError


class H(StepHandler):
    """Does what its test says."""

    handler_name = "h"
    does: Any = None

    def call(self, context: Any) -> Any:
        return type(self).does(context)

    async def later(self, context: Any) -> Any:
        await asyncio.sleep(0)
        return {"loop": id(asyncio.get_running_loop()), "method": "later"}


@pytest.fixture
def wired(host: Any) -> Iterator[EventPoller]:
    """The hand-wired version of issue 5, word for word."""
    result = bootstrap_worker()
    registry = HandlerRegistry.instance()
    registry.register("h", H)
    bridge = EventBridge.instance()
    bridge.start()
    subscriber = StepExecutionSubscriber(event_bridge=bridge, handler_registry=registry, worker_id=result.worker_id)
    subscriber.start()
    poller = EventPoller()
    poller.on_step_event(lambda event: bridge.publish("step.execution.received", event))
    poller.start()
    yield poller
    poller.stop()
    subscriber.stop()
    bridge.stop()
    stop_worker()


@pytest.fixture
def run(wired: Any, host: Any, event: Any) -> Any:
    def run(does: Any = lambda context: {}, **kwargs: Any) -> dict[str, Any]:
        H.does = does
        before = host.ended()
        sent = host.put(event("h", **kwargs))
        host.wait_ended(before + 1)
        return next(row for row in host.completed + host.failed + host.yielded if row["event_id"] == sent)

    return run


def test_the_handlers_are_announced(wired: Any, host: Any) -> None:
    assert host.handlers["h"] == ("1.0.0", 0, False, False)


def test_a_step_is_completed_in_upstreams_form(run: Any) -> None:
    end = run(lambda context: StepHandlerResult.success({"a": 1}, {"note": "x"}))
    assert end["status"] == "completed" and end["success"] and end["result"] == {"a": 1}
    assert end["worker_id"] == "python-worker-1" and end["metadata"] == {"note": "x"}
    assert uuid.UUID(end["step_uuid"]) and uuid.UUID(end["task_uuid"]) and end["error"] is None


def test_a_dict_is_a_success_and_none_a_clear_failure(run: Any) -> None:
    assert run(lambda context: {"a": 1})["result"] == {"a": 1}
    end = run(lambda context: None)
    assert end["error"]["error_type"] == "invalid_handler_result" and end["status"] == "permanent_error"


def test_a_step_without_definition_ends(wired: Any, host: Any, event: Any) -> None:
    data = event("h")
    data["task_sequence_step"]["step_definition"] = None
    host.put(data)
    host.wait_ended(1)
    assert host.failed[0]["error"]["error_type"] == "handler_not_found"


def test_sys_exit_neither_loses_the_step_nor_ends_the_poller(run: Any, wired: Any) -> None:
    assert run(lambda context: sys.exit(1))["error"]["error_type"] == "SystemExit"
    assert wired.is_running and run()["success"]


def test_a_permanent_error_is_permanent_and_its_facts_arrive(run: Any) -> None:
    def does(context: Any) -> Any:
        raise PermanentError("declined", error_code="E7", context={"card": 1})

    end = run(does)
    assert end["status"] == "permanent_error" and end["metadata"]["error_code"] == "E7"
    assert end["metadata"]["retryable"] is False and end["error"]["metadata"]["context"] == {"card": 1}
    assert "PermanentError" in end["error"]["stack_trace"]


def test_method_and_async_method_are_honoured(run: Any) -> None:
    first, second = run(method="later")["result"], run(method="later")["result"]
    assert first["method"] == "later" and first["loop"] == second["loop"]


def test_an_unknown_resolver_fails_the_step(run: Any) -> None:
    assert "Unknown resolver: 'x'" in run(resolver="x")["error"]["message"]


def test_what_cannot_be_converted_becomes_the_safe_failure(run: Any) -> None:
    end = run(lambda context: {"a": object()})
    assert end["status"] == "error" and end["error"]["error_type"] == "FFI_SERIALIZATION_ERROR"
    assert set(end) - {"event_id"} == {"step_uuid", "success", "result", "status", "metadata", "error"}
    assert end["metadata"]["custom"]["original_success"] == "True"


def test_a_refused_completion_is_followed_by_the_safe_failure(event: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, Any]] = []

    def complete(event_id: str, data: dict[str, Any]) -> bool:
        sent.append(data)
        if len(sent) == 1:
            raise ValueError("Conversion error: x")
        return len(sent) == 2

    monkeypatch.setattr(step_execution_subscriber, "_complete_step_event", complete)
    registry, bridge = HandlerRegistry(), EventBridge()
    subscriber = StepExecutionSubscriber(bridge, registry, "w")
    ffi_event = FfiStepEvent.model_validate(event("h"))
    subscriber._submit_result(ffi_event, StepHandlerResult.success({}), 1)
    assert sent[1]["error"]["message"] == "Conversion error: x"
    monkeypatch.setattr(step_execution_subscriber, "_complete_step_event", lambda *_: sent[99])
    with pytest.raises(IndexError):
        subscriber._submit_result(ffi_event, StepHandlerResult.success({}), 1)
    answers = iter([ValueError("x"), False])

    def refuse(*_: Any) -> bool:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(step_execution_subscriber, "_complete_step_event", refuse)
    with pytest.raises(RuntimeError, match="orphaned"):
        subscriber._submit_result(ffi_event, StepHandlerResult.success({}), 1)


def test_a_checkpoint_is_yielded(run: Any, host: Any) -> None:
    result = StepHandlerResult.success(
        {"type": "checkpoint_yield", "cursor": 3, "items_processed": 3}, {"checkpoint_yield": True}
    )
    end = run(lambda context: result)
    assert end["cursor"] == 3 and "accumulated_results" not in end and not host.completed


def test_the_bridge_tells_of_the_completion(run: Any) -> None:
    seen: list[Any] = []
    EventBridge.instance().subscribe(EventNames.STEP_COMPLETION_SENT, seen.append)
    end = run()
    assert str(seen[0].step_uuid) == end["step_uuid"]


def test_a_worker_and_a_subscriber_on_one_bridge_run_a_step_once(host: Any, event: Any) -> None:
    calls: list[int] = []
    H.does = lambda context: calls.append(1) or {}
    HandlerRegistry.instance().register("h", H)
    worker = Worker.start()
    bridge = EventBridge.instance()
    StepExecutionSubscriber(bridge, HandlerRegistry.instance(), worker.worker_id).start()
    host.put(event("h"))
    host.wait_ended(1)
    worker.stop()
    assert calls == [1] and len(host.completed) == 1


def test_a_stopped_poller_can_start_again_beside_a_stuck_one(host: Any, event: Any) -> None:
    bootstrap_worker()
    entered, go_on = threading.Event(), threading.Event()
    seen: list[str] = []

    def callback(_: Any) -> None:
        seen.append(threading.current_thread().name)
        entered.set()
        go_on.wait(5)

    poller = EventPoller()
    poller.on_step_event(callback)
    poller.start()
    with pytest.raises(RuntimeError, match="already running"):
        poller.start()
    stuck = poller._thread
    host.put(event("h"))
    assert entered.wait(5)
    poller.stop(timeout=0.01)
    assert not poller.is_running and stuck is not None and stuck.is_alive()
    poller.start()
    go_on.set()
    stuck.join(5)
    assert not stuck.is_alive() and poller.is_running
    poller.stop()


def test_a_poller_reports_errors_and_backs_off(host: Any) -> None:
    errors: list[Exception] = []
    reported = threading.Event()
    poller = EventPoller(polling_interval_ms=1)
    poller.on_error(lambda error: (errors.append(error), reported.set()))  # type: ignore[func-returns-value]
    poller.start()
    assert reported.wait(5)
    poller.stop()
    assert "not initialized" in str(errors[0]) and poller.get_metrics() is None


def test_metrics_reach_callbacks_and_the_bridge(host: Any) -> None:
    bootstrap_worker()
    EventBridge.instance().start()
    both = threading.Barrier(3)
    EventBridge.instance().subscribe_once(
        EventNames.POLLER_METRICS, lambda m: threading.Thread(target=both.wait).start()
    )
    poller = EventPoller(polling_interval_ms=1, starvation_check_interval=1, cleanup_interval=1)
    once = iter([1])
    poller.on_metrics(lambda m: next(once, None) and threading.Thread(target=both.wait).start())
    poller.start()
    both.wait(5)
    poller.stop()


def test_without_a_host_every_function_says_so() -> None:
    assert not is_worker_running() and stop_worker() == "Worker system not running"
    assert get_worker_status().error == "Worker system not initialized"
    with pytest.raises(RuntimeError, match="not initialized"):
        transition_to_graceful_shutdown()


def test_a_second_bootstrap_says_that_it_runs() -> None:
    assert bootstrap_worker().success
    again = bootstrap_worker()
    assert not again.success and again.status == "already_running" and again.worker_id == ""


def test_a_bridge_that_is_not_started_drops_with_a_warning(host: Any) -> None:
    bridge = EventBridge()
    bridge.subscribe("x", lambda: 1 / 0)
    bridge.publish("x")
    assert ("warn", "event 'x' was dropped: the EventBridge is not started", {}) in host.logs
    with pytest.raises(KeyError):
        bridge.unsubscribe("x", print)
    assert bridge.listener_count("x") == 1 and len(bridge.listeners("x")) == 1


def test_once_is_once_and_all_are_called_although_one_raises() -> None:
    bridge = EventBridge()
    bridge.start()
    seen: list[Any] = []
    bridge.subscribe("x", lambda n: 1 / n)
    bridge.subscribe_once("x", seen.append)
    with pytest.raises(ZeroDivisionError):
        bridge.publish("x", 0)
    bridge.publish("x", 1)
    assert seen == [0]


def test_step_execution_error_has_defaults() -> None:
    error = StepExecutionError("m")
    assert (str(error), error.error_type, error.retryable) == ("m", "step_execution_error", True)


def test_the_host_asks_python_only_while_a_registry_is_attached(host: Any) -> None:
    HandlerRegistry.instance(skip_bootstrap=True).register("h", H)
    bootstrap_worker()
    assert host.resolver is None and not host.handlers  # Whoever polls gets steps of any handler.
    first, second = (StepExecutionSubscriber(EventBridge.instance(), HandlerRegistry.instance(), "w") for _ in "12")
    first.start()
    second.start()
    assert host.resolver("h", None, None) and not host.resolver("anything", None, None)
    first.stop()
    assert host.resolver("h", None, None) and "h" in host.handlers
    second.stop()
    assert host.resolver is None and not host.handlers


def test_a_worker_that_has_stopped_leaves_no_registry_attached(host: Any) -> None:
    HandlerRegistry.instance(skip_bootstrap=True).register("h", H)
    Worker.start(auto_discover=False).stop()
    bootstrap_worker()
    assert host.resolver is None
