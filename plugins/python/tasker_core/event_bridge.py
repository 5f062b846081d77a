"""Events inside the process: who wants to know what happens subscribes here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, ClassVar

from tasker_core import _fork
from tasker_core.logging import log_warn

__all__ = ["EventBridge", "EventNames"]

Listener = Callable[..., Any]


class EventNames:
    """Names of the events that the package publishes."""

    STEP_EXECUTION_RECEIVED = "step.execution.received"
    """A step arrived: FfiStepEvent."""
    STEP_COMPLETION_SENT = "step.completion.sent"
    """The host took a step's result: StepExecutionResult."""
    STEP_CHECKPOINT_YIELD = "step.checkpoint_yield.sent"
    """The host took a checkpoint: dict."""
    HANDLER_REGISTERED = "handler.registered"
    """A handler was registered: its name and class."""
    HANDLER_ERROR = "handler.error"
    """A handler raised: FfiStepEvent and the exception."""
    POLLER_METRICS = "poller.metrics"
    """Figures of a poller: FfiDispatchMetrics."""
    POLLER_ERROR = "poller.error"
    """A poller's callback raised: the exception."""


class EventBridge:
    """Calls listeners, in the order in which they subscribed, in the thread that publishes. Thread-safe.

    A bridge that is not started drops what is published. `stop` keeps the listeners, so that a bridge can be
    started again; `reset_instance` forgets them.
    """

    _instance: ClassVar[EventBridge | None] = None
    _instance_lock: ClassVar[threading.RLock] = threading.RLock()
    _SCHEMA: ClassVar[dict[str, str]] = {
        EventNames.STEP_EXECUTION_RECEIVED: "FfiStepEvent",
        EventNames.STEP_COMPLETION_SENT: "StepExecutionResult",
        EventNames.STEP_CHECKPOINT_YIELD: "dict",
        EventNames.HANDLER_REGISTERED: "str, type",
        EventNames.HANDLER_ERROR: "FfiStepEvent, Exception",
        EventNames.POLLER_METRICS: "FfiDispatchMetrics",
        EventNames.POLLER_ERROR: "Exception",
    }

    def __init__(self) -> None:
        self._listeners: dict[str, tuple[tuple[Listener, bool], ...]] = {}
        self._lock = threading.RLock()
        self._active = False

    @classmethod
    def instance(cls) -> EventBridge:
        """The bridge of the process, made on first use."""
        with cls._instance_lock:
            if cls._instance is None:
                cls._instance = cls()
            return cls._instance

    @classmethod
    def reset_instance(cls) -> None:
        """Stops and forgets the bridge of the process; for tests."""
        with cls._instance_lock:
            if cls._instance is not None:
                cls._instance.stop()
                cls._instance = None

    def start(self) -> None:
        """From now on events are delivered. Does nothing if started."""
        self._active = True

    def stop(self) -> None:
        """From now on events are dropped; listeners stay subscribed. Does nothing if stopped."""
        self._active = False

    @property
    def is_active(self) -> bool:
        """True between `start` and `stop`."""
        return self._active

    @property
    def event_schema(self) -> dict[str, str]:
        """Name of each event and the types of its arguments."""
        return dict(self._SCHEMA)

    def subscribe(self, event: str, callback: Listener) -> None:
        """Calls `callback` with the arguments of every `publish` of the event."""
        self._add(event, callback, once=False)

    def subscribe_once(self, event: str, callback: Listener) -> None:
        """Calls `callback` for the next `publish` only."""
        self._add(event, callback, once=True)

    def unsubscribe(self, event: str, callback: Listener) -> None:
        """Ends a subscription.

        Raises:
            KeyError: The callback is not subscribed to the event.
        """
        with self._lock:
            listeners = self._listeners.get(event, ())
            for index, (listener, _) in enumerate(listeners):
                if listener == callback:
                    self._listeners[event] = listeners[:index] + listeners[index + 1 :]
                    return
        raise KeyError(f"{callback!r} is not subscribed to '{event}'")

    def publish(self, event: str, *args: Any, **kwargs: Any) -> None:
        """Calls all listeners of the event before it returns.

        All are called even if one raises; then the first exception is raised.
        """
        if not self._active:
            log_warn(f"event '{event}' was dropped: the EventBridge is not started")
            return
        failed: Exception | None = None
        for listener, once in self._listeners.get(event, ()):
            if once and not self._take(event, listener):
                continue
            try:
                listener(*args, **kwargs)
            except Exception as error:
                failed = failed or error
        if failed is not None:
            raise failed

    def listener_count(self, event: str) -> int:
        """How many callbacks are subscribed to the event."""
        return len(self._listeners.get(event, ()))

    def listeners(self, event: str) -> list[Listener]:
        """The callbacks that are subscribed to the event."""
        return [listener for listener, _ in self._listeners.get(event, ())]

    def wants(self, event: str) -> bool:
        """True if publishing the event would call somebody."""
        return self._active and bool(self._listeners.get(event))

    def _add(self, event: str, callback: Listener, *, once: bool) -> None:
        with self._lock:
            self._listeners[event] = (*self._listeners.get(event, ()), (callback, once))

    def _take(self, event: str, callback: Listener) -> bool:
        try:
            self.unsubscribe(event, callback)
        except KeyError:
            return False
        return True


def _renew_locks() -> None:
    EventBridge._instance_lock = threading.RLock()
    if EventBridge._instance is not None:
        EventBridge._instance._lock = threading.RLock()


_fork.on_child(_renew_locks)
