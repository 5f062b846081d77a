"""Whether an exception is worth another attempt."""

from __future__ import annotations

from typing import Any

from tasker_core.errors import PermanentError, RetryableError

__all__ = ["ErrorClassifier", "get_classifier", "is_permanent", "is_retryable"]

_PERMANENT: tuple[type[BaseException], ...] = (
    PermanentError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    IndexError,
    AssertionError,
    SyntaxError,
    NameError,
    ImportError,
    NotImplementedError,
)
_RETRYABLE: tuple[type[BaseException], ...] = (RetryableError, ConnectionError, TimeoutError, OSError)


class ErrorClassifier:
    """Decides from an exception whether another attempt may succeed.

    The first rule that applies decides: a boolean attribute `retryable` of the exception, the classes that are
    permanent (`PermanentError` and programming mistakes such as `TypeError`), the classes that are retryable
    (`RetryableError`, connection and operating system errors), and last `default_retryable`.
    """

    def __init__(self, *, default_retryable: bool = True) -> None:
        self._default_retryable = default_retryable

    def retryable(self, exc: BaseException) -> bool:
        """True if another attempt may succeed."""
        return self._verdict(exc)[0]

    def permanent(self, exc: BaseException) -> bool:
        """True if no further attempt can succeed."""
        return not self.retryable(exc)

    def classify(self, exc: BaseException) -> dict[str, Any]:
        """`error_type` (the class name), `retryable` and `classification`, the name of the rule that decided.

        The rules are `explicit_attribute`, `permanent_class`, `retryable_class` and `default`.
        """
        retryable, rule = self._verdict(exc)
        return {"error_type": type(exc).__name__, "retryable": retryable, "classification": rule}

    def _verdict(self, exc: BaseException) -> tuple[bool, str]:
        explicit = getattr(exc, "retryable", None)
        if isinstance(explicit, bool):
            return explicit, "explicit_attribute"
        if isinstance(exc, _PERMANENT):
            return False, "permanent_class"
        if isinstance(exc, _RETRYABLE):
            return True, "retryable_class"
        return self._default_retryable, "default"


_default_classifier: ErrorClassifier | None = None


def get_classifier() -> ErrorClassifier:
    """The classifier of the process, made on first use."""
    global _default_classifier
    if _default_classifier is None:
        _default_classifier = ErrorClassifier()
    return _default_classifier


def is_retryable(exc: BaseException) -> bool:
    """True if another attempt may succeed, by the classifier of the process."""
    return get_classifier().retryable(exc)


def is_permanent(exc: BaseException) -> bool:
    """True if no further attempt can succeed, by the classifier of the process."""
    return get_classifier().permanent(exc)
