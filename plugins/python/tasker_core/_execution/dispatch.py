"""From a step's handler entry to the call of a handler, honouring callable, method and resolver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tasker_core.handler import HandlerRegistry
from tasker_core.logging import log_warn
from tasker_core.registry import HandlerDefinition, ResolutionError
from tasker_core.registry.resolution import construct

__all__ = ["Dispatcher", "HandlerNotFoundError"]

Call = Callable[[Any], Any]


class HandlerNotFoundError(Exception):
    """No handler of this process answers to the entry; `retryable`, for another worker may have it."""

    retryable = True


class _Target(NamedTuple):
    cls: type
    method: str
    version: str


class Dispatcher:
    """Makes the handlers of one registry and remembers which class and method an entry means. Thread-safe."""

    def __init__(self, registry: HandlerRegistry) -> None:
        self._registry = registry
        self._targets: dict[tuple[str, str | None, str | None], _Target] = {}
        self._generation = registry.generation

    def call_for(
        self, name: str, method: str | None, resolver: str | None, initialization: dict[str, Any] | None
    ) -> tuple[Call, str]:
        """A new handler's method to call with the context, and the handler's version.

        Raises:
            HandlerNotFoundError: Nothing answers to the entry.
            ResolutionError: A handler exists and could not be made, or lacks the method.
            ResolverNotFoundError: The entry names a resolver that does not exist.
        """
        if self._generation != self._registry.generation:
            self._targets, self._generation = {}, self._registry.generation
        target = self._targets.get((name, method, resolver)) or self._find(name, method, resolver)
        if target is not None:
            try:
                handler = construct(target.cls, initialization or {})
            except Exception as error:
                raise ResolutionError(f"handler '{name}' could not be made: {type(error).__name__}: {error}") from error
            return getattr(handler, target.method), target.version
        definition = HandlerDefinition(name, method, resolver, initialization or {})
        handler = self._registry.resolve_or_raise(definition)
        if handler is None:
            raise HandlerNotFoundError(f"Handler not found: {name}")
        return handler.call, str(getattr(handler, "handler_version", "1.0.0"))

    def _find(self, name: str, method: str | None, resolver: str | None) -> _Target | None:
        explicit = self._registry.resolver_chain.explicit_resolver
        if explicit is None or (resolver and resolver != explicit.name):
            return None
        cls = explicit.entry(name)
        if not isinstance(cls, type):
            return None
        called = method or "call"
        if not callable(getattr(cls, called, None)):
            if not getattr(cls, "_is_functional", False):
                raise ResolutionError(
                    f"handler '{name}' ({cls.__name__}) has no method '{called}', which the template names"
                )
            log_warn(f"functional handler '{name}' has no method '{called}'; its function is called")
            called = "call"
        target = _Target(cls, called, str(getattr(cls, "handler_version", "1.0.0")))
        self._targets[(name, method, resolver)] = target
        return target
