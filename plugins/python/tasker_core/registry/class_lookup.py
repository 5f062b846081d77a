"""Resolver for dotted paths of classes."""

from __future__ import annotations

import importlib
import re
from typing import Any

from tasker_core.logging import log_warn
from tasker_core.registry.base_resolver import BaseResolver
from tasker_core.registry.handler_definition import HandlerDefinition
from tasker_core.registry.resolution import ResolutionError, construct

__all__ = ["ClassLookupResolver"]

_DOTTED_CLASS = re.compile(r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*\.[A-Z]\w*$")


class ClassLookupResolver(BaseResolver):
    """Imports `package.module.ClassName` and instantiates the class for each step."""

    @property
    def name(self) -> str:
        """class_lookup."""
        return "class_lookup"

    @property
    def priority(self) -> int:
        """100: asked last."""
        return 100

    def can_resolve(self, definition: HandlerDefinition, config: dict[str, Any] | None = None) -> bool:
        """True if the callable is a dotted path whose last part starts with a capital letter."""
        return bool(_DOTTED_CLASS.match(definition.callable))

    def resolve(self, definition: HandlerDefinition, config: dict[str, Any] | None = None) -> Any | None:
        """A handler, or None; a class that exists and could not be made is logged."""
        if not self.can_resolve(definition, config):
            return None
        cls = self._import_class(definition.callable)
        return None if cls is None else self._instantiate_handler(cls, definition)

    def resolve_or_raise(self, definition: HandlerDefinition, config: dict[str, Any] | None = None) -> Any | None:
        """A handler, or None if no such class exists; ResolutionError if it could not be imported or made."""
        if not self.can_resolve(definition, config):
            return None
        cls = import_class(definition.callable)
        return None if cls is None else _make(cls, definition)

    def _import_class(self, path: str) -> type | None:
        try:
            return import_class(path)
        except ResolutionError as error:
            log_warn(str(error))
            return None

    def _instantiate_handler(self, cls: type, definition: HandlerDefinition) -> Any | None:
        try:
            return _make(cls, definition)
        except ResolutionError as error:
            log_warn(str(error))
            return None


def _make(cls: type, definition: HandlerDefinition) -> Any:
    try:
        return construct(cls, definition.initialization)
    except Exception as error:
        raise ResolutionError(
            f"handler '{definition.callable}' could not be made: {type(error).__name__}: {error}"
        ) from error


def import_class(path: str) -> type | None:
    """The class of a dotted path, or None if its module or the class does not exist.

    Raises:
        ResolutionError: The module exists, and importing it failed.
    """
    module_name, _, class_name = path.rpartition(".")
    if not module_name:
        return None
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and (module_name == error.name or module_name.startswith(error.name + ".")):
            return None
        raise ResolutionError(
            f"module '{module_name}' of handler '{path}' needs {error.name}, which is missing"
        ) from error
    except Exception as error:
        raise ResolutionError(
            f"module '{module_name}' of handler '{path}' could not be imported: {type(error).__name__}: {error}"
        ) from error
    found = getattr(module, class_name, None)
    return found if isinstance(found, type) else None
