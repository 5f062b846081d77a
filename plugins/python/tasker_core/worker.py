"""The worker of a Python process: the host and the handlers, started and stopped together."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Any, ClassVar

from tasker_core import _fork
from tasker_core import _tasker_core as native
from tasker_core._execution import announce, state
from tasker_core._execution.attempt import running
from tasker_core._execution.loop import HandlerLoop
from tasker_core._execution.outcome import said
from tasker_core._execution.pool import Pool
from tasker_core.bootstrap import start_host, stop_host
from tasker_core.domain_events import InProcessDomainEventPoller, SubscriberRegistry
from tasker_core.event_bridge import EventBridge
from tasker_core.exceptions import WorkerBootstrapError
from tasker_core.handler import HandlerRegistry
from tasker_core.logging import log_error, log_info, log_warn
from tasker_core.observability import get_health_check, python_health
from tasker_core.step_handler.mixins.api import close_shared_clients
from tasker_core.types import BootstrapConfig, BootstrapResult, HealthCheck, WorkerState

__all__ = ["Worker"]

DEFAULT_THREADS = 10
DEFAULT_ASYNC_LIMIT = 128


class Worker:
    """Runs steps in this process; at most one worker runs in a process.

    Example:
        >>> from tasker_core import Worker
        >>> with Worker.start(handler_packages=["app.handlers"]):
        ...     serve_forever()

    It may be started in any thread, also in the one of an asyncio loop (FastAPI: in `lifespan`), and installs no
    signal handlers. A process that ends without `stop()` drains like `stop()` does. A worker does not survive
    `fork`: start it in the child.
    """

    _instance: ClassVar[Worker | None] = None
    _starting: ClassVar[Worker | None] = None
    _lock: ClassVar[threading.RLock] = threading.RLock()

    def __init__(self) -> None:
        self._state: WorkerState | None = None
        self._bootstrap_result: BootstrapResult | None = None
        self._pool: Pool | None = None
        self._registry: HandlerRegistry | None = None
        self._bridge: EventBridge | None = None
        self._event_poller: InProcessDomainEventPoller | None = None
        self._discovered: list[str] = []
        self._shutdown_hooks: list[Callable[[], None]] = []
        self._started_at: float | None = None
        self._abort = False
        self._stopping = False
        self._announces = False
        self._stuck = False
        self._stopper: threading.Thread | None = None
        self.unfinished: list[str] = []
        """Handlers that still ran when the last `stop` reached its deadline."""

    @classmethod
    def start(
        cls,
        handler_packages: list[str] | str | None = None,
        config: BootstrapConfig | None = None,
        *,
        auto_discover: bool = True,
        strict: bool = False,
        max_concurrent_handlers: int = DEFAULT_THREADS,
        max_concurrent_async: int = DEFAULT_ASYNC_LIMIT,
        overrides: dict[str, Any] | None = None,
    ) -> Worker:
        """Starts the worker, or returns the one that runs (then the arguments are ignored, with a warning).

        Handlers are registered before the first step is asked for. A start that fails stops what it had started.

        Args:
            handler_packages: Packages that are imported and searched for handlers; a string is one package.
            config: Name, namespace, configuration file and log level of the worker.
            auto_discover: Without packages, import the dotted callables that the templates name.
            strict: Fail if a package cannot be imported, instead of starting without its handlers.
            max_concurrent_handlers: Threads for sync handlers.
            max_concurrent_async: Async handlers that run at once.
            overrides: Keys of worker.toml, dotted, that win over the file, for instance `{"store.path": "x.db"}`.

        Raises:
            WorkerBootstrapError: It could not start; the message says why.
        """
        worker = cls._instance
        if worker is not None and worker._runs_this_thread():
            return worker  # Whoever stops it may hold the lock and wait for this handler.
        with cls._lock:
            worker = cls._instance
            if worker is not None and worker.is_running:
                log_warn("Worker.start() was called again: the worker that runs is returned")
                return worker
            if cls._starting is not None:
                return cls._starting  # Called by a module that the start imports.
            _refuse_in_child()
            if native._world() == "embedded":
                raise WorkerBootstrapError("Worker.start() found no worker: under tasker-host the host starts it")
            if worker is not None:
                worker._stop(None)  # stop_worker() took its host away.
            worker = cls()
            worker._start(
                [handler_packages] if isinstance(handler_packages, str) else handler_packages or [],
                config,
                auto_discover=auto_discover,
                strict=strict,
                threads=max_concurrent_handlers,
                async_limit=max_concurrent_async,
                overrides=overrides,
            )
            return worker

    @classmethod
    def instance(cls) -> Worker | None:
        """The worker that runs, or None."""
        worker = cls._instance
        return worker if worker is not None and worker.is_running else None

    @classmethod
    def reset_instance(cls) -> None:
        """Stops and forgets the worker; for tests."""
        worker = cls._starting or cls._instance
        if worker is not None:
            worker.stop()
            if worker._runs_this_thread():
                return  # It is forgotten once it has stopped, after this handler.
        with cls._lock:
            cls._instance = None

    def stop(self, drain_s: float | None = None) -> None:
        """Takes no further step, lets running handlers finish, and stops the host. Idempotent.

        Callable from any thread and from a signal handler; from inside a handler it returns at once and the worker
        stops after that handler. A handler that still runs at the deadline is named in the log and in `unfinished`.

        Args:
            drain_s: Seconds that running handlers may take; the configured time unless given.

        Raises:
            RuntimeError: The worker belongs to tasker-host.
        """
        if _fork.dead():
            return
        if self._state is WorkerState.STARTING:
            self._abort = True
        if self._state is WorkerState.STARTING:
            return  # The start sees it. Else the start has ended meanwhile, perhaps without seeing it.
        broken_off = self._state is WorkerState.SHUTTING_DOWN and not self._stopping
        if self._state is not WorkerState.RUNNING and self._stopper is None and not broken_off:
            return
        if native._world() == "embedded":
            raise RuntimeError("Worker.stop() is refused: the worker belongs to tasker-host, which stops it")
        if self._runs_this_thread():
            self._stop_behind_handler(drain_s)
            return
        self._stop(drain_s)

    def on_shutdown(self, callback: Callable[[], None]) -> None:
        """Calls `callback` once, after the worker has stopped; the last that was added is called first."""
        self._shutdown_hooks.append(callback)

    @property
    def state(self) -> WorkerState | None:
        """starting, running, shutting_down, stopped or error; None before the first start."""
        return self._state

    @property
    def worker_id(self) -> str:
        """Name of the worker; empty before it has started."""
        return self._bootstrap_result.worker_id if self._bootstrap_result is not None else ""

    @property
    def is_running(self) -> bool:
        """True while steps are taken and handled."""
        return (
            self._state is WorkerState.RUNNING
            and not _fork.dead()
            and self._pool is not None
            and self._pool.alive() > 0
            and bool(native.is_worker_running())
        )

    @property
    def bootstrap_result(self) -> BootstrapResult:
        """What came of starting the host.

        Raises:
            RuntimeError: The worker has not been started.
        """
        if self._bootstrap_result is None:
            raise RuntimeError("Worker has not been started")
        return self._bootstrap_result

    def health(self) -> HealthCheck:
        """Whether all is well; `degraded` names packages that could not be imported, in `python`.

        Raises:
            WorkerNotInitializedError: The worker does not run.
        """
        return get_health_check()

    def status(self) -> dict[str, Any]:
        """State, id, uptime in seconds, handlers, running attempts and counts by handler."""
        uptime = None if self._started_at is None else time.monotonic() - self._started_at
        return {
            "state": self._state.value if self._state is not None else None,
            "worker_id": self.worker_id,
            "uptime_s": uptime if self._state is WorkerState.RUNNING else None,
            "unfinished": list(self.unfinished),
            **python_health(),
            "host": native._status() if self.is_running else None,
        }

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        state_name = self._state.value if self._state is not None else "idle"
        return f"Worker(worker_id={self.worker_id!r}, state={state_name!r})"

    def _start(
        self,
        packages: list[str],
        config: BootstrapConfig | None,
        *,
        auto_discover: bool,
        strict: bool,
        threads: int,
        async_limit: int,
        overrides: dict[str, Any] | None,
    ) -> None:
        if threads < 1 or async_limit < 1:
            raise ValueError("max_concurrent_handlers and max_concurrent_async must be at least 1")
        self._state = WorkerState.STARTING
        Worker._starting = self
        try:
            registry = self._discover(packages, auto_discover=auto_discover, strict=strict)
            self._start_host(config, overrides)
            self._consume(registry, auto_discover=auto_discover, threads=threads, async_limit=async_limit)
            self._refuse_aborted()
        except BaseException:
            self._clean_up()
            self._state = WorkerState.ERROR
            raise
        finally:
            Worker._starting = None
        self._started_at = time.monotonic()
        self._state = WorkerState.RUNNING
        Worker._instance = self
        if self._abort:  # By a stop() after the last look, which saw that the worker was starting.
            self._stop(None)
            self._refuse_aborted()
        log_info(f"worker '{self.worker_id}' runs with {registry.handler_count()} handlers")

    def _refuse_aborted(self) -> None:
        if self._abort:
            raise WorkerBootstrapError("Worker.start() was broken off: stop() was called meanwhile")

    def _runs_this_thread(self) -> bool:
        pool = self._pool
        return pool is not None and pool.owns_current_thread()

    def _discover(self, packages: list[str], *, auto_discover: bool, strict: bool) -> HandlerRegistry:
        registry = HandlerRegistry.instance(skip_bootstrap=True)
        self._registry = registry
        before = set(registry.list_handlers())
        if auto_discover and not packages:
            registry.bootstrap_handlers()
        for package in packages:
            registry.discover_handlers(package)
        self._discovered = [name for name in registry.list_handlers() if name not in before]
        if strict and registry.import_failures:
            reasons = "; ".join(f"{name}: {why}" for name, why in registry.import_failures.items())
            raise WorkerBootstrapError(f"Worker.start(strict=True) could not import all handlers: {reasons}")
        return registry

    def _start_host(self, config: BootstrapConfig | None, overrides: dict[str, Any] | None) -> None:
        settings: dict[str, Any] | None = config.model_dump(exclude_unset=True) if config is not None else None
        if overrides:
            settings = {**(settings or {}), "overrides": overrides}
        try:
            result = start_host(settings)
        except (RuntimeError, ValueError) as error:
            raise WorkerBootstrapError(str(error)) from error
        if result.status not in ("started", "already_running"):
            why = result.error_message or result.message or result.status or "the host gave no reason"
            raise WorkerBootstrapError(f"the worker could not start: {why}")
        self._bootstrap_result = result
        status = native._status()
        if not status["attached"]:
            raise WorkerBootstrapError(
                "the worker could not start: a handler of an earlier worker of this process still runs, and the "
                "host cannot use Python before it returns; wait for it, or restart the process"
            )
        if not result.worker_id:
            name = str(status.get("worker_id") or "")
            self._bootstrap_result = result.model_copy(update={"worker_id": name})

    def _consume(self, registry: HandlerRegistry, *, auto_discover: bool, threads: int, async_limit: int) -> None:
        self._bridge = EventBridge.instance()
        self._bridge.start()
        self._announces = True
        try:
            announce.attach(registry, imports_allowed=auto_discover)
        except RuntimeError as error:  # Another plugin has one of the names.
            raise WorkerBootstrapError(str(error)) from error
        self._pool = Pool(registry, self._bridge, self.worker_id, threads, async_limit)
        self._start_subscribers()
        self._pool.start()
        state.pool_threads = threads

    def _start_subscribers(self) -> None:
        registry = SubscriberRegistry.instance()
        registered = registry.list_registered()
        if registered["classes"] or registered["instances"]:
            self._event_poller = InProcessDomainEventPoller(polling_interval_ms=100)
            registry.start_all(self._event_poller)
            self._event_poller.start()

    def _stop_subscribers(self) -> None:
        poller, self._event_poller = self._event_poller, None
        if poller is not None:
            poller.stop()
            SubscriberRegistry.instance().stop_all()

    def _stop(self, drain_s: float | None) -> None:
        with Worker._lock:
            if self._stopping or self._state not in (WorkerState.RUNNING, WorkerState.SHUTTING_DOWN):
                return  # Another thread stopped it while this one waited, or a hook calls stop() again.
            try:
                self._stopping = True
                self._state = WorkerState.SHUTTING_DOWN
                log_info(f"worker '{self.worker_id}' stops")
                self._clean_up(drain_s)
            finally:  # Ctrl-C breaks off the waiting and leaves nothing half stopped.
                self._stopping = False
                self._state = WorkerState.STOPPED
                if Worker._instance is self:
                    Worker._instance = None
                self._call_hooks()

    def _call_hooks(self) -> None:
        hooks, self._shutdown_hooks = self._shutdown_hooks, []
        interrupt: BaseException | None = None
        for hook in reversed(hooks):
            try:
                hook()
            except Exception as error:
                log_error(f"an on_shutdown callback raised: {said(error)}")
            except BaseException as error:
                interrupt = error
        if interrupt is not None:
            raise interrupt

    def _stop_behind_handler(self, drain_s: float | None) -> None:
        if self._stopper is None:
            if self._pool is not None:
                self._pool.stop_taking()
            # Not a daemon: the process waits for it at its end.
            self._stopper = threading.Thread(target=self._stop, args=(drain_s,), name="tasker-stop")
            self._stopper.start()

    def _clean_up(self, drain_s: float | None = None) -> None:
        owned = self._bootstrap_result is not None
        embedded = owned and native._world() == "embedded"
        with ExitStack() as last_first:  # An interrupt in one of them does not keep the others from being done.
            last_first.callback(self._withdraw_handlers, embedded)
            if self._bridge is not None:
                last_first.callback(self._bridge.stop)
            last_first.callback(close_shared_clients)
            last_first.callback(self._stop_subscribers)
            last_first.callback(self._close_threads)
            if self._pool is not None:
                self._pool.stop_taking()
            if owned and not embedded:
                self._drain(drain_s)

    def _drain(self, drain_s: float | None) -> None:
        try:
            stop_host(drain_s)
        except RuntimeError as error:
            self.unfinished = sorted(attempt.handler for attempt in list(running.values()))
            self._stuck = True
            log_error(said(error))
        except BaseException:
            self._stuck = bool(running)
            if native.is_worker_running():
                self._drain(0.0)
            raise

    def _close_threads(self) -> None:
        try:
            if self._pool is not None:
                self._pool.close(self._stuck)
        finally:
            self._pool = None
            state.pool_threads = 0
            HandlerLoop.close_instance(0.0 if self._stuck else 1.0)

    def _withdraw_handlers(self, embedded: bool) -> None:
        if self._registry is not None:
            if self._announces and not embedded:
                announce.detach(self._registry)
                self._announces = False
            for name in self._discovered:
                self._registry.unregister(name)
            self._registry.forget_discovery()
        self._discovered = []


def _refuse_in_child() -> None:
    try:
        _fork.refuse_in_child("Worker.start()")
    except RuntimeError as error:
        raise WorkerBootstrapError(str(error)) from None


def _at_exit() -> None:
    if _fork.dead():
        return
    worker = Worker._instance
    try:
        if worker is not None and native._world() != "embedded":
            worker._stop(None)
        native._on_exit()
    finally:
        HandlerLoop.close_instance()


def _forget_in_child() -> None:
    Worker._lock = threading.RLock()
    Worker._instance = None
    Worker._starting = None
    state.pool_threads = 0


_fork.on_child(_forget_in_child)
atexit.register(_at_exit)
