"""A thread that takes steps one by one and hands them to callbacks, for applications wired by hand."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tasker_core import _fork
from tasker_core._execution.outcome import said
from tasker_core._tasker_core import check_starvation_warnings as _check_starvation_warnings
from tasker_core._tasker_core import cleanup_timeouts as _cleanup_timeouts
from tasker_core._tasker_core import get_ffi_dispatch_metrics as _get_ffi_dispatch_metrics
from tasker_core._tasker_core import poll_step_events as _poll_step_events
from tasker_core.event_bridge import EventBridge, EventNames
from tasker_core.logging import log_error
from tasker_core.types import FfiDispatchMetrics, FfiStepEvent

__all__ = ["EventPoller"]


class EventPoller:
    """Polls the host and calls its callbacks, one step after another, on the thread `tasker-event-poller`.

    A callback that runs a handler holds up the next step; `Worker.start` runs handlers in parallel instead. With a
    started StepExecutionSubscriber only steps of its registry's handlers come; without one steps of any handler do,
    and the callbacks complete them with `complete_step_event`.

    Args:
        polling_interval_ms: Sleep after a poll that found nothing.
        starvation_check_interval: Figures are given to `on_metrics` callbacks every so many polls.
        cleanup_interval: The host is asked to look for timeouts every so many polls.
    """

    DEFAULT_POLL_INTERVAL_MS = 10
    DEFAULT_STARVATION_CHECK_INTERVAL = 100
    DEFAULT_CLEANUP_INTERVAL = 1000
    _LONGEST_BACKOFF_S = 1.0

    def __init__(
        self,
        polling_interval_ms: int = 10,
        starvation_check_interval: int = 100,
        cleanup_interval: int = 1000,
    ) -> None:
        self._polling_interval = polling_interval_ms / 1000.0
        self._starvation_check_interval = starvation_check_interval
        self._cleanup_interval = cleanup_interval
        self._step_event_callbacks: list[Callable[[FfiStepEvent], None]] = []
        self._metrics_callbacks: list[Callable[[FfiDispatchMetrics], None]] = []
        self._error_callbacks: list[Callable[[Exception], None]] = []
        self._running = False
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def on_step_event(self, callback: Callable[[FfiStepEvent], None]) -> None:
        """Calls `callback` with every step; all callbacks get the same event."""
        self._step_event_callbacks.append(callback)

    def on_metrics(self, callback: Callable[[FfiDispatchMetrics], None]) -> None:
        """Calls `callback` with the figures of the host's queue now and then."""
        self._metrics_callbacks.append(callback)

    def on_error(self, callback: Callable[[Exception], None]) -> None:
        """Calls `callback` with what a callback or the poll raised."""
        self._error_callbacks.append(callback)

    def start(self) -> None:
        """Starts the thread.

        Raises:
            RuntimeError: It runs already, or this process was forked from one that had the store open.
        """
        _fork.refuse_in_child("EventPoller.start()")
        if self._running:
            raise RuntimeError("EventPoller already running")
        # Each run has its own flag: a thread that a stop could not end in time must not see a later start.
        self._stop = threading.Event()
        self._running = True
        self._thread = threading.Thread(
            target=self._poll_loop, args=(self._stop,), name="tasker-event-poller", daemon=True
        )
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Ends the thread after the step that it runs, waiting at most `timeout` seconds. Idempotent."""
        self._running = False
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    @property
    def is_running(self) -> bool:
        """True while the thread runs."""
        return self._running and self._thread is not None and self._thread.is_alive()

    def get_metrics(self) -> FfiDispatchMetrics | None:
        """The figures of the host's queue, or None if there is no host."""
        try:
            return FfiDispatchMetrics.model_validate(_get_ffi_dispatch_metrics())
        except Exception:
            return None

    def _poll_loop(self, stop: threading.Event) -> None:
        count = 0
        failures = 0
        while not stop.is_set():
            count += 1
            try:
                data = _poll_step_events()
                if data is not None:
                    self._deliver(FfiStepEvent.model_validate(data))
                if count % self._starvation_check_interval == 0:
                    self._check_starvation()
                if count % self._cleanup_interval == 0:
                    _cleanup_timeouts()
                failures = 0
            except Exception as error:
                failures += 1
                self._report(error)
                stop.wait(min(self._LONGEST_BACKOFF_S, self._polling_interval * 2**failures))
                continue
            if data is None:
                stop.wait(self._polling_interval)

    def _deliver(self, event: FfiStepEvent) -> None:
        for callback in self._step_event_callbacks:
            try:
                callback(event)
            except BaseException as error:  # sys.exit() in a callback must not end the thread.
                log_error(f"a callback of the EventPoller raised: {said(error)}")
                self._report(error if isinstance(error, Exception) else RuntimeError(repr(error)))

    def _check_starvation(self) -> None:
        _check_starvation_warnings()
        bridge = EventBridge._instance
        listened = bridge is not None and bridge.wants(EventNames.POLLER_METRICS)
        if not self._metrics_callbacks and not listened:
            return
        metrics = self.get_metrics()
        if metrics is None:
            return
        for callback in self._metrics_callbacks:
            callback(metrics)
        if bridge is not None and listened:
            bridge.publish(EventNames.POLLER_METRICS, metrics)

    def _report(self, error: Exception) -> None:
        for callback in self._error_callbacks:
            try:
                callback(error)
            except Exception as second:
                log_error(f"an error callback of the EventPoller raised: {second!r}")
        bridge = EventBridge._instance
        if bridge is not None and bridge.wants(EventNames.POLLER_ERROR):
            try:
                bridge.publish(EventNames.POLLER_ERROR, error)
            except Exception as second:
                log_error(f"a listener of '{EventNames.POLLER_ERROR}' raised: {second!r}")
