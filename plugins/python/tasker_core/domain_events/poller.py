"""The thread that delivers domain events."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from tasker_core import _fork
from tasker_core.domain_events.delivery import EventQueue, close_queue, open_queue
from tasker_core.logging import log_error
from tasker_core.types import InProcessDomainEvent

__all__ = ["InProcessDomainEventPoller"]


class InProcessDomainEventPoller:
    """Calls its callbacks with every event of this process, on the thread `tasker-domain-event-poller`.

    Every poller gets every event from its start on. Events are not kept: what is published while no poller runs is
    not delivered later, and a poller that falls 10,000 events behind loses the oldest (`stats`).

    Args:
        polling_interval_ms: How often an idle thread counts a poll; an event wakes it at once.
        max_events_per_poll: Events handled before the thread looks whether it should stop.
    """

    DEFAULT_POLL_INTERVAL_MS = 10
    DEFAULT_MAX_EVENTS_PER_POLL = 100

    def __init__(self, polling_interval_ms: int = 10, max_events_per_poll: int = 100) -> None:
        self._polling_interval = polling_interval_ms / 1000.0
        self._max_events_per_poll = max_events_per_poll
        self._event_callbacks: list[Callable[[InProcessDomainEvent], None]] = []
        self._error_callbacks: list[Callable[[Exception], None]] = []
        self._running = False
        self._thread: threading.Thread | None = None
        self._queue: EventQueue | None = None
        self._stop = threading.Event()
        self._poll_count = 0
        self._events_processed = 0
        self._events_lagged = 0

    def on_event(self, callback: Callable[[InProcessDomainEvent], None]) -> None:
        """Calls `callback` with every event."""
        self._event_callbacks.append(callback)

    def remove_event_callback(self, callback: Callable[[InProcessDomainEvent], None]) -> None:
        """Ends what `on_event` began; nothing if the callback is unknown."""
        if callback in self._event_callbacks:
            self._event_callbacks.remove(callback)

    def on_error(self, callback: Callable[[Exception], None]) -> None:
        """Calls `callback` with what a callback or the poll raised."""
        self._error_callbacks.append(callback)

    def start(self) -> None:
        """Starts the thread.

        Raises:
            RuntimeError: It runs already, or this process was forked from one that had the store open.
        """
        _fork.refuse_in_child("InProcessDomainEventPoller.start()")
        if self._running:
            raise RuntimeError("InProcessDomainEventPoller already running")
        self._running = True
        self._stop = threading.Event()
        self._queue = open_queue()
        self._thread = threading.Thread(
            target=self._poll_loop,
            args=(self._stop, self._queue),
            name="tasker-domain-event-poller",
            daemon=True,
        )
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Delivers what was published before, and ends the thread, waiting at most `timeout` seconds. Idempotent."""
        if not self._running:
            return
        self._running = False
        self._stop.set()
        queue, self._queue = self._queue, None
        if queue is not None:
            close_queue(queue)
            queue.wake()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    @property
    def is_running(self) -> bool:
        """True while the thread runs."""
        return self._running and self._thread is not None and self._thread.is_alive()

    @property
    def stats(self) -> dict[str, int]:
        """poll_count, events_processed, and events_lagged, which were dropped."""
        return {
            "poll_count": self._poll_count,
            "events_processed": self._events_processed,
            "events_lagged": self._events_lagged,
        }

    def _poll_loop(self, stop: threading.Event, queue: EventQueue) -> None:
        while True:
            stopping = stop.is_set()
            try:
                self._poll_count += 1
                count = self._poll(queue, everything=stopping)
                self._events_lagged = queue.dropped
            except Exception as error:
                self._emit_error(error)
                stop.wait(self._polling_interval * 10)
                count = 0
            if stopping:
                return
            if count == 0:
                queue.wait(self._polling_interval)

    def _poll(self, queue: EventQueue, *, everything: bool) -> int:
        count = 0
        while everything or count < self._max_events_per_poll:
            data = queue.get()
            if data is None:
                break
            self._process_event(data)
            count += 1
        return count

    def _process_event(self, event_data: dict[str, Any]) -> None:
        self._events_processed += 1
        try:
            event = InProcessDomainEvent.model_validate(event_data)
        except Exception as error:
            log_error(f"a domain event is malformed: {error}")
            self._emit_error(error)
            return
        for callback in list(self._event_callbacks):
            try:
                callback(event)
            except Exception as error:
                log_error(f"a callback for event '{event.event_name}' raised: {error!r}")
                self._emit_error(error)

    def _emit_error(self, error: Exception) -> None:
        for callback in list(self._error_callbacks):
            try:
                callback(error)
            except Exception as second:
                log_error(f"an error callback of the domain event poller raised: {second!r}")
