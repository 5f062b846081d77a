"""The resolvers of a registry, in the order in which they are asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from tasker_core.logging import log_warn
from tasker_core.registry.base_resolver import BaseResolver
from tasker_core.registry.class_lookup import ClassLookupResolver
from tasker_core.registry.explicit_mapping import ExplicitMappingResolver
from tasker_core.registry.handler_definition import HandlerDefinition
from tasker_core.registry.method_dispatch import MethodDispatchWrapper
from tasker_core.registry.resolution import ResolverNotFoundError

__all__ = ["ResolverChain"]


class ResolverChain:
    """Asks its resolvers, lowest priority number first; a definition that names a resolver asks only that one."""

    def __init__(self) -> None:
        self._resolvers: list[BaseResolver] = []
        self._lock = threading.RLock()
        self._on_change: Callable[[], None] | None = None

    @classmethod
    def default(cls) -> ResolverChain:
        """A chain of the registered handlers and the dotted class paths."""
        return cls().add_resolver(ExplicitMappingResolver()).add_resolver(ClassLookupResolver())

    def add_resolver(self, resolver: BaseResolver) -> ResolverChain:
        """Adds a resolver and returns the chain."""
        with self._lock:
            self._resolvers = sorted([*self._resolvers, resolver], key=lambda r: r.priority)
        self._changed()
        return self

    def remove_resolver(self, name: str) -> bool:
        """True if a resolver of that name was there."""
        with self._lock:
            kept = [resolver for resolver in self._resolvers if resolver.name != name]
            removed = len(kept) != len(self._resolvers)
            self._resolvers = kept
        if removed:
            self._changed()
        return removed

    def get_resolver(self, name: str) -> BaseResolver | None:
        """The resolver of that name, or None."""
        return next((resolver for resolver in self._resolvers if resolver.name == name), None)

    @property
    def explicit_resolver(self) -> ExplicitMappingResolver | None:
        """The resolver that names are registered with, or None if it was removed."""
        return next((r for r in self._resolvers if isinstance(r, ExplicitMappingResolver)), None)

    def resolve(self, definition: HandlerDefinition, config: dict[str, Any] | None = None) -> Any | None:
        """The first handler that a resolver makes, or None.

        Raises:
            ResolverNotFoundError: The definition names a resolver that is not here.
        """
        for resolver in self._candidates(definition):
            if resolver.can_resolve(definition, config):
                handler = resolver.resolve(definition, config)
                if handler is not None:
                    return handler
        return None

    def resolve_or_raise(self, definition: HandlerDefinition, config: dict[str, Any] | None = None) -> Any | None:
        """As `resolve`, but raises ResolutionError if a handler is known and could not be made."""
        for resolver in self._candidates(definition):
            if resolver.can_resolve(definition, config):
                handler = resolver.resolve_or_raise(definition, config)
                if handler is not None:
                    return handler
        return None

    def can_resolve(self, definition: HandlerDefinition, config: dict[str, Any] | None = None) -> bool:
        """True if one of the resolvers says that it can; False for an unknown resolver."""
        try:
            candidates = self._candidates(definition)
        except ResolverNotFoundError:
            return False
        return any(resolver.can_resolve(definition, config) for resolver in candidates)

    def registered_callables(self) -> list[str]:
        """All callables that the resolvers know beforehand."""
        return sorted({name for resolver in self._resolvers for name in resolver.registered_callables()})

    def resolvers(self) -> list[BaseResolver]:
        """The resolvers in the order of asking."""
        return list(self._resolvers)

    def resolver_names(self) -> list[str]:
        """Names in the order of asking."""
        return [resolver.name for resolver in self._resolvers]

    def list_resolvers(self) -> list[tuple[str, int]]:
        """Pairs of name and priority in the order of asking."""
        return [(resolver.name, resolver.priority) for resolver in self._resolvers]

    def wrap_for_method_dispatch(self, handler: Any, definition: HandlerDefinition) -> Any | None:
        """The handler, wrapped if the definition names a method; None, with a warning, if it has no such method.

        A handler of the functional DSL has only `call` and is called by it whatever the method.
        """
        method = definition.effective_method()
        if method == "call" or isinstance(handler, MethodDispatchWrapper):
            return handler
        if callable(getattr(handler, method, None)):
            return MethodDispatchWrapper(handler, method)
        if getattr(handler, "_is_functional", False):
            log_warn(f"functional handler '{definition.callable}' has no method '{method}'; its function is called")
            return handler
        log_warn(f"handler '{definition.callable}' has no method '{method}'")
        return None

    def _candidates(self, definition: HandlerDefinition) -> list[BaseResolver]:
        if not definition.resolver:
            return self._resolvers
        resolver = self.get_resolver(definition.resolver)
        if resolver is None:
            raise ResolverNotFoundError(f"Unknown resolver: '{definition.resolver}'")
        return [resolver]

    def _changed(self) -> None:
        if self._on_change is not None:
            self._on_change()
