"""The registry of handlers."""

from __future__ import annotations

import importlib
import os
import pkgutil
import threading
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from tasker_core import _fork
from tasker_core._execution import announce
from tasker_core.event_bridge import EventBridge, EventNames
from tasker_core.logging import log_debug, log_error, log_info, log_warn
from tasker_core.models import HandlerWrapper
from tasker_core.registry import HandlerDefinition, ResolutionError, ResolverChain
from tasker_core.registry.class_lookup import ClassLookupResolver
from tasker_core.step_handler.base import StepHandler
from tasker_core.template_discovery import HandlerDiscovery, TemplatePath

__all__ = ["HandlerRegistry", "HandlerSpec"]

HandlerSpec = str | HandlerDefinition | HandlerWrapper
"""What `resolve` takes: a name, a definition, or an event's handler entry."""


class HandlerRegistry:
    """Knows the handlers by name and makes one for each attempt of a step. Thread-safe.

    `instance()` is the registry of the process. What is registered later, while a worker runs, is announced to
    the host at once.
    """

    _instance: ClassVar[HandlerRegistry | None] = None
    _instance_lock: ClassVar[threading.RLock] = threading.RLock()

    def __init__(self) -> None:
        self._handlers: dict[str, type[StepHandler]] = {}
        self._lock = threading.RLock()
        self._bootstrapped = False
        self.generation = 0
        """Counts the changes, for caches of what was resolved."""
        self.import_failures: dict[str, str] = {}
        """Modules that discovery could not import, and why."""
        self._chain = self._new_chain()

    @classmethod
    def instance(cls, skip_bootstrap: bool = False) -> HandlerRegistry:
        """The registry of the process; the first access runs `bootstrap_handlers` unless told not to."""
        with cls._instance_lock:
            if cls._instance is None:
                cls._instance = cls()
                if not skip_bootstrap:
                    cls._instance.bootstrap_handlers()
            return cls._instance

    @classmethod
    def reset_instance(cls) -> None:
        """Forgets the registry of the process; for tests."""
        with cls._instance_lock:
            cls._instance = None

    @property
    def resolver_chain(self) -> ResolverChain:
        """The resolvers that are asked; add your own with `add_resolver`."""
        return self._chain

    def register(self, name: str, handler_class: type[StepHandler]) -> None:
        """Registers a class by a name; another class of the same name is replaced, with a warning.

        Raises:
            ValueError: It is not a subclass of StepHandler.
        """
        if not (isinstance(handler_class, type) and issubclass(handler_class, StepHandler)):
            raise ValueError(f"handler '{name}' must be a StepHandler subclass, not {handler_class!r}")
        with self._lock:
            old = self._handlers.get(name)
            if old is handler_class:
                return
            self._handlers[name] = handler_class
            explicit = self._chain.explicit_resolver
            if explicit is not None:
                explicit.register(name, handler_class)
        if old is not None:
            log_warn(f"handler '{name}' was {_path(old)} and is {_path(handler_class)} from now on")
        self._changed()
        bridge = EventBridge._instance
        if bridge is not None and bridge.wants(EventNames.HANDLER_REGISTERED):
            bridge.publish(EventNames.HANDLER_REGISTERED, name, handler_class)

    def unregister(self, name: str) -> bool:
        """True if the name was registered."""
        with self._lock:
            known = self._handlers.pop(name, None) is not None
            explicit = self._chain.explicit_resolver
            if explicit is not None:
                explicit.unregister(name)
        if known:
            self._changed()
        return known

    def clear(self) -> None:
        """Forgets all handlers and resolvers."""
        with self._lock:
            self._handlers.clear()
            self._bootstrapped = False
            self._chain = self._new_chain()
            self.import_failures.clear()
        self._changed()

    def get_handler_class(self, name: str) -> type[StepHandler] | None:
        """The class of a name, or None."""
        return self._handlers.get(name)

    def is_registered(self, name: str) -> bool:
        """True if a class of that name is registered."""
        return name in self._handlers

    def list_handlers(self) -> list[str]:
        """All registered names."""
        with self._lock:
            return list(self._handlers)

    def handler_count(self) -> int:
        """How many names are registered."""
        return len(self._handlers)

    def handler_classes(self) -> dict[str, type]:
        """All registered names and what they stand for, those of the explicit resolver included."""
        with self._lock:
            found: dict[str, type] = dict(self._handlers)
            explicit = self._chain.explicit_resolver
            for name in explicit.registered_callables() if explicit is not None else []:
                entry = explicit.entry(name) if explicit is not None else None
                found.setdefault(name, entry if isinstance(entry, type) else type(entry))
            return found

    def resolve(self, handler_spec: HandlerSpec) -> Any | None:
        """A handler, called by the method that the definition names; None if there is none or it cannot be made.

        Raises:
            ResolverNotFoundError: The definition names a resolver that is not in the chain.
        """
        definition = definition_of(handler_spec)
        handler = self._chain.resolve(definition)
        return None if handler is None else self._chain.wrap_for_method_dispatch(handler, definition)

    def resolve_or_raise(self, definition: HandlerDefinition) -> Any | None:
        """As `resolve`, but a handler that exists and cannot be made raises ResolutionError."""
        handler = self._chain.resolve_or_raise(definition)
        if handler is None:
            return None
        wrapped = self._chain.wrap_for_method_dispatch(handler, definition)
        if wrapped is None:
            raise ResolutionError(
                f"handler '{definition.callable}' ({type(handler).__name__}) has no method "
                f"'{definition.effective_method()}', which the template names"
            )
        return wrapped

    def can_handle(self, callable_name: str, method: str | None, resolver: str | None, *, import_allowed: bool) -> bool:
        """True if a step with this handler entry can be handled here.

        A dotted path that nobody registered is imported if that is allowed.
        """
        definition = HandlerDefinition(callable_name, method or None, resolver or None)
        if definition.resolver:
            return self._chain.can_resolve(definition)
        if self.is_registered(callable_name):
            return True
        # A dotted path is not asked of ClassLookupResolver, which says yes without looking.
        if any(
            resolver.can_resolve(definition)
            for resolver in self._chain.resolvers()
            if not isinstance(resolver, ClassLookupResolver)
        ):
            return True
        return import_allowed and self._register_dotted(callable_name)

    def discover_handlers(self, package_name: str, base_class: type[StepHandler] | None = None) -> int:
        """Imports a package with its submodules and registers every handler in it.

        Args:
            package_name: Dotted name of a package or module.
            base_class: Only its subclasses are registered; StepHandler unless given.

        Returns:
            How many registrations were made; 0 if the package cannot be imported, which is logged and kept in
            `import_failures`, as for submodules.
        """
        try:
            package = importlib.import_module(package_name)
        except (Exception, SystemExit) as error:
            self._import_failed(package_name, error)
            return 0
        self.import_failures.pop(package_name, None)
        base = base_class or StepHandler
        count = self._scan_module_for_handlers(package, base)
        path = getattr(package, "__path__", None)
        if path is not None:
            for info in pkgutil.walk_packages(path, package.__name__ + ".", onerror=self._walk_failed):
                try:
                    module = importlib.import_module(info.name)
                except (Exception, SystemExit) as error:
                    self._import_failed(info.name, error)
                    continue
                self.import_failures.pop(info.name, None)
                count += self._scan_module_for_handlers(module, base)
        log_info(f"{count} handler registrations in package '{package_name}'")
        return count

    def bootstrap_handlers(self) -> int:
        """Once: imports the dotted callables that the templates on disk name; returns how many were registered."""
        with self._lock:
            if self._bootstrapped:
                return 0
            self._bootstrapped = True
        folder = self._determine_template_path()
        if folder is None:
            return 0
        return sum(self._register_dotted(name) for name in HandlerDiscovery.discover_all_handlers(folder))

    def forget_discovery(self) -> None:
        """The next start discovers anew: `bootstrap_handlers` runs again, and import failures are forgotten."""
        with self._lock:
            self._bootstrapped = False
            self.import_failures.clear()

    def template_discovery_info(self) -> dict[str, Any]:
        """Where templates were looked for and what they name; for debugging."""
        folder = self._determine_template_path()
        return {
            "template_path": str(folder) if folder else None,
            "template_files": [str(p) for p in TemplatePath.discover_template_files(folder)] if folder else [],
            "discovered_handlers": HandlerDiscovery.discover_all_handlers(folder) if folder else [],
            "handlers_by_namespace": HandlerDiscovery.discover_handlers_by_namespace(folder) if folder else {},
            "environment": os.environ.get("TASKER_ENV", "development"),
            "bootstrapped": self._bootstrapped,
        }

    def _determine_template_path(self) -> Path | None:
        return TemplatePath.find_template_config_directory()

    def _scan_module_for_handlers(self, module: ModuleType, base_class: type[StepHandler] = StepHandler) -> int:
        count = 0
        for attribute in dir(module):
            cls = _handler_class_of(getattr(module, attribute, None))
            if cls is not None and issubclass(cls, base_class) and cls is not base_class and cls.handler_name:
                self.register(cls.handler_name, cls)
                count += 1
        return count

    def _register_dotted(self, path: str) -> bool:
        module_name, _, attribute = path.rpartition(".")
        if not module_name or self.is_registered(path) or module_name in self.import_failures:
            return False
        try:
            module = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            if error.name and (module_name + ".").startswith(error.name + "."):
                log_debug(f"handler '{path}' is not in a module of this environment")
            else:
                self._import_failed(module_name, error)
            return False
        except (Exception, SystemExit) as error:
            self._import_failed(module_name, error)
            return False
        cls = _handler_class_of(getattr(module, attribute, None))
        if cls is None:
            return False
        self.register(path, cls)
        if cls.handler_name and not self.is_registered(cls.handler_name):
            self.register(cls.handler_name, cls)
        return True

    def _walk_failed(self, module_name: str) -> None:
        log_debug(f"the submodules of '{module_name}' are not scanned: it cannot be imported")

    def _import_failed(self, module_name: str, error: BaseException) -> None:
        self.import_failures[module_name] = f"{type(error).__name__}: {error}"
        log_error(f"module '{module_name}' could not be imported: {self.import_failures[module_name]}")

    def _new_chain(self) -> ResolverChain:
        chain = ResolverChain.default()
        chain._on_change = self._changed
        return chain

    def _changed(self) -> None:
        self.generation += 1
        if announce.attached() is self:
            announce.changed()


def definition_of(spec: HandlerSpec) -> HandlerDefinition:
    """The definition that a handler spec stands for."""
    if isinstance(spec, HandlerDefinition):
        return spec
    if isinstance(spec, HandlerWrapper):
        return HandlerDefinition(spec.callable, spec.handler_method, spec.resolver, spec.initialization)
    return HandlerDefinition.from_callable(spec)


def _handler_class_of(found: Any) -> type[StepHandler] | None:
    # A function of the functional DSL carries the class that was generated for it.
    if not isinstance(found, type):
        found = getattr(found, "_handler_class", None) if callable(found) else None
    return found if isinstance(found, type) and issubclass(found, StepHandler) else None


def _path(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _renew_locks() -> None:
    HandlerRegistry._instance_lock = threading.RLock()
    if HandlerRegistry._instance is not None:
        HandlerRegistry._instance._lock = threading.RLock()


_fork.on_child(_renew_locks)
