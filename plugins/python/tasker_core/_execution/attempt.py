"""One attempt of a step while its handler runs."""

from __future__ import annotations

import json
import threading
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from tasker_core import _tasker_core as native
from tasker_core._execution.outcome import sayable

if TYPE_CHECKING:
    import asyncio

__all__ = ["Attempt", "current_attempt", "running"]


class Attempt:
    """What the package knows of a running attempt: its deadline, and whether it was cancelled.

    Made by the thread that took the step; `cancel` comes from a native thread.
    """

    __slots__ = (
        "_reason",
        "_task",
        "correlation_id",
        "deadline",
        "event_id",
        "handler",
        "idempotency_key",
        "number",
        "step_uuid",
        "task_uuid",
        "thread_id",
        "timeout_s",
    )

    def __init__(self, data: dict[str, Any], handler: str) -> None:
        self.event_id: str = data["event_id"]
        self.task_uuid: str = data["task_uuid"]
        self.step_uuid: str = data["step_uuid"]
        self.correlation_id: str = data["correlation_id"]
        self.handler = handler
        self.thread_id: int | None = threading.get_ident()
        self.number: int = data.get("_attempt") or 1
        self.idempotency_key: str | None = data.get("_idempotency_key")
        self.timeout_s: float | None = data.get("_deadline_s")
        self.deadline = None if self.timeout_s is None else time.monotonic() + self.timeout_s
        self._reason: str | None = None
        self._task: tuple[asyncio.AbstractEventLoop, asyncio.Task[None]] | None = None

    def reason(self) -> str | None:
        """Why the attempt was cancelled, or None.

        The host decides: by this process's clock the time may be over while a success still counts.
        """
        return self._reason

    def cancel(self, reason: str) -> None:
        """Tells the handler to stop; an async one is interrupted at its next `await`. Any thread."""
        self._reason = reason
        if reason == "timeout":  # The host's clock counts, which started a moment before ours.
            self.deadline = time.monotonic()
        if self._task is not None:
            loop, task = self._task
            try:
                loop.call_soon_threadsafe(task.cancel)
            except RuntimeError:
                return  # The loop is closed: the task has ended.

    def bind(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
        """Names the task that a cancel interrupts. On the loop's thread."""
        self._task = (loop, task)
        if self._reason is not None:
            task.cancel()

    def heartbeat(self, progress: float, note: str) -> bool:
        """True to go on."""
        answer = native._heartbeat(self.event_id, float(progress), sayable(note))
        return self._go_on(answer)

    def save_checkpoint(self, checkpoint: dict[str, Any]) -> bool:
        """True if the checkpoint is durable."""
        return self._go_on(native._checkpoint(self.event_id, json.dumps(checkpoint)))

    def _go_on(self, answer: int) -> bool:
        if answer == 0:
            return self._reason is None
        if self._reason is None:
            self._reason = "cancelled" if answer == 1 else "resolved"
        return False


running: dict[str, Attempt] = {}
"""The attempts whose handlers run in this process, by event id, whoever runs them."""

current_attempt: ContextVar[Attempt | None] = ContextVar("tasker_core_attempt", default=None)
"""The attempt that the current code runs for; log lines take their ids from it."""


def cancel_by_host(event_id: str, reason: str) -> None:
    """The native module's cancel callback."""
    attempt = running.get(event_id)
    if attempt is not None:
        attempt.cancel(reason)
