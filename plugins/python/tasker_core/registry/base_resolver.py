"""The interface of resolvers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from tasker_core.registry.handler_definition import HandlerDefinition

__all__ = ["BaseResolver"]


class BaseResolver(ABC):
    """Makes handlers for some definitions; a chain asks its resolvers in the order of `priority`."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Name that a template's `handler.resolver` refers to."""

    @property
    @abstractmethod
    def priority(self) -> int:
        """Lower is asked earlier."""

    @abstractmethod
    def can_resolve(self, definition: HandlerDefinition, config: dict[str, Any] | None = None) -> bool:
        """True if `resolve` would find a handler; makes none."""

    @abstractmethod
    def resolve(self, definition: HandlerDefinition, config: dict[str, Any] | None = None) -> Any | None:
        """A handler for the definition, or None."""

    def resolve_or_raise(self, definition: HandlerDefinition, config: dict[str, Any] | None = None) -> Any | None:
        """As `resolve`, but raises ResolutionError if the handler is known and could not be made."""
        return self.resolve(definition, config)

    def registered_callables(self) -> list[str]:
        """The callables that are known beforehand; empty for open sets."""
        return []
