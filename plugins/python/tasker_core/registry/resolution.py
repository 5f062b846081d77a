"""How handlers are made, and the errors of resolving them."""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import Any

__all__ = ["ResolutionError", "ResolverNotFoundError", "construct"]


class ResolutionError(Exception):
    """A handler is known and could not be made; the cause is chained."""


class ResolverNotFoundError(Exception):
    """A template names a resolver that is not in the chain."""


@lru_cache(maxsize=4096)
def _config_parameter(cls: type) -> str:
    """Whether the constructor takes `config`: no, optional or required."""
    try:
        parameter = inspect.signature(cls).parameters.get("config")
    except (TypeError, ValueError):
        return "no"
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    if parameter is None or parameter.kind not in by_name:
        return "no"
    return "required" if parameter.default is inspect.Parameter.empty else "optional"


def construct(cls: type, initialization: dict[str, Any]) -> Any:
    """A new handler of this class.

    Its constructor gets `config=initialization` if its signature has such a parameter and it is required or there
    is something to give. Whatever the constructor raises is raised.
    """
    takes = _config_parameter(cls)
    if takes == "required" or (takes == "optional" and initialization):
        return cls(config=initialization)
    return cls()
