"""The handler entry of a template's step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["HandlerDefinition"]


@dataclass
class HandlerDefinition:
    """What a template says about a step's handler.

    Attributes:
        callable: Name that the handler was registered by, or a dotted path.
        handler_method: Method to call instead of `call`.
        resolver: The only resolver that may resolve it, by name.
        initialization: Configuration, `context.step_config` in the handler.
    """

    callable: str
    handler_method: str | None = None
    resolver: str | None = None
    initialization: dict[str, Any] = field(default_factory=dict)

    def effective_method(self) -> str:
        """The method to call: `handler_method`, or `call`."""
        return self.handler_method or "call"

    def uses_method_dispatch(self) -> bool:
        """True if a method other than `call` is named."""
        return bool(self.handler_method) and self.handler_method != "call"

    def has_resolver_hint(self) -> bool:
        """True if a resolver is named."""
        return bool(self.resolver)

    @classmethod
    def from_callable(cls, callable: str) -> HandlerDefinition:
        """The definition that names only a callable."""
        return cls(callable=callable)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> HandlerDefinition:
        """The definition of a template's `handler` mapping, whose key for the method is `method`."""
        return cls(
            callable=data.get("callable") or "",
            handler_method=data.get("method"),
            resolver=data.get("resolver"),
            initialization=data.get("initialization") or {},
        )
