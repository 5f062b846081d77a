"""Tasker Host for Python: durable workflows whose steps are Python handlers.

Three lines run a worker in this process:

    >>> from tasker_core import Worker
    >>> worker = Worker.start(handler_packages=["app.handlers"])
    >>> worker.stop()

Handlers are subclasses of `StepHandler`, or functions with the decorators of `tasker_core.step_handler`.
`TaskerClient` creates and reads tasks. `tasker_core.testing` tests handlers and workflows.
"""

from __future__ import annotations

from tasker_core._version import __version__

try:
    from tasker_core import _tasker_core as _native
except ImportError as _error:
    raise ImportError(
        f"tasker_core has no native module for this interpreter ({_error}): install it with `pip install tasker-host`, "
        "or run the handlers under tasker-host"
    ) from _error
if _native.get_version() != __version__:
    raise ImportError(
        f"tasker_core {__version__} and its native module {_native.get_version()} are of different versions: "
        "install both from one release"
    )

from tasker_core._tasker_core import (
    check_starvation_warnings,
    cleanup_timeouts,
    complete_step_event,
    get_ffi_dispatch_metrics,
    get_rust_version,
    get_version,
    health_check,
    poll_in_process_events,
    poll_step_events,
)
from tasker_core.bootstrap import (
    bootstrap_worker,
    get_worker_status,
    is_worker_running,
    stop_worker,
    transition_to_graceful_shutdown,
)
from tasker_core.event_bridge import EventBridge, EventNames
from tasker_core.event_poller import EventPoller
from tasker_core.handler import HandlerRegistry
from tasker_core.step_execution_subscriber import StepExecutionError, StepExecutionSubscriber
from tasker_core.step_handler import StepHandler
from tasker_core.types import *
from tasker_core.worker import Worker


def version() -> str:
    """The version of the package, equal to `__version__`."""
    return __version__
