"""The publishers and subscribers of the process."""

from __future__ import annotations

import threading
from typing import Any, ClassVar

from tasker_core.domain_events.poller import InProcessDomainEventPoller
from tasker_core.domain_events.publishers import BasePublisher, DefaultPublisher
from tasker_core.domain_events.subscribers import BaseSubscriber
from tasker_core.logging import log_error, log_warn

__all__ = ["PublisherRegistry", "SubscriberRegistry"]


class PublisherRegistry:
    """The publishers that templates name; the worker publishes through them."""

    _instance: ClassVar[PublisherRegistry | None] = None
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self) -> None:
        self._publishers: dict[str, BasePublisher] = {}
        self._default_publisher = DefaultPublisher()
        self._frozen = False

    @classmethod
    def instance(cls) -> PublisherRegistry:
        """The registry of the process."""
        with cls._lock:
            if cls._instance is None:
                cls._instance = cls()
            return cls._instance

    @classmethod
    def reset(cls) -> None:
        """Forgets the registry of the process; for tests."""
        with cls._lock:
            cls._instance = None

    def register(self, publisher: BasePublisher, name: str | None = None) -> None:
        """Registers a publisher by a name, its own unless given.

        Raises:
            RuntimeError: The registry is frozen.
            ValueError: It is no BasePublisher.
        """
        if self._frozen:
            raise RuntimeError("PublisherRegistry is frozen, cannot register new publishers")
        if not isinstance(publisher, BasePublisher):
            raise ValueError(f"Expected BasePublisher instance, got {type(publisher)}")
        name = name or publisher.publisher_name
        if name in self._publishers:
            log_warn(f"publisher '{name}' is replaced")
        self._publishers[name] = publisher

    def get(self, name: str) -> BasePublisher | None:
        """The publisher of a name, or None."""
        return self._publishers.get(name)

    def get_or_default(self, name: str) -> BasePublisher:
        """The publisher of a name, or one that publishes results as they are."""
        return self._publishers.get(name, self._default_publisher)

    def validate_required(self, names: list[str]) -> list[str]:
        """Those of the names that are not registered."""
        return [name for name in names if name not in self._publishers]

    def freeze(self) -> None:
        """From now on registering raises."""
        self._frozen = True

    def unfreeze(self) -> None:
        """Registering is allowed again; for tests."""
        self._frozen = False

    @property
    def is_frozen(self) -> bool:
        """True after `freeze`."""
        return self._frozen

    def list_publishers(self) -> list[str]:
        """All registered names."""
        return list(self._publishers)

    def clear(self) -> None:
        """Forgets all publishers; RuntimeError if frozen."""
        if self._frozen:
            raise RuntimeError("PublisherRegistry is frozen, cannot clear")
        self._publishers.clear()


class SubscriberRegistry:
    """The subscribers of the process; `Worker.start` starts them, and `Worker.stop` stops them."""

    _instance: ClassVar[SubscriberRegistry | None] = None
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self) -> None:
        self._subscriber_classes: dict[str, type[BaseSubscriber]] = {}
        self._subscriber_instances: dict[str, BaseSubscriber] = {}
        self._active_subscribers: list[BaseSubscriber] = []

    @classmethod
    def instance(cls) -> SubscriberRegistry:
        """The registry of the process."""
        with cls._lock:
            if cls._instance is None:
                cls._instance = cls()
            return cls._instance

    @classmethod
    def reset(cls) -> None:
        """Stops all subscribers and forgets the registry of the process; for tests."""
        with cls._lock:
            registry, cls._instance = cls._instance, None
        if registry is not None:
            registry.stop_all()

    def register(self, subscriber_class: type[BaseSubscriber]) -> None:
        """Registers a class, which is instantiated at every start.

        Raises:
            ValueError: It is no subclass of BaseSubscriber.
        """
        if not (isinstance(subscriber_class, type) and issubclass(subscriber_class, BaseSubscriber)):
            raise ValueError(f"Expected BaseSubscriber subclass, got {subscriber_class}")
        name = subscriber_class.__name__
        if self._subscriber_classes.get(name, subscriber_class) is not subscriber_class:
            log_warn(f"subscriber class '{name}' is replaced")
        self._subscriber_classes[name] = subscriber_class

    def register_instance(self, subscriber: BaseSubscriber, name: str | None = None) -> None:
        """Registers a subscriber by a name, its class's unless given.

        Raises:
            ValueError: It is no BaseSubscriber.
        """
        if not isinstance(subscriber, BaseSubscriber):
            raise ValueError(f"Expected BaseSubscriber instance, got {type(subscriber)}")
        name = name or type(subscriber).__name__
        if name in self._subscriber_instances:
            log_warn(f"subscriber '{name}' is replaced")
        self._subscriber_instances[name] = subscriber

    def start_all(self, poller: InProcessDomainEventPoller) -> int:
        """Starts all subscribers on a poller and returns how many; one that cannot start is logged."""
        made: list[tuple[str, type[BaseSubscriber] | BaseSubscriber]] = [
            *self._subscriber_classes.items(),
            *self._subscriber_instances.items(),
        ]
        started = 0
        for name, entry in made:
            try:
                subscriber = entry() if isinstance(entry, type) else entry
                subscriber.start(poller)
            except Exception as error:
                log_error(f"subscriber '{name}' could not start: {type(error).__name__}: {error}")
                continue
            self._active_subscribers.append(subscriber)
            started += 1
        return started

    def stop_all(self) -> int:
        """Stops all subscribers and returns how many."""
        active, self._active_subscribers = self._active_subscribers, []
        stopped = 0
        for subscriber in active:
            try:
                subscriber.stop()
                stopped += 1
            except Exception as error:
                log_error(f"subscriber {type(subscriber).__name__} could not stop: {error!r}")
        return stopped

    def list_registered(self) -> dict[str, list[str]]:
        """Names of the classes and of the instances."""
        return {"classes": list(self._subscriber_classes), "instances": list(self._subscriber_instances)}

    @property
    def active_count(self) -> int:
        """How many are started."""
        return len(self._active_subscribers)

    def stats(self) -> dict[str, Any]:
        """Counts, and the patterns of each active subscriber."""
        return {
            "registered_classes": len(self._subscriber_classes),
            "registered_instances": len(self._subscriber_instances),
            "active_subscribers": len(self._active_subscribers),
            "subscriptions": [
                {"class": type(s).__name__, "patterns": s.subscriptions, "active": s.active}
                for s in self._active_subscribers
            ],
        }

    def clear(self) -> None:
        """Stops and forgets all subscribers."""
        self.stop_all()
        self._subscriber_classes.clear()
        self._subscriber_instances.clear()
