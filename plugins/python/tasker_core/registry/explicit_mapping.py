"""Resolver for handlers that were registered by name."""

from __future__ import annotations

import threading
from typing import Any

from tasker_core.logging import log_warn
from tasker_core.registry.base_resolver import BaseResolver
from tasker_core.registry.handler_definition import HandlerDefinition
from tasker_core.registry.resolution import ResolutionError, construct

__all__ = ["ExplicitMappingResolver"]


class ExplicitMappingResolver(BaseResolver):
    """Maps names to handler classes, factories or instances. Thread-safe.

    A class is instantiated for each step, a factory (a callable without a method `call`) is called with the
    configuration for each step, and an instance is shared by all steps.
    """

    def __init__(self, name: str = "explicit_mapping") -> None:
        self._name = name
        self._handlers: dict[str, Any] = {}
        self._lock = threading.RLock()

    @property
    def name(self) -> str:
        """Name that a template's `handler.resolver` refers to."""
        return self._name

    @property
    def priority(self) -> int:
        """10: asked first."""
        return 10

    def register(self, key: str, handler: Any) -> None:
        """Registers a class, a factory or an instance; the last registration of a name counts."""
        with self._lock:
            self._handlers[key] = handler

    def unregister(self, key: str) -> bool:
        """True if the name was registered."""
        with self._lock:
            return self._handlers.pop(key, None) is not None

    def entry(self, key: str) -> Any | None:
        """What was registered by that name, or None."""
        return self._handlers.get(key)

    def registered_callables(self) -> list[str]:
        """All registered names."""
        with self._lock:
            return list(self._handlers)

    def can_resolve(self, definition: HandlerDefinition, config: dict[str, Any] | None = None) -> bool:
        """True if the callable is registered."""
        return definition.callable in self._handlers

    def resolve(self, definition: HandlerDefinition, config: dict[str, Any] | None = None) -> Any | None:
        """A handler, or None if the name is unknown or its handler could not be made (which is logged)."""
        try:
            return self.resolve_or_raise(definition, config)
        except ResolutionError as error:
            log_warn(str(error))
            return None

    def resolve_or_raise(self, definition: HandlerDefinition, config: dict[str, Any] | None = None) -> Any | None:
        """A handler, or None if the name is unknown; ResolutionError if its handler could not be made."""
        entry = self._handlers.get(definition.callable)
        if entry is None:
            return None
        try:
            if isinstance(entry, type):
                return construct(entry, definition.initialization)
            if callable(entry) and not hasattr(entry, "call"):
                return entry(config if config is not None else definition.initialization)
        except Exception as error:
            raise ResolutionError(
                f"handler '{definition.callable}' could not be made: {type(error).__name__}: {error}"
            ) from error
        return entry
