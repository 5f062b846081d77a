"""Tells the host how a step of the fast path ended."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any
from uuid import UUID

from tasker_core import _tasker_core as native
from tasker_core._execution.attempt import Attempt
from tasker_core._execution.outcome import (
    SERIALIZATION_ERROR,
    retry_after_s,
    said,
    sayable,
    serialization_failure,
    status_code,
    to_json_text,
)
from tasker_core._execution.tally import tallies
from tasker_core.event_bridge import EventBridge, EventNames
from tasker_core.logging import log_error, log_warn
from tasker_core.types.events import FfiStepEvent
from tasker_core.types.results import StepError, StepExecutionResult, StepHandlerResult

__all__ = ["Step", "execution_result", "give_up", "publish_events", "submit"]


ignore_retry_after = False
"""True while a test skips back-off."""


# A step does not fail for its metadata.
_NO_METADATA = {"metadata_error": "the handler's metadata has no JSON form"}


class Step:
    """A step that was taken: its event, its attempt, and the handler entry that it names."""

    __slots__ = ("attempt", "event", "handler", "method", "resolver", "version")

    def __init__(
        self, event: FfiStepEvent, attempt: Attempt, handler: str, method: str | None, resolver: str | None
    ) -> None:
        self.event = event
        self.attempt = attempt
        self.handler = handler
        self.method = method
        self.resolver = resolver
        self.version = "1.0.0"


def submit(step: Step, result: StepHandlerResult, elapsed_s: float, bridge: EventBridge, worker_id: str) -> None:
    """Gives the host the outcome, counts it, and publishes what somebody listens for.

    A result that has no JSON form, or that the host cannot store, becomes a permanent failure that says so.
    """
    tallies.mine().add(step.handler, result.is_success, int(elapsed_s * 1e6))
    elapsed_ms = int(elapsed_s * 1000)
    try:
        if result.is_success and result.metadata.get("checkpoint_yield") is True:
            _yield(step, result, bridge)
            return
        accepted = _give(step, result, elapsed_ms)
    except (ValueError, TypeError) as error:
        if not result.is_success:
            raise
        result = serialization_failure(error, step.handler)
        accepted = _give(step, result, elapsed_ms)
    if not accepted:
        why = step.attempt.reason() or "resolved"
        log_warn(f"the outcome of handler '{step.handler}' came after its attempt had ended ({why})")
        return
    publish_events(step.event, result, elapsed_ms)
    if bridge.wants(EventNames.STEP_COMPLETION_SENT):
        sent = execution_result(step.event, result, elapsed_ms, worker_id)
        try:
            bridge.publish(EventNames.STEP_COMPLETION_SENT, sent)
        except Exception as error:
            log_error(f"a listener of '{EventNames.STEP_COMPLETION_SENT}' raised: {said(error)}")


def give_up(step: Step, error: BaseException) -> None:
    """Ends a step whose outcome `submit` could not give: as a failure of plain text. Does not raise.

    If the outcome was given and only what follows it failed, the host keeps the outcome.
    """
    why = said(error).encode("ascii", "replace").decode("ascii")[:500]
    try:
        log_error(f"the outcome of handler '{step.handler}' was not taken by the host: {why}")
        message = f"the outcome of the handler could not be stored: {type(error).__name__}: {why}"
        native._fail(step.attempt.event_id, SERIALIZATION_ERROR, message, False, None, None, None, None, None, None)
    except BaseException as second:
        log_error(f"nor was a failure in its place: {said(second)}")


def execution_result(
    event: FfiStepEvent, result: StepHandlerResult, elapsed_ms: int, worker_id: str
) -> StepExecutionResult:
    """The whole result in upstream's form."""
    common: dict[str, Any] = {
        "step_uuid": UUID(event.step_uuid),
        "task_uuid": UUID(event.task_uuid),
        "execution_time_ms": elapsed_ms,
        "worker_id": worker_id,
        "correlation_id": UUID(event.correlation_id),
    }
    own = _storable(result.metadata)
    if result.is_success:
        metadata = dict(own)
        return StepExecutionResult.success_result(result=result.result or {}, metadata=metadata, **common)
    metadata = {**own, "retryable": result.retryable}
    if result.error_code is not None:
        metadata.setdefault("error_code", result.error_code)
    trace = result.metadata.get("traceback")
    error = StepError(
        error_type=sayable(result.error_type or "handler_error"),
        message=sayable(result.error_message or "the handler gave no message"),
        stack_trace=trace if isinstance(trace, str) else None,
        retryable=result.retryable,
        metadata=own,
    )
    return StepExecutionResult.failure_result(error=error, metadata=metadata, **common)


def publish_events(event: FfiStepEvent, result: StepHandlerResult, elapsed_ms: int) -> None:
    """Publishes the domain events that the step declares, if any."""
    definition = event.task_sequence_step.get("step_definition") or {}
    if definition.get("publishes_events"):
        # Imported here: most templates declare no events.
        from tasker_core.domain_events.publishing import publish_declared

        publish_declared(event, result, elapsed_ms)


def _give(step: Step, result: StepHandlerResult, elapsed_ms: int) -> bool:
    event_id = step.attempt.event_id
    metadata = _metadata_text(step, result, elapsed_ms)
    if result.is_success:
        body = to_json_text(result.result if result.result is not None else {})
        return native._complete(event_id, body, metadata, None)
    details = result.metadata
    trace, context = details.get("traceback"), details.get("context")
    code = result.error_code if result.error_code is not None else details.get("error_code")
    return native._fail(
        event_id,
        sayable(result.error_type or "handler_error"),
        sayable(result.error_message or "the handler gave no message"),
        result.retryable,
        0.0 if ignore_retry_after else retry_after_s(details),
        None if code is None else sayable(str(code)),
        sayable(trace) if isinstance(trace, str) else None,
        status_code(details),
        _json_or_none(context) if isinstance(context, dict) else None,
        metadata,
    )


def _metadata_text(step: Step, result: StepHandlerResult, elapsed_ms: int) -> str:
    known = f'{{"execution_time_ms":{elapsed_ms},"handler_version":{_quoted(step.version)}'
    if not result.metadata:
        return known + "}"
    custom = {key: value for key, value in result.metadata.items() if key != "traceback"}
    if not custom:
        return known + ',"custom":{}}'
    text = _json_or_none(custom) or json.dumps(_NO_METADATA)
    return f'{known},"custom":{text}}}'


def _storable(metadata: dict[str, Any]) -> dict[str, Any]:
    return metadata if not metadata or _json_or_none(metadata) is not None else _NO_METADATA


@lru_cache(maxsize=1024)
def _quoted(text: str) -> str:
    return json.dumps(text)


def _json_or_none(value: Any) -> str | None:
    try:
        return to_json_text(value)
    except ValueError as error:
        log_warn(f"metadata of a handler was dropped: {error}")
        return None


def _yield(step: Step, result: StepHandlerResult, bridge: EventBridge) -> None:
    given = result.result or {}
    checkpoint = {
        "step_uuid": step.event.step_uuid,
        "cursor": given.get("cursor"),
        "items_processed": given.get("items_processed", 0),
        "accumulated_results": given.get("accumulated_results"),
    }
    after_s = retry_after_s(result.metadata) or 0.0
    if not native._yield(step.attempt.event_id, to_json_text(checkpoint), after_s):
        log_warn(f"the checkpoint of handler '{step.handler}' came after its attempt had ended")
    elif bridge.wants(EventNames.STEP_CHECKPOINT_YIELD):
        bridge.publish(EventNames.STEP_CHECKPOINT_YIELD, checkpoint)
