"""Tells the host which handlers this process has, now and whenever that changes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tasker_core import _fork
from tasker_core import _tasker_core as native
from tasker_core._execution.attempt import cancel_by_host
from tasker_core._execution.loop import is_async

if TYPE_CHECKING:
    from tasker_core.handler import HandlerRegistry

_lock = threading.Lock()  # of the two flags; the host is never called with it
_busy = False
_dirty = False
_attached: list[HandlerRegistry] = []
_announced: dict[str, type] = {}
_refused: dict[str, type] = {}  # another plugin has the name
_imports_allowed = True


def connect() -> None:
    """A host runs: gives it the callbacks and all handlers of the attached registry."""
    native._set_cancel_callback(cancel_by_host)
    _announced.clear()
    _refused.clear()
    _set_resolver()
    changed()


def attach(registry: HandlerRegistry, *, imports_allowed: bool = True) -> None:
    """From now on the handlers of `registry` are announced, until `detach`.

    Without any registry whoever polls gets steps of any handler: he ends them by himself.

    `imports_allowed`: callables of templates that nobody registered may be imported by their dotted path.
    """
    global _imports_allowed
    first = not _attached
    _attached.append(registry)
    _imports_allowed = imports_allowed
    if first and _host_listens():
        _set_resolver()
    changed()


def detach(registry: HandlerRegistry) -> None:
    """Takes one `attach` back."""
    if registry in _attached:
        _attached.remove(registry)
    changed()
    if not _attached and _host_listens():
        _set_resolver()


def attached() -> HandlerRegistry | None:
    """The registry whose handlers are announced: the last that was attached."""
    return _attached[-1] if _attached else None


def _host_listens() -> bool:
    return not _fork.dead() and bool(native.is_worker_running())


def _set_resolver() -> None:
    native._set_resolver(can_resolve if _attached else None)


def changed() -> None:
    """Announces what is new in the attached registry and takes back what is gone.

    The host may ask `can_resolve` meanwhile, in this thread or another, which may register more: whoever announces
    then does that too, so that the host ends up with the last state.
    """
    global _busy, _dirty
    if not _host_listens():
        return
    with _lock:
        _dirty = True
        if _busy:
            return
        _busy = True
    try:
        while _take_dirty():
            _announce(attached())
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


def _announce(registry: HandlerRegistry | None) -> None:
    handlers = registry.handler_classes() if registry is not None else {}
    for name in [name for name in _announced if name not in handlers]:
        native._unregister_handler(name)
        del _announced[name]
    for name in [name for name, cls in _refused.items() if handlers.get(name) is not cls]:
        del _refused[name]
    if registry is None:
        return
    new = {name: cls for name, cls in handlers.items() if _announced.get(name) is not cls and name not in _refused}
    try:
        native._register_handlers([_row(name, cls) for name, cls in new.items()])
        _announced.update(new)
    except Exception:
        _announce_each(new)


def _announce_each(new: dict[str, type]) -> None:
    # So that one that is refused keeps no other away from the host, and is not raised again for another.
    refusal: Exception | None = None
    for name, cls in new.items():
        try:
            native._register_handlers([_row(name, cls)])
            _announced[name] = cls
        except Exception as error:
            _refused[name] = cls
            refusal = refusal or error
    if refusal is not None:
        raise refusal


def _row(name: str, cls: type) -> tuple[str, str, int, bool, bool]:
    return (
        name,
        str(getattr(cls, "handler_version", "1.0.0")),
        int(getattr(cls, "max_concurrency", 0)),
        bool(getattr(cls, "idempotent", False)),
        is_async(cls),
    )


def can_resolve(callable_name: str, method: str | None, resolver: str | None) -> bool:
    """The native module's resolver callback: whether this process can handle such steps."""
    registry = attached()
    if registry is None:
        return False
    return registry.can_handle(callable_name, method, resolver, import_allowed=_imports_allowed)


def _renew_lock() -> None:
    global _lock, _busy
    _lock = threading.Lock()
    _busy = False


_fork.on_child(_renew_lock)
