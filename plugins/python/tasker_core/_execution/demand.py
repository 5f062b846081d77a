"""How many steps the pool asks the host for at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from tasker_core import _tasker_core as native

__all__ = ["Demand"]

_PERIOD_S = 0.2
_FIRST_S = 0.02  # From a start on, and after a rest, the looks come early: load must not wait for its slots.
_MOST = 256


class Demand:
    """States the number of slots: the threads, and what they finish within a fifth of a second.

    Async handlers, which wait for no thread, have places of their own. So slow steps are not hoarded, and fast ones
    never wait for the next claim. Thread-safe.
    """

    def __init__(self, threads: int, async_places: Callable[[], int]) -> None:
        self._threads = threads
        self._async_places = async_places
        self._lock = threading.Lock()
        self._finished = 0
        self._slots = (0, 0)
        self._period = _FIRST_S
        self._looked = time.monotonic()
        self._next = 0.0
        self._open = False

    def open(self) -> None:
        """From now on steps are wanted."""
        with self._lock:
            self._open = True
            self._state(self._threads)

    def close(self) -> None:
        """No further step is wanted; what is queued goes back to the host."""
        with self._lock:
            self._open = False
            self._slots = (0, 0)
            native._consume(0)

    def finished(self) -> None:
        """A step ended that had one of the threads' slots."""
        self._finished += 1  # Lost updates of racing threads do not matter to an estimate.
        if time.monotonic() >= self._next:
            self.adapt()

    def adapt(self) -> None:
        """Restates the number of slots if its time has come."""
        now = time.monotonic()
        if now < self._next or not self._lock.acquire(blocking=False):
            return
        try:
            elapsed, self._looked = now - self._looked, now
            finished, self._finished = self._finished, 0
            rested = elapsed > 2 * _PERIOD_S
            self._period = _FIRST_S if rested else min(_PERIOD_S, 2 * self._period)
            self._next = now + self._period
            if self._open:
                soon = int(finished * _PERIOD_S / max(elapsed, _FIRST_S))
                self._state(min(max(_MOST, self._threads), self._threads + soon))
        finally:
            self._lock.release()

    def _state(self, threads: int) -> None:
        slots = (threads, self._async_places())
        if slots != self._slots:
            self._slots = slots
            native._consume(*slots)
