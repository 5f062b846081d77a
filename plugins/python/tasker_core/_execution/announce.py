"""Tells the host which handlers this process has, now and whenever that changes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tasker_core import _fork
from tasker_core import _tasker_core as native
from tasker_core._execution.attempt import cancel_by_host

if TYPE_CHECKING:
    from tasker_core.handler import HandlerRegistry

_lock = threading.Lock()  # of the two flags; the host is never called with it
_busy = False
_dirty = False
_registry: HandlerRegistry | None = None
_announced: dict[str, type] = {}
_imports_allowed = True
_pollers = 0


def connect() -> None:
    """A host runs: gives it the callbacks and all handlers of the attached registry."""
    native._set_cancel_callback(cancel_by_host)
    native._set_resolver(can_resolve)
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
    """Announces what is new in the attached registry and takes back what is gone.

    The host may ask `can_resolve` meanwhile, in this thread or another, which may register more: whoever announces
    then does that too, so that the host ends up with the last state.
    """
    global _busy, _dirty
    if _registry is None or _fork.dead() or not native.is_worker_running():
        return
    with _lock:
        _dirty = True
        if _busy:
            return
        _busy = True
    try:
        while _take_dirty():
            _announce(_registry)
    except BaseException:
        with _lock:
            _busy = False
        raise


def _take_dirty() -> bool:
    global _busy, _dirty
    with _lock:
        was, _dirty = _dirty, False
        _busy = was
        return was


def _announce(registry: HandlerRegistry) -> None:
    handlers = registry.handler_classes()
    for name in [name for name in _announced if name not in handlers]:
        native._unregister_handler(name)
        del _announced[name]
    new = {name: cls for name, cls in handlers.items() if _announced.get(name) is not cls}
    _announced.update(new)
    native._register_handlers(
        [
            (
                name,
                str(getattr(cls, "handler_version", "1.0.0")),
                int(getattr(cls, "max_concurrency", 0)),
                bool(getattr(cls, "idempotent", False)),
            )
            for name, cls in new.items()
        ]
    )


def can_resolve(callable_name: str, method: str | None, resolver: str | None) -> bool:
    """The native module's resolver callback: whether this process can handle such steps."""
    registry = _registry
    if registry is None:
        return _pollers > 0
    return registry.can_handle(callable_name, method, resolver, import_allowed=_imports_allowed)


def poller_started() -> None:
    """An EventPoller runs. Where no registry is attached, its callbacks take steps of any handler."""
    global _pollers
    _pollers += 1
    if _registry is None and not _fork.dead() and native.is_worker_running():
        native._register_handlers([])  # The host asks again for the handlers that it knows.


def poller_stopped() -> None:
    """It ended."""
    global _pollers
    _pollers -= 1


def _renew_lock() -> None:
    global _lock, _busy
    _lock = threading.Lock()
    _busy = False


_fork.on_child(_renew_lock)
