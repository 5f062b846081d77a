"""Exceptions that the package itself raises about the worker.

They are unrelated to `tasker_core.errors`, the family that *handlers* raise to say how a step failed.
"""

from __future__ import annotations

__all__ = [
    "ConversionError",
    "FFIError",
    "TaskerError",
    "WorkerAlreadyRunningError",
    "WorkerBootstrapError",
    "WorkerNotInitializedError",
]


class TaskerError(Exception):
    """Root of the exceptions about the worker and its native module."""


class WorkerNotInitializedError(TaskerError):
    """Something needs a running worker, and none runs in this process."""


class WorkerBootstrapError(TaskerError):
    """The worker could not start; whatever had been started was stopped again."""


class WorkerAlreadyRunningError(TaskerError):
    """A worker runs in this process already, and a second one was asked for."""


class FFIError(TaskerError):
    """The native module refused a call."""


class ConversionError(TaskerError):
    """A value could not be converted between Python and the native module."""
