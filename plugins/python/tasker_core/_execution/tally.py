"""Counts of what the handlers did."""

from __future__ import annotations

import threading
from typing import Any

__all__ = ["Tallies", "Tally"]


class Tally:
    """The counts of one thread."""

    def __init__(self) -> None:
        self.by_handler: dict[str, list[int]] = {}

    def add(self, handler: str, succeeded: bool, elapsed_us: int) -> None:
        """One more attempt of a handler ended."""
        row = self.by_handler.get(handler)
        if row is None:
            row = self.by_handler[handler] = [0, 0, 0, 0]
        row[0 if succeeded else 1] += 1
        row[2] += elapsed_us
        if elapsed_us > row[3]:
            row[3] = elapsed_us


class Tallies:
    """The counts of all threads; one that has the name of an earlier one goes on with its counts. Thread-safe."""

    def __init__(self) -> None:
        self._local = threading.local()
        self._by_thread: dict[str, Tally] = {}
        self._before = (0, 0)

    def begin(self) -> None:
        """A worker starts: what `totals` counts from."""
        self._before = self._all()

    def mine(self) -> Tally:
        """The counts of the calling thread."""
        tally: Tally | None = getattr(self._local, "tally", None)
        if tally is None:
            name = threading.current_thread().name
            tally = self._local.tally = self._by_thread.setdefault(name, Tally())
        return tally

    def by_handler(self) -> dict[str, dict[str, Any]]:
        """For each handler: succeeded, failed, and mean_ms and max_ms of its calls."""
        sums: dict[str, list[int]] = {}
        for tally in list(self._by_thread.values()):
            for handler, row in list(tally.by_handler.items()):
                total = sums.setdefault(handler, [0, 0, 0, 0])
                for index in range(3):
                    total[index] += row[index]
                total[3] = max(total[3], row[3])
        return {
            handler: {
                "succeeded": row[0],
                "failed": row[1],
                "mean_ms": row[2] / 1000 / max(1, row[0] + row[1]),
                "max_ms": row[3] / 1000,
            }
            for handler, row in sums.items()
        }

    def totals(self) -> tuple[int, int]:
        """How many attempts succeeded and failed since the last `begin`."""
        succeeded, failed = self._all()
        return succeeded - self._before[0], failed - self._before[1]

    def _all(self) -> tuple[int, int]:
        rows = self.by_handler().values()
        return sum(row["succeeded"] for row in rows), sum(row["failed"] for row in rows)


tallies = Tallies()
"""The counts of this process; `by_handler` since it started, over all workers."""
