"""A handler that is called by another method than `call`."""

from __future__ import annotations

from typing import Any

__all__ = ["MethodDispatchWrapper"]


class MethodDispatchWrapper:
    """Stands for a handler; its `call` is the handler's method of the given name, sync or async.

    Raises:
        AttributeError: The handler has no such method.
    """

    def __init__(self, handler: Any, method: str) -> None:
        if not callable(getattr(handler, method, None)):
            raise AttributeError(f"{type(handler).__name__} has no method '{method}'")
        self._handler = handler
        self._target_method = method

    @property
    def handler(self) -> Any:
        """The handler itself."""
        return self._handler

    @property
    def target_method(self) -> str:
        """Name of the method that `call` calls."""
        return self._target_method

    def call(self, context: Any) -> Any:
        """Calls the method; of an async method the awaitable is returned, to be awaited by the caller."""
        return getattr(self._handler, self._target_method)(context)

    def unwrap(self) -> Any:
        """The handler itself."""
        return self._handler

    def __getattr__(self, name: str) -> Any:
        if name == "_handler":
            raise AttributeError(name)
        return getattr(self._handler, name)

    def __repr__(self) -> str:
        return f"MethodDispatchWrapper({self._handler!r}, method={self._target_method!r})"
