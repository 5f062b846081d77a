"""Subscribers handle events."""

from __future__ import annotations

import fnmatch
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from tasker_core.logging import log_error, log_info
from tasker_core.types import InProcessDomainEvent

if TYPE_CHECKING:
    from tasker_core.domain_events.poller import InProcessDomainEventPoller

__all__ = ["BaseSubscriber"]


class BaseSubscriber(ABC):
    """Handles the events whose names match one of its patterns, each once, on the poller's thread.

    What `handle` raises goes to `on_handle_error`; an event is not delivered again.
    """

    def __init__(self) -> None:
        self._active = False
        self._subscriptions: list[str] = []
        self._poller: InProcessDomainEventPoller | None = None

    @classmethod
    @abstractmethod
    def subscribes_to(cls) -> list[str]:
        """Names or patterns: `order.completed`, `payment.*`, `*`."""

    @abstractmethod
    def handle(self, event: dict[str, Any]) -> None:
        """Handles an event: the fields of InProcessDomainEvent as a dict."""

    @property
    def active(self) -> bool:
        """True between `start` and `stop`."""
        return self._active

    @property
    def subscriptions(self) -> list[str]:
        """The patterns while active."""
        return list(self._subscriptions)

    def before_handle(self, event: dict[str, Any]) -> bool:
        """False to leave out the event."""
        return True

    def after_handle(self, event: dict[str, Any]) -> None:
        """The event was handled."""
        return

    def on_handle_error(self, event: dict[str, Any], error: Exception) -> None:
        """`handle` or a hook raised; it is logged unless overridden."""
        log_error(
            f"{type(self).__name__} could not handle event '{event.get('event_name', 'unknown')}': "
            f"{type(error).__name__}: {error}"
        )

    def matches(self, event_name: str) -> bool:
        """True if one of the patterns matches the name."""
        return any(fnmatch.fnmatchcase(event_name, pattern) for pattern in self.subscribes_to())

    def start(self, poller: InProcessDomainEventPoller) -> None:
        """Handles the events of the poller from now on. Idempotent."""
        if self._active:
            return
        self._subscriptions = list(self.subscribes_to())
        self._active = True
        self._poller = poller
        poller.on_event(self._receive)
        log_info(f"subscriber {type(self).__name__} handles {', '.join(self._subscriptions)}")

    def stop(self) -> None:
        """Handles no further event. Idempotent."""
        if not self._active:
            return
        self._active = False
        self._subscriptions = []
        if self._poller is not None:
            remove = getattr(self._poller, "remove_event_callback", None)
            if remove is not None:
                remove(self._receive)
            self._poller = None

    def handle_event_safely(self, event: dict[str, Any]) -> None:
        """Runs the hooks and `handle`; nothing if not active. Never raises what they raise."""
        if not self._active:
            return
        try:
            if not self.before_handle(event):
                return
            self.handle(event)
            self.after_handle(event)
        except Exception as error:
            self.on_handle_error(event, error)

    def _receive(self, event: InProcessDomainEvent) -> None:
        if self.matches(event.event_name):
            self.handle_event_safely(event.model_dump())

    def _handle_if_matches(self, event: InProcessDomainEvent, pattern: str) -> None:
        if fnmatch.fnmatchcase(event.event_name, pattern):
            self.handle_event_safely(event.model_dump())
