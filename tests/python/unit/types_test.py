"""The data types, the wrappers, the errors, the client and the figures."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
import tasker_core
from conftest import make_event
from pydantic import ValidationError
from tasker_core import (
    BatchWorkerContext,
    BootstrapConfig,
    DecisionPointOutcome,
    ErrorClassifier,
    ErrorType,
    FfiStepEvent,
    LogContext,
    StepContext,
    StepError,
    StepExecutionResult,
    StepHandlerResult,
    TaskerClient,
    TaskSequenceStepWrapper,
    WorkerNotInitializedError,
    errors,
    get_health_check,
    get_metrics,
    get_worker_config,
    is_permanent,
    is_retryable,
    log_info,
)
from tasker_core.types import RustCursorConfig, aggregate_batch_results, create_batches
from tasker_core.types.events import context_from_host, event_from_host


def test_the_configuration_refuses_what_it_does_not_know() -> None:
    for wrong in ({"unknown": 1}, {"log_level": "loud"}):
        with pytest.raises(ValidationError):
            BootstrapConfig(**wrong)
    assert BootstrapConfig().namespace == "default"


def test_a_result_is_success_in_json_and_is_success_in_python() -> None:
    result = StepHandlerResult.model_validate({"success": True, "result": {"a": 1}})
    assert result.is_success_result() and result.model_dump(by_alias=True)["success"] is True
    failed = StepHandlerResult.failure("m", ErrorType.TIMEOUT)
    assert failed.error_type == "timeout" and failed.is_failure_result() and failed.retryable
    with pytest.raises(ValidationError):
        StepHandlerResult.success({1: 2})  # type: ignore[dict-item]


def test_an_execution_result_gets_its_status_from_its_error() -> None:
    ids = {"step_uuid": uuid.uuid4(), "task_uuid": uuid.uuid4(), "execution_time_ms": 1, "worker_id": "w"}
    for retryable, status in ((True, "retryable_error"), (False, "permanent_error")):
        error = StepError(error_type="e", message="m", retryable=retryable)
        assert StepExecutionResult.failure_result(error=error, **ids).status == status
    assert StepExecutionResult.success_result(result={}, **ids).status == "completed"


def test_an_event_is_frozen_whoever_made_it() -> None:
    data = make_event()
    for event in (FfiStepEvent.model_validate(data), event_from_host(data)):
        with pytest.raises(ValidationError):
            event.event_id = "x"
    assert event_from_host(data) == FfiStepEvent.model_validate(data)


def test_a_context_of_the_host_is_the_context_of_upstream() -> None:
    event = event_from_host(make_event(context={"a": 1}, attempts=2, dependencies={"d": {"x": {"y": 3}}}))
    mine, theirs = context_from_host(event, "h", None), StepContext.from_ffi_event(event, "h")
    assert mine.model_dump() == theirs.model_dump()
    assert mine.is_retry() and mine.is_last_retry() and mine.get_dependency_field("d", "x", "y") == 3
    assert mine.get_dependency_field("d", "x", "y", "z") is None and mine.get_dependency_result("none") is None
    assert mine.get_input_or("b", 5) == 5 and mine.get_config("c") is None
    assert mine.get_all_dependency_results("d") == [{"x": {"y": 3}}] and mine.get_dependency_result_keys() == ["d"]
    assert mine.task_sequence_step.task.task_name == "orders"


def test_a_context_without_a_worker_goes_on() -> None:
    event = {**make_event(checkpoint={"cursor": 4, "items_processed": 4}), "task_sequence_step": {}}
    context = StepContext.from_ffi_event(FfiStepEvent.model_validate(event), "h")
    assert context.input_data == {} and context.max_retries == 3 and context.attempt == 1
    assert context.heartbeat() and context.save_checkpoint(1, 1) and not context.cancelled
    assert context.remaining_s is None and context.idempotency_key == str(context.step_uuid)
    assert not context.has_checkpoint() and context.checkpoint_items_processed == 0


def test_the_idempotency_key_of_an_event_is_the_hosts() -> None:
    context = StepContext.from_ffi_event(FfiStepEvent.model_validate(make_event()), "h")
    assert context.idempotency_key == f"{context.task_uuid}:step"


def test_a_checkpoint_is_found_again() -> None:
    saved = {"cursor": 4, "items_processed": 4, "accumulated_results": {"s": 1}}
    inputs = {"cursor": {"batch_id": "001", "start_cursor": 0, "end_cursor": 9, "batch_size": 9}}
    event = FfiStepEvent.model_validate(make_event(checkpoint=saved, inputs=inputs))
    context = StepContext.from_ffi_event(event, "h")
    assert context.checkpoint_cursor == 4 and context.accumulated_results == {"s": 1}
    batch = BatchWorkerContext.from_step_context(context)
    assert batch is not None and batch.has_checkpoint() and batch.checkpoint_items_processed == 4
    assert (batch.start_cursor, batch.end_cursor, batch.step_size) == (0, 9, 9)


def test_an_older_batch_context_is_read_too() -> None:
    legacy = {"batch_id": "b", "cursor_config": {"start_cursor": 1, "end_cursor": 2}, "batch_index": 1}
    event = FfiStepEvent.model_validate(make_event(context={"batch_context": legacy}))
    batch = BatchWorkerContext.from_step_context(StepContext.from_ffi_event(event, "h"))
    assert batch is not None and (batch.batch_id, batch.batch_index, batch.step_size) == ("b", 1, 1)


def test_wrappers_tolerate_what_is_missing() -> None:
    empty = TaskSequenceStepWrapper.from_dict(None)
    assert empty.workflow_step.max_attempts == 3 and empty.step_definition.timeout_seconds == 30
    full = TaskSequenceStepWrapper.from_dict(make_event(context={"n": 1}, dependencies={"d": 2})["task_sequence_step"])
    assert full.get_task_field("n") == 1 and full.get_dependency_result("d") == 2 and full.get_results("d") == 2
    results = full.dependency_results
    assert "d" in results and list(results) == ["d"] and results["d"]["result"] == 2 and results.keys() == ["d"]


def test_batches_are_counted() -> None:
    cursors = [RustCursorConfig(batch_id="1", start_cursor="a", end_cursor="b", batch_size=1)]
    assert create_batches("t", 1, cursors, 1).type == "create_batches"
    with pytest.raises(ValueError, match="must equal"):
        create_batches("t", 2, cursors, 1)
    summed = aggregate_batch_results([None, {"items_processed": 4, "items_succeeded": 2, "errors": [{}] * 200}])
    assert (summed.batch_count, summed.success_rate, len(summed.errors), summed.error_count) == (1, 0.5, 100, 200)
    assert DecisionPointOutcome.no_branches("why").reason == "why"


def test_the_families_of_errors() -> None:
    error = errors.RateLimitError("m", retry_after=5, error_code="C", context={"a": 1}, metadata={"b": 2})
    assert error.metadata == {"b": 2, "error_code": "C", "retry_after": 5, "context": {"a": 1}}
    assert error.to_dict()["error_type"] == "RateLimitError" and error.retryable
    assert not errors.NotFoundError(message="m").retryable
    assert not issubclass(tasker_core.RetryableError, tasker_core.TaskerError)
    assert tasker_core.StepTimeoutError is errors.TimeoutError


@pytest.mark.parametrize(
    ("error", "retryable", "rule"),
    [
        (errors.PermanentError("m", retryable=True), True, "explicit_attribute"),
        (errors.ValidationError("m"), False, "explicit_attribute"),
        (KeyError("k"), False, "permanent_class"),
        (ConnectionResetError(), True, "retryable_class"),
        (RuntimeError(), True, "default"),
    ],
)
def test_errors_are_classified(error: Exception, retryable: bool, rule: str) -> None:
    verdict = tasker_core.get_classifier().classify(error)
    assert (verdict["retryable"], verdict["classification"]) == (retryable, rule)
    assert is_retryable(error) is retryable and is_permanent(error) is not retryable
    assert ErrorClassifier(default_retryable=False).permanent(RuntimeError())


def test_log_lines_take_dicts_and_contexts(host: Any) -> None:
    log_info("a", {"n": 1, "x": None})
    log_info("b", LogContext(operation="op"))
    log_info("c")
    assert [fields for _, _, fields in host.logs] == [{"n": "1", "x": "None"}, {"operation": "op"}, {}]


def test_standard_logging_reaches_the_host(host: Any) -> None:
    import logging

    from tasker_core.logging import HostLogHandler

    logger = logging.getLogger("shop")
    handler = HostLogHandler()
    logger.addHandler(handler)
    logger.warning("hm %s", 5)
    logger.removeHandler(handler)
    assert ("warn", "hm 5", {"logger": "shop"}) in host.logs


def test_figures_without_a_worker_say_so() -> None:
    for function in (get_health_check, get_metrics, get_worker_config):
        with pytest.raises(WorkerNotInitializedError, match="not initialized"):
            function()


def answer(value: Any, calls: list[Any]) -> Any:
    def function(*args: Any) -> Any:
        calls.append((args, threading.current_thread().name))
        return value

    return function


def test_the_client_asks_the_native_module_at_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    native, calls = tasker_core._native, []
    task = {"task_uuid": "t", "status": "pending", "total_steps": 4, "of_a_later_version": 1}
    pages = {"tasks": [task], "pagination": {"total_count": 1}}
    for name, value in {
        "client_create_task": task,
        "client_get_task": task,
        "_client_wait": {**task, "status": "complete"},
        "client_list_tasks": pages,
        "client_cancel_task": {"cancelled": True},
        "client_list_task_steps": [{"name": "a"}],
        "client_get_step": {"name": "a", "attempts": 2},
        "client_get_step_audit_history": [{"to_state": "complete", "success": True}],
        "client_health_check": {"healthy": True},
    }.items():
        monkeypatch.setattr(native, name, answer(value, calls))
    client = TaskerClient(initiator="me")
    assert client.create_task("order", namespace="shop", context={"a": 1}, priority=5).total_steps == 4
    request = calls[-1][0][0]
    assert request == {
        "name": "order", "namespace": "shop", "version": "1.0.0", "context": {"a": 1}, "initiator": "me",
        "source_system": "tasker-core", "reason": "Task requested", "priority": 5,
    }  # fmt: skip
    assert client.get_task("t").status == "pending" and client.wait_for_task("t", 3).status == "complete"
    listed = client.list_tasks(limit=2, status="complete")
    assert listed.tasks[0].task_uuid == "t" and listed.pagination.total_count == 1
    assert calls[-1][0] == (2, 0, None, "complete")
    assert client.cancel_task("t") == {"cancelled": True} and client.list_task_steps("t")[0].name == "a"
    assert client.get_step("t", "s").attempts == 2 and client.health_check().healthy
    assert client.get_step_audit_history("t", "s")[0].to_state == "complete"


async def test_the_async_twins_do_not_hold_up_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(tasker_core._native, "client_get_task", answer({"task_uuid": "t"}, calls))
    assert (await TaskerClient().get_task_async("t")).task_uuid == "t"
    assert calls[0][1] != threading.current_thread().name
    sync = {name for name in vars(TaskerClient) if name[0] != "_" and not name.endswith("_async")}
    assert all(hasattr(TaskerClient, f"{name}_async") for name in sync)


async def test_many_tasks_can_be_waited_for_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    together = threading.Barrier(40)

    def wait(task_uuid: str, timeout_s: float) -> Any:
        if task_uuid == "never":
            raise TimeoutError("not settled")
        together.wait(10)
        return {"task_uuid": task_uuid}

    monkeypatch.setattr(tasker_core._native, "_client_wait", wait)
    client = TaskerClient()
    done = await asyncio.gather(*(client.wait_for_task_async(str(n)) for n in range(40)))
    assert [task.task_uuid for task in done] == [str(n) for n in range(40)]
    with pytest.raises(TimeoutError, match="not settled"):
        await client.wait_for_task_async("never")


@pytest.mark.parametrize(("wrong", "near"), [("idempotencykey", "idempotency_key"), ("prio", "priority"), ("zz", "")])
async def test_an_argument_that_is_no_field_of_a_request_is_refused(
    wrong: str, near: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(tasker_core._native, "client_create_task", answer({"task_uuid": "t"}, calls))
    client = TaskerClient()
    with pytest.raises(TypeError, match=rf"no argument '{wrong}'.*'{near}"):
        client.create_task("order", **{wrong: 1})
    with pytest.raises(TypeError, match=f"'{wrong}'"):
        await client.create_task_async("order", **{wrong: 1})
    assert calls == []
    client.create_task("order", tags=["a"], options={}, initiator="other", requested_at="2026-01-01T00:00:00")
    assert calls[0][0][0]["initiator"] == "other" and calls[0][0][0]["tags"] == ["a"]


async def test_a_wait_without_end_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    done = {"task_uuid": "t", "status": "complete"}
    waits = iter([TimeoutError("a day is over"), done])

    def wait(task_uuid: str, timeout_s: float) -> Any:
        assert timeout_s > 3600
        answered = next(waits)
        if isinstance(answered, Exception):
            raise answered
        return answered

    monkeypatch.setattr(tasker_core._native, "_client_wait", wait)
    monkeypatch.setattr(tasker_core._native, "_client_watch", lambda t, seen, s: {**done, "seen": "1"}, raising=False)
    assert TaskerClient().wait_for_task("t", None).status == "complete"
    assert (await TaskerClient().wait_for_task_async("t", None)).status == "complete"


class Looks:
    """What `_client_watch` answers, in its turn, and who asked: None means that nothing has changed."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.threads: list[threading.Thread] = []
        self.ended = threading.Event()

    def __call__(self, task_uuid: str, seen: str | None, timeout_s: float) -> Any:
        self.threads.append(threading.current_thread())
        if not self.answers:
            self.ended.set()
            return None
        status = self.answers.pop(0)
        if isinstance(status, Exception):
            raise status
        return None if status is None else {"task_uuid": task_uuid, "status": status, "seen": status}


