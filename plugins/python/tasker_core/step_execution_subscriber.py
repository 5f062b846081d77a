"""Runs the handler of each step that the EventBridge brings, for applications wired by hand."""

from __future__ import annotations

import inspect
import threading
import time
from typing import Any

from tasker_core import _fork
from tasker_core._execution import announce
from tasker_core._execution.attempt import Attempt, current_attempt, running
from tasker_core._execution.loop import HandlerLoop
from tasker_core._execution.outcome import (
    as_result,
    failure_of,
    handler_name_of,
    retry_after_s,
    safe_failure_dict,
    said,
    status_code,
)
from tasker_core._execution.submit import execution_result, publish_events
from tasker_core._execution.tally import tallies
from tasker_core._tasker_core import checkpoint_yield_step_event as _checkpoint_yield_step_event
from tasker_core._tasker_core import complete_step_event as _complete_step_event
from tasker_core.event_bridge import EventBridge, EventNames
from tasker_core.handler import HandlerRegistry
from tasker_core.logging import log_error, log_warn
from tasker_core.registry import HandlerDefinition
from tasker_core.types import FfiStepEvent, StepContext, StepHandlerResult

__all__ = ["StepExecutionError", "StepExecutionSubscriber"]


class StepExecutionError(Exception):
    """A step failed; `error_type` names the kind, `retryable` says whether another attempt may succeed."""

    def __init__(self, message: str, error_type: str = "step_execution_error", retryable: bool = True) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.retryable = retryable


class StepExecutionSubscriber:
    """Listens for steps on a bridge, runs each in the thread that publishes it, and submits its result.

    Every step ends in a submitted result, whatever its handler returns or raises.

    Args:
        event_bridge: Where steps come from.
        handler_registry: Where handlers come from; they are announced to the host.
        worker_id: Name that results carry.
    """

    def __init__(self, event_bridge: EventBridge, handler_registry: HandlerRegistry, worker_id: str) -> None:
        self._event_bridge = event_bridge
        self._handler_registry = handler_registry
        self._worker_id = worker_id
        self._active = False

    @property
    def is_active(self) -> bool:
        """True between `start` and `stop`."""
        return self._active

    @property
    def worker_id(self) -> str:
        """Name that results carry."""
        return self._worker_id

    def start(self) -> None:
        """Subscribes to the bridge and announces the registry's handlers. Idempotent."""
        if self._active:
            return
        self._event_bridge.subscribe(EventNames.STEP_EXECUTION_RECEIVED, self._handle_execution_event)
        self._active = True
        announce.attach(self._handler_registry)

    def stop(self) -> None:
        """Ends the subscription. Idempotent."""
        if not self._active:
            return
        self._active = False
        announce.detach(self._handler_registry)
        try:
            self._event_bridge.unsubscribe(EventNames.STEP_EXECUTION_RECEIVED, self._handle_execution_event)
        except KeyError:
            return  # The bridge was reset meanwhile.

    def _handle_execution_event(self, event: FfiStepEvent) -> None:
        if event.event_id in running:
            return  # The worker's pool runs this step and only tells who listens.
        try:
            self._run(event)
        finally:
            running.pop(event.event_id, None)

    def _run(self, event: FfiStepEvent) -> None:
        started = time.perf_counter()
        attempt: Attempt | None = None
        name = "unknown_handler"
        interrupt: BaseException | None = None
        try:
            name = self._get_handler_name(event)
            attempt = _attempt_of(event, name)
            running[event.event_id] = attempt
            handler = self._resolve(event, name)
            if handler is None:
                result = self._create_handler_not_found_result(name)
            else:
                result = as_result(self._execute_handler(event, handler, attempt), name)
        except BaseException as error:
            result = self._create_error_result(error)
            self._tell(EventNames.HANDLER_ERROR, event, error)
            if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
                interrupt = error
        _fork.end_child_of(name)
        elapsed_s = time.perf_counter() - started
        tallies.mine().add(name, result.is_success, int(elapsed_s * 1e6))
        self._submit_result(event, result, int(elapsed_s * 1000))
        if interrupt is not None:
            raise interrupt

    def _get_handler_name(self, event: FfiStepEvent) -> str:
        return handler_name_of(event.task_sequence_step)

    def _resolve(self, event: FfiStepEvent, name: str) -> Any | None:
        definition = event.task_sequence_step.get("step_definition") or {}
        entry = {**(definition.get("handler") or {}), "callable": name}
        return self._handler_registry.resolve_or_raise(HandlerDefinition.from_dict(entry))

    def _execute_handler(self, event: FfiStepEvent, handler: Any, attempt: Attempt | None = None) -> Any:
        context = StepContext.from_ffi_event(event, self._get_handler_name(event))
        context._attempt = attempt
        token = current_attempt.set(attempt)
        try:
            value = handler.call(context)
            if not isinstance(value, StepHandlerResult) and inspect.isawaitable(value):
                value = _wait_for(value, attempt)
        finally:
            current_attempt.reset(token)
        return value

    def _create_handler_not_found_result(self, handler_name: str) -> StepHandlerResult:
        return StepHandlerResult.failure(
            f"Handler not found: {handler_name}", error_type="handler_not_found", retryable=False
        )

    def _create_error_result(self, error: BaseException) -> StepHandlerResult:
        return failure_of(error)

    def _submit_result(self, event: FfiStepEvent, handler_result: StepHandlerResult, execution_time_ms: int) -> None:
        metadata = handler_result.metadata
        if isinstance(metadata, dict) and metadata.get("checkpoint_yield") is True:
            try:
                self._submit_checkpoint_yield(event, handler_result)
            except Exception as error:
                self._submit_safe_failure(event, handler_result, error)
            return
        sent = None
        try:
            sent = execution_result(event, handler_result, execution_time_ms, self._worker_id)
            completion = sent.model_dump(mode="json")
            _add_facts(completion)
        except Exception as error:
            log_error(f"the result of step {event.step_uuid} has no JSON form: {said(error)}")
            completion = self._build_ffi_safe_failure(event, handler_result, error)
        try:
            accepted = _complete_step_event(event.event_id, completion)
        except Exception as error:
            self._submit_safe_failure(event, handler_result, error)
            return
        if not accepted:
            log_warn(f"the host did not take the result of step {event.step_uuid}: its attempt has ended")
            return
        publish_events(event, handler_result, execution_time_ms)
        if sent is not None:
            self._tell(EventNames.STEP_COMPLETION_SENT, sent)

    def _submit_safe_failure(self, event: FfiStepEvent, handler_result: StepHandlerResult, error: Exception) -> None:
        log_error(f"the result of step {event.step_uuid} was refused: {said(error)}")
        completion = self._build_ffi_safe_failure(event, handler_result, error)
        if not _complete_step_event(event.event_id, completion):
            raise RuntimeError(
                f"neither the result of step {event.step_uuid} nor a failure in its place was taken by the host; "
                "the step is orphaned until its timeout"
            ) from error

    def _submit_checkpoint_yield(self, event: FfiStepEvent, handler_result: StepHandlerResult) -> None:
        given = handler_result.result or {}
        checkpoint: dict[str, Any] = {
            "step_uuid": event.step_uuid,
            "cursor": given.get("cursor"),
            "items_processed": given.get("items_processed", 0),
        }
        if given.get("accumulated_results") is not None:
            checkpoint["accumulated_results"] = given["accumulated_results"]
        if _checkpoint_yield_step_event(event.event_id, checkpoint):
            self._tell(EventNames.STEP_CHECKPOINT_YIELD, checkpoint)
        else:
            log_warn(f"the host did not take the checkpoint of step {event.step_uuid}: its attempt has ended")

    def _build_ffi_safe_failure(
        self, event: FfiStepEvent, handler_result: StepHandlerResult, original_error: BaseException
    ) -> dict[str, Any]:
        return safe_failure_dict(event.step_uuid, self._worker_id, handler_result.is_success, original_error)

    def _tell(self, name: str, *args: Any) -> None:
        try:
            self._event_bridge.publish(name, *args)
        except (Exception, SystemExit) as error:
            log_error(f"a listener of '{name}' raised: {said(error)}")


