"""Base class of an application's own resolvers."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from tasker_core.registry.base_resolver import BaseResolver
from tasker_core.registry.handler_definition import HandlerDefinition

__all__ = ["RegistryResolver"]


class RegistryResolver(BaseResolver):
    """Resolves the callables that match `pattern` or start with `prefix`; override `resolve_handler`.

    Example:
        >>> class Payments(RegistryResolver):
        ...     _name = "payments"
        ...     prefix = "payments."
        ...
        ...     def resolve_handler(self, definition, config):
        ...         return PaymentHandler(definition.callable)
        >>> HandlerRegistry.instance().resolver_chain.add_resolver(Payments())
    """

    _name: ClassVar[str] = "custom_resolver"
    _priority: ClassVar[int] = 50
    pattern: ClassVar[str | re.Pattern[str] | None] = None
    """Regular expression that the beginning of the callable matches."""
    prefix: ClassVar[str | None] = None
    """What the callable starts with."""

    @property
    def name(self) -> str:
        """The class's `_name`."""
        return self._name

    @property
    def priority(self) -> int:
        """The class's `_priority`, 50 unless set."""
        return self._priority

    def can_resolve(self, definition: HandlerDefinition, config: dict[str, Any] | None = None) -> bool:
        """True if the callable matches `pattern` or starts with `prefix`."""
        return self._match_pattern(definition.callable)

    def resolve(self, definition: HandlerDefinition, config: dict[str, Any] | None = None) -> Any | None:
        """What `resolve_handler` returns for a callable that matches, else None."""
        if not self.can_resolve(definition, config):
            return None
        return self.resolve_handler(definition, config)

    def resolve_handler(self, definition: HandlerDefinition, config: dict[str, Any] | None = None) -> Any | None:
        """A handler for a callable that matches; to be overridden."""
        raise NotImplementedError(f"{type(self).__name__} must implement resolve_handler")

    def _match_pattern(self, callable_name: str) -> bool:
        if self.pattern is not None and re.match(self.pattern, callable_name):
            return True
        return self.prefix is not None and callable_name.startswith(self.prefix)
