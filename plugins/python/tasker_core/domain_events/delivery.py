"""The queues of domain events in this process: one for each poller, and one for `poll_in_process_events`."""

from __future__ import annotations

import threading
from collections import deque
from contextvars import ContextVar
from typing import Any

from tasker_core import _fork

__all__ = ["EventQueue", "deliver_here", "execution_of", "poll_here"]

_LIMIT = 10_000

execution_of: ContextVar[dict[str, Any] | None] = ContextVar("tasker_core_execution", default=None)
"""The end of the step that events are being published for, in the form of ExecutionResult."""


class EventQueue:
    """Holds at most `limit` events; when full, the oldest is dropped and counted. Thread-safe."""

    def __init__(self, limit: int = _LIMIT) -> None:
        self._events: deque[dict[str, Any]] = deque()
        self._limit = limit
        self._filled = threading.Condition()
        self.dropped = 0

    def put(self, event: dict[str, Any]) -> None:
        """Adds an event and wakes who waits."""
        with self._filled:
            if len(self._events) >= self._limit:
                self._events.popleft()
                self.dropped += 1
            self._events.append(event)
            self._filled.notify()

    def get(self) -> dict[str, Any] | None:
        """The oldest event, or None."""
        with self._filled:
            return self._events.popleft() if self._events else None

    def wait(self, timeout_s: float) -> None:
        """Waits until there is an event or `wake` is called, at most `timeout_s` seconds."""
        with self._filled:
            if not self._events:
                self._filled.wait(timeout_s)

    def wake(self) -> None:
        """Ends a wait."""
        with self._filled:
            self._filled.notify_all()


_polled_by_hand = EventQueue(1000)
_queues: list[EventQueue] = []
_lock = threading.Lock()


def open_queue() -> EventQueue:
    """A queue that gets every event from now on, until `close_queue`."""
    queue = EventQueue()
    with _lock:
        _queues.append(queue)
    return queue


def close_queue(queue: EventQueue) -> None:
    """The queue gets no further event."""
    with _lock:
        if queue in _queues:
            _queues.remove(queue)


def deliver_here(events: list[dict[str, Any]]) -> None:
    """Gives events to all queues of this process."""
    with _lock:
        queues = [_polled_by_hand, *_queues]
    for event in events:
        for queue in queues:
            queue.put(event)


def poll_here() -> dict[str, Any] | None:
    """What the native module's `poll_in_process_events` gives: the next event that was published here, or None.

    Every event is given once here, and to every InProcessDomainEventPoller as well.
    """
    return _polled_by_hand.get()


def _renew() -> None:
    global _lock, _polled_by_hand
    _lock = threading.Lock()
    _queues.clear()
    _polled_by_hand = EventQueue(1000)


_fork.on_child(_renew)
