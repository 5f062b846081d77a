"""From what a handler returned or raised to what the host is told."""

from __future__ import annotations

import json
import math
import traceback
from datetime import datetime, timezone
from typing import Any

from pydantic_core import to_json

from tasker_core.errors.error_classifier import get_classifier
from tasker_core.types.events import trusted
from tasker_core.types.results import StepHandlerResult

_MESSAGE_LENGTH = 500
_LONGEST_RETRY_AFTER_S = 1e9
SERIALIZATION_ERROR = "FFI_SERIALIZATION_ERROR"

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def handler_name_of(step: dict[str, Any]) -> str:
    """The name of a step's handler: its definition's callable, else the step's name in the template."""
    handler = (step.get("step_definition") or {}).get("handler") or {}
    workflow_step = step.get("workflow_step") or {}
    template = step.get("step_template") or {}
    return (
        handler.get("callable")
        or workflow_step.get("template_step_name")
        or template.get("handler_class")
        or "unknown_handler"
    )


def as_result(value: Any, handler: str) -> StepHandlerResult:
    """The result that a handler's return value stands for; a dict is a success."""
    if isinstance(value, StepHandlerResult):
        return value
    if isinstance(value, dict):
        if all(isinstance(key, str) for key in value):
            return success(value)
        what = "a dict whose keys are not all strings"
    elif value is None:
        what = "nothing"
    else:
        what = f"a value of type {type(value).__name__}"
    return StepHandlerResult.failure(
        f"handler '{handler}' returned {what}; return self.success({{...}}) or self.failure(...)",
        error_type="invalid_handler_result",
        retryable=False,
    )


def success(result: dict[str, Any]) -> StepHandlerResult:
    """A success of a dict that is known to be one."""
    return trusted(
        StepHandlerResult,
        {
            "is_success": True,
            "result": result,
            "error_message": None,
            "error_type": None,
            "error_code": None,
            "retryable": True,
            "metadata": {},
        },
    )


def failure_of(exc: BaseException) -> StepHandlerResult:
    """The failure that an exception stands for.

    An exception that says itself whether it is retryable (the family of `tasker_core.errors`, or any with a boolean
    attribute `retryable`) is believed. Any other is retried up to the step's attempts, as upstream does it, in class
    handlers and in functions alike. Whatever the exception's own methods do, this does not raise.
    """
    retryable = True
    try:
        verdict = get_classifier().classify(exc)
        explicit = verdict["classification"] == "explicit_attribute"
        retryable = verdict["retryable"] if explicit else True
        metadata = _metadata_of(exc, explicit)
        code = metadata.get("error_code")
        return StepHandlerResult.failure(
            said(exc),
            error_type=verdict["error_type"],
            retryable=retryable,
            metadata=metadata,
            error_code=code if isinstance(code, str) else None,
        )
    except BaseException:
        name = type(exc).__name__
        return StepHandlerResult.failure(name, error_type=name, retryable=retryable)


def _metadata_of(exc: BaseException, explicit: bool) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    own = getattr(exc, "metadata", None)
    if isinstance(own, dict):
        metadata.update((str(key), value) for key, value in own.items())
    for key in ("error_code", "retry_after", "context"):
        value = getattr(exc, key, None)
        if explicit and value is not None:
            metadata.setdefault(key, value)
    metadata["traceback"] = traceback_of(exc)
    return metadata


def said(exc: BaseException) -> str:
    """What an exception says of itself; its class's name if it cannot even do that."""
    try:
        return sayable(str(exc) or repr(exc))
    except BaseException:
        return type(exc).__name__


def traceback_of(exc: BaseException) -> str:
    """The traceback as text; short for endless recursions."""
    try:
        return sayable("".join(traceback.format_exception(type(exc), exc, exc.__traceback__, limit=50)))
    except BaseException:  # A defective __str__ of the exception must not lose the step.
        return type(exc).__name__


def sayable(text: str) -> str:
    """The text with a question mark for each lone surrogate, which no UTF-8 has."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def to_json_text(value: Any) -> str:
    """JSON of a value; NaN becomes null, sets lists, dates and UUIDs text, bytes text if they are UTF-8.

    Raises:
        ValueError: The value has no JSON form.
    """
    try:
        text = _encode(value)
    except (TypeError, ValueError, RecursionError):
        try:
            return to_json(value, inf_nan_mode="null", bytes_mode="utf8").decode("utf-8")
        except Exception as error:
            raise ValueError(f"the value has no JSON form: {said(error)}") from error
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError(f"the text is not valid Unicode: {error}") from error
    return text


def retry_after_s(metadata: dict[str, Any]) -> float | None:
    """Seconds that a failure asks the next attempt to wait, or None."""
    for key in ("retry_after", "retry_after_seconds"):
        value = metadata.get(key)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            try:
                seconds = float(value)
            except OverflowError:
                continue
            if 0 <= seconds < math.inf:
                return min(seconds, _LONGEST_RETRY_AFTER_S)
    return None


def status_code(metadata: dict[str, Any]) -> int | None:
    """The HTTP status that a failure names, or None."""
    value = metadata.get("status_code")
    return value if isinstance(value, int) and not isinstance(value, bool) and 100 <= value <= 599 else None


def serialization_failure(error: BaseException, handler: str) -> StepHandlerResult:
    """The permanent failure of a step whose result the host could not be given."""
    return StepHandlerResult.failure(
        f"the result of handler '{handler}' could not be stored: {said(error)}"[:_MESSAGE_LENGTH],
        error_type=SERIALIZATION_ERROR,
        retryable=False,
    )


def safe_failure_dict(step_uuid: str, worker_id: str, succeeded: bool, error: BaseException) -> dict[str, Any]:
    """The completion dict that stands in for one that could not be converted; plain text and numbers only."""
    message = said(error)[:_MESSAGE_LENGTH]
    return {
        "step_uuid": step_uuid,
        "success": False,
        "result": {},
        "status": "error",
        "metadata": {
            "execution_time_ms": 0,
            "retryable": False,
            "completed_at": datetime.now(timezone.utc).isoformat(),
            "worker_id": worker_id,
            "custom": {
                "ffi_serialization_error": message,
                "original_success": str(succeeded),
            },
        },
        "error": {"message": message, "error_type": SERIALIZATION_ERROR, "retryable": False},
    }
