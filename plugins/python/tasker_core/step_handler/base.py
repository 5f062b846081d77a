"""The base class of handlers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable
from typing import Any, ClassVar

from tasker_core.types.events import StepContext
from tasker_core.types.results import ErrorType, StepHandlerResult

__all__ = ["StepHandler"]

Returned = StepHandlerResult | dict[str, Any]


class StepHandler(ABC):
    """A handler of steps: subclass it, give it a `handler_name` and implement `call`.

    A new instance is made for every attempt, and instances of a class may run at the same time in several threads;
    set `max_concurrency = 1` if the handler's module keeps state that is not thread-safe.

    Example:
        >>> class ValidateOrder(StepHandler):
        ...     handler_name = "validate_order"
        ...
        ...     def call(self, context):
        ...         if not context.get_input("items"):
        ...             raise ValidationError("the order has no items")
        ...         return self.success({"valid": True})
    """

    handler_name: str = ""
    """Name that templates call the handler by."""
    handler_version: str = "1.0.0"
    """Kept with the result of every step."""
    max_concurrency: ClassVar[int] = 0
    """Steps of this handler that may run at once on this worker; 0 for no limit of its own."""
    idempotent: ClassVar[bool] = False
    """True if a further attempt may start while one that timed out may still run."""

    @abstractmethod
    def call(self, context: StepContext) -> Returned | Awaitable[Returned]:
        """Handles one attempt of a step; a plain method, or `async def`.

        Returns:
            `self.success(...)` or `self.failure(...)`. A dict counts as `self.success(dict)`.

        Raises:
            RetryableError: The attempt failed, and another may succeed.
            PermanentError: No attempt can succeed.
        """

    @property
    def name(self) -> str:
        """`handler_name`, or the class's name."""
        return self.handler_name or type(self).__name__

    @property
    def version(self) -> str:
        """`handler_version`."""
        return self.handler_version

    @property
    def capabilities(self) -> list[str]:
        """What kind of handler it is."""
        return ["process"]

    def config_schema(self) -> dict[str, Any] | None:
        """JSON schema of the handler's `initialization`, or None."""
        return None

    def success(
        self, result: dict[str, Any] | None = None, metadata: dict[str, Any] | None = None
    ) -> StepHandlerResult:
        """The step succeeded: dependent steps read `result`; `metadata` is kept with the attempt."""
        return StepHandlerResult.success({} if result is None else result, metadata)

    def failure(
        self,
        message: str,
        error_type: str | ErrorType = "handler_error",
        retryable: bool = True,
        metadata: dict[str, Any] | None = None,
        error_code: str | None = None,
    ) -> StepHandlerResult:
        """The attempt failed; `retryable` says whether another may succeed.

        `metadata["retry_after"]`, in seconds, delays the next attempt.
        """
        return StepHandlerResult.failure(message, error_type, retryable, metadata, error_code)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, version={self.version!r})"
