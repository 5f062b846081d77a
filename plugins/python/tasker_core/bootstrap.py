"""Starting and stopping the host in this process, by hand.

`Worker.start` does this and runs the handlers. A host that was started by `bootstrap_worker` alone takes no step
until something consumes them: a `StepExecutionSubscriber` with an `EventPoller`, or `poll_step_events`.
"""

from __future__ import annotations

from typing import Any

from tasker_core import _fork
from tasker_core._execution import announce, tally
from tasker_core._tasker_core import _world
from tasker_core._tasker_core import bootstrap_worker as _bootstrap_worker
from tasker_core._tasker_core import get_worker_status as _get_worker_status
from tasker_core._tasker_core import is_worker_running as _is_worker_running
from tasker_core._tasker_core import stop_worker as _stop_worker
from tasker_core._tasker_core import (
    transition_to_graceful_shutdown as _transition_to_graceful_shutdown,
)
from tasker_core.types import BootstrapConfig, BootstrapResult, WorkerStatus

__all__ = [
    "bootstrap_worker",
    "get_worker_status",
    "is_worker_running",
    "stop_worker",
    "transition_to_graceful_shutdown",
]


def bootstrap_worker(config: BootstrapConfig | None = None) -> BootstrapResult:
    """Starts the host in this process.

    Args:
        config: Name, namespace, configuration file and log level. What it leaves unsaid is as the configuration
            file or the default says; the defaults need no configuration.

    Returns:
        `success` is True if this call started it; status `already_running` if it ran before.

    Raises:
        RuntimeError: It could not start, or this process was forked from one that had the store open.
    """
    return start_host(config.model_dump(exclude_unset=True) if config is not None else None)


def start_host(settings: dict[str, Any] | None) -> BootstrapResult:
    """As `bootstrap_worker`, from the plain settings of the native module."""
    _fork.refuse_in_child("bootstrap_worker()")
    answer = _bootstrap_worker(settings)
    status = answer.get("status") or ""
    if status == "started" or _world() == "embedded":
        _fork.note_open("worker")
    if status in ("started", "already_running"):
        announce.connect()
    if status == "started":
        tally.tallies.begin()
    return BootstrapResult(
        success=status == "started",
        handle_id=answer.get("handle_id") or "",
        worker_id=answer.get("worker_id") or "",
        status=status,
        message=answer.get("message"),
        error_message=answer.get("error_message"),
    )


def stop_worker() -> str:
    """Stops the host of this process and says what it did; never raises because none runs.

    Raises:
        RuntimeError: A handler still ran at the drain deadline (the host is stopped all the same), or the host
            belongs to tasker-host.
    """
    return stop_host(None)


def stop_host(drain_s: float | None) -> str:
    """As `stop_worker`, with `drain_s` seconds for running handlers instead of the configured time."""
    if _fork.dead():
        return "Worker system not running"
    try:
        return _stop_worker() if drain_s is None else _stop_worker(drain_s)
    finally:
        if not _is_worker_running():
            _fork.note_closed("worker")


def get_worker_status() -> WorkerStatus:
    """Whether a host runs in this process, and with what."""
    answer = dict(_get_worker_status())
    answer.setdefault("running", False)
    return WorkerStatus.model_validate(answer)


def transition_to_graceful_shutdown() -> str:
    """Takes no further steps and lets running handlers finish; `stop_worker` ends the host.

    Raises:
        RuntimeError: No host runs.
    """
    return _transition_to_graceful_shutdown()


def is_worker_running() -> bool:
    """True if a host runs in this process."""
    return not _fork.dead() and bool(_is_worker_running())