def _add_facts(completion: dict[str, Any]) -> None:
    # Upstream's error has no field for them; the host reads them from here. Numbers out of range would be refused.
    error, metadata = completion["error"], completion["metadata"]
    if error is None:
        return
    context, status = metadata.get("context"), status_code(metadata)
    if isinstance(context, dict):
        error["context"] = context
    if status is not None:
        error["status_code"] = status
    elif isinstance(metadata.get("status_code"), (int, float)):
        del metadata["status_code"]
    for key in ("retry_after", "retry_after_seconds"):
        if isinstance(metadata.get(key), (int, float)):
            metadata[key] = retry_after_s({key: metadata[key]})


def _attempt_of(event: FfiStepEvent, name: str) -> Attempt:
    step = event.task_sequence_step
    return Attempt(
        {
            "event_id": event.event_id,
            "task_uuid": event.task_uuid,
            "step_uuid": event.step_uuid,
            "correlation_id": event.correlation_id,
            "_attempt": ((step.get("workflow_step") or {}).get("attempts") or 0) + 1,
            "_deadline_s": (step.get("step_definition") or {}).get("timeout_seconds"),
        },
        name,
    )


def _wait_for(awaitable: Any, attempt: Attempt | None) -> Any:
    loop = HandlerLoop.instance()
    if not loop.is_current():
        return loop.run(awaitable, attempt.bind if attempt is not None else None)

    async def drive() -> Any:
        return await awaitable

    # Published from inside an async handler: the shared loop cannot wait for itself.
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max_workers=1) as one:
        return one.submit(asyncio.run, drive()).result()
