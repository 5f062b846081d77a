"""Errors that handlers raise to say how a step failed.

Raise a `RetryableError` for what may work next time and a `PermanentError` for what never will. Both carry a
message, metadata, an `error_code` and, for the retryable ones, `retry_after` in seconds, which reaches the
back-off of the next attempt.
"""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = [
    "AuthenticationError",
    "AuthorizationError",
    "BusinessLogicError",
    "ConfigurationError",
    "ErrorClassifier",
    "FFIError",
    "NetworkError",
    "NotFoundError",
    "PermanentError",
    "RateLimitError",
    "ResourceContentionError",
    "RetryableError",
    "ServiceUnavailableError",
    "TaskerError",
    "TimeoutError",
    "ValidationError",
    "get_classifier",
    "is_permanent",
    "is_retryable",
]


class TaskerError(Exception):
    """Root of the errors that a handler raises.

    Args:
        message: One sentence for people.
        retryable: Whether another attempt may succeed; the class's own answer when omitted.
        metadata: Kept with the attempt.
        error_code: The application's own code, kept with the attempt.
        retry_after: Seconds that the next attempt waits at least.
        context: Facts about the failure, kept with the attempt.
    """

    default_retryable: ClassVar[bool] = True

    def __init__(
        self,
        message: str,
        *,
        retryable: bool | None = None,
        metadata: dict[str, Any] | None = None,
        error_code: str | None = None,
        retry_after: float | None = None,
        context: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.retryable = self.default_retryable if retryable is None else retryable
        self.error_code = error_code
        self.retry_after = retry_after
        self.context = context
        self.metadata: dict[str, Any] = dict(metadata or {})
        for key, value in (
            ("error_code", error_code),
            ("retry_after", retry_after),
            ("context", context),
        ):
            if value is not None:
                self.metadata[key] = value

    def to_dict(self) -> dict[str, Any]:
        """The error as plain data: its class name, message, `retryable` and metadata."""
        return {
            "error_type": type(self).__name__,
            "message": self.message,
            "retryable": self.retryable,
            "metadata": self.metadata,
        }


class RetryableError(TaskerError):
    """The attempt failed; another may succeed."""


class PermanentError(TaskerError):
    """The step can never succeed as it is: no further attempt is made."""

    default_retryable = False


class TimeoutError(RetryableError):
    """Something that the step waited for took too long."""


class NetworkError(RetryableError):
    """A connection failed."""


class RateLimitError(RetryableError):
    """A service asked for fewer requests; give its wait as `retry_after` (seconds)."""


class ServiceUnavailableError(RetryableError):
    """A service is down for now."""


class ResourceContentionError(RetryableError):
    """A lock or another scarce resource was taken."""


class ValidationError(PermanentError):
    """The step's input is wrong."""


class NotFoundError(PermanentError):
    """What the step needs does not exist."""


class AuthenticationError(PermanentError):
    """The credentials were refused."""


class AuthorizationError(PermanentError):
    """The credentials do not allow this."""


class ConfigurationError(PermanentError):
    """The handler or its surroundings are configured wrongly."""


class BusinessLogicError(PermanentError):
    """A rule of the business forbids this, for instance a declined card."""


class FFIError(RetryableError):
    """The native module refused a call that the handler made."""


from tasker_core.errors.error_classifier import (  # noqa: E402 - the classifier needs the classes above
    ErrorClassifier,
    get_classifier,
    is_permanent,
    is_retryable,
)