async def test_a_watch_has_one_thread_which_ends_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Looks("pending", None, None, None, "complete")
    monkeypatch.setattr(tasker_core._native, "_client_watch", looks, raising=False)
    seen = [task.status async for task in TaskerClient().watch_task_async("t")]
    assert seen[-1] == "complete" and len(looks.threads) == 5 and len(set(looks.threads)) == 1
    looks = Looks("pending", None)
    monkeypatch.setattr(tasker_core._native, "_client_watch", looks, raising=False)
    watch = TaskerClient().watch_task_async("t")
    assert (await anext(watch)).status == "pending"
    await watch.aclose()
    looks.threads[0].join(5)
    assert not looks.threads[0].is_alive() and len(set(looks.threads)) == 1


async def test_a_watch_that_is_looked_at_late_shows_the_last_state_and_then_the_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = Looks("pending", "in_progress", "steps_in_process", RuntimeError("the disk is full"))
    monkeypatch.setattr(tasker_core._native, "_client_watch", looks, raising=False)
    watch = TaskerClient().watch_task_async("t")
    seen = [(await anext(watch)).status]
    looks.threads[0].join(5)  # All has happened before anybody asks again.
    with pytest.raises(RuntimeError, match="the disk is full"):
        async for task in watch:
            seen.append(task.status)
    assert seen[-1] == "steps_in_process" and len(seen) <= 3
