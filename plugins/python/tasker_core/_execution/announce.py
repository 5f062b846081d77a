"""Tells the host which handlers this process has, now and whenever that changes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tasker_core import _fork
from tasker_core import _tasker_core as native
from tasker_core._execution.attempt import cancel_by_host

if TYPE_CHECKING:
    from tasker_core.handler import HandlerRegistry

_lock = threading.Lock()
_registry: HandlerRegistry | None = None
_announced: dict[str, type] = {}
_imports_allowed = True


def connect() -> None:
    """A host runs: gives it the callbacks and all handlers of the attached registry."""
    native._set_cancel_callback(cancel_by_host)
    native._set_resolver(can_resolve)
    with _lock:
        _announced.clear()
    changed()


def attach(registry: HandlerRegistry, *, imports_allowed: bool = True) -> None:
    """From now on the handlers of `registry` are announced.

    `imports_allowed`: callables of templates that nobody registered may be imported by their dotted path.
    """
    global _registry, _imports_allowed
    _registry, _imports_allowed = registry, imports_allowed
    changed()


def is_attached(registry: HandlerRegistry) -> bool:
    """True if it is this registry whose handlers are announced."""
    return registry is _registry


def changed() -> None:
    """Announces what is new in the attached registry and takes back what is gone."""
    registry = _registry
    if registry is None or _fork.dead() or not native.is_worker_running():
        return
    # One announcement at a time, so that the host ends up with the last state.
    with _lock:
        handlers = registry.handler_classes()
        gone = [name for name in _announced if name not in handlers]
        new = [(name, cls) for name, cls in handlers.items() if _announced.get(name) is not cls]
        for name in gone:
            native._unregister_handler(name)
        native._register_handlers(
            [
                (
                    name,
                    str(getattr(cls, "handler_version", "1.0.0")),
                    int(getattr(cls, "max_concurrency", 0)),
                    bool(getattr(cls, "idempotent", False)),
                )
                for name, cls in new
            ]
        )
        _announced.clear()
        _announced.update(handlers)


def can_resolve(callable_name: str, method: str | None, resolver: str | None) -> bool:
    """The native module's resolver callback: whether this process can handle such steps."""
    registry = _registry
    return registry is not None and registry.can_handle(
        callable_name, method, resolver, import_allowed=_imports_allowed
    )


def _renew_lock() -> None:
    global _lock
    _lock = threading.Lock()


_fork.on_child(_renew_lock)
