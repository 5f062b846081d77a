"""Lines for the host's log, with the ids of the step that is being handled.

Inside a handler the ids of its task and step are added by themselves. `HostLogHandler` sends the lines of the
standard `logging` module the same way.
"""

from __future__ import annotations

import logging as _logging
from typing import Any

from tasker_core import _tasker_core as native
from tasker_core._execution.attempt import current_attempt
from tasker_core._execution.outcome import sayable
from tasker_core.types.lifecycle import LogContext

__all__ = ["HostLogHandler", "log_debug", "log_error", "log_info", "log_trace", "log_warn"]

Fields = dict[str, Any] | LogContext | None


def log_error(message: str, context: Fields = None) -> None:
    """Logs an error; `context` holds further fields, whose values are written as text."""
    native.log_error(_text(message), _fields(context))


def log_warn(message: str, context: Fields = None) -> None:
    """Logs a warning; `context` holds further fields, whose values are written as text."""
    native.log_warn(_text(message), _fields(context))


def log_info(message: str, context: Fields = None) -> None:
    """Logs what happened; `context` holds further fields, whose values are written as text."""
    native.log_info(_text(message), _fields(context))


def log_debug(message: str, context: Fields = None) -> None:
    """Logs a detail; `context` holds further fields, whose values are written as text."""
    native.log_debug(_text(message), _fields(context))


def log_trace(message: str, context: Fields = None) -> None:
    """Logs the finest detail; `context` holds further fields, whose values are written as text."""
    native.log_trace(_text(message), _fields(context))


class HostLogHandler(_logging.Handler):
    """Sends records of the standard `logging` module to the host's log.

    Example:
        >>> logging.getLogger("app").addHandler(HostLogHandler())
    """

    def emit(self, record: _logging.LogRecord) -> None:
        """Sends one record; its logger's name becomes the field `logger`."""
        try:
            level = record.levelno
            if level >= _logging.ERROR:
                send = log_error
            elif level >= _logging.WARNING:
                send = log_warn
            elif level >= _logging.INFO:
                send = log_info
            else:
                send = log_debug
            send(self.format(record), {"logger": record.name})
        except Exception:
            self.handleError(record)


def _fields(context: Fields) -> dict[str, str] | None:
    fields: dict[str, str] = {}
    attempt = current_attempt.get()
    if attempt is not None:
        fields["task_uuid"] = attempt.task_uuid
        fields["step_uuid"] = attempt.step_uuid
        fields["correlation_id"] = attempt.correlation_id
    if isinstance(context, LogContext):
        given = {key: value for key, value in context.model_dump().items() if value is not None}
    else:
        given = context or {}
    for key, value in given.items():
        fields[_text(key)] = _text(value)
    return fields or None


def _text(value: Any) -> str:
    # A line that cannot be written as it is must not fail whoever logs it.
    try:
        return sayable(str(value))
    except Exception:
        return type(value).__name__
