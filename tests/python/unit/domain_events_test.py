"""Domain events: published when a step ends, delivered once to each subscriber."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import tasker_core
from tasker_core import (
    BasePublisher,
    BaseSubscriber,
    HandlerRegistry,
    InProcessDomainEventPoller,
    PermanentError,
    StepEventContext,
    StepHandler,
    Worker,
)
from tasker_core.domain_events import DefaultPublisher, PublisherRegistry, SubscriberRegistry, publishing


class Pays(StepHandler):
    handler_name = "pays"

    def call(self, context: Any) -> Any:
        if context.get_input("fail"):
            raise PermanentError("declined")
        return self.success({"payment": 7, "card": "4111"})


class WithoutCard(BasePublisher):
    """Leaves the card out."""

    def __init__(self) -> None:
        self.hooks: list[str] = []

    @property
    def publisher_name(self) -> str:
        return "without_card"

    def should_publish(self, ctx: Any) -> bool:
        self.hooks.append("should")
        return True

    def transform_payload(self, ctx: Any) -> dict[str, Any]:
        return {"payment": ctx.result["payment"]}

    def additional_metadata(self, ctx: Any) -> dict[str, Any]:
        return {"team": "money"}

    def after_publish(self, event_name: str, payload: Any, metadata: Any) -> None:
        self.hooks.append(f"after {event_name}")


class Listens(BaseSubscriber):
    """Keeps what it gets."""

    got: list[dict[str, Any]] = []
    filled = threading.Condition()

    @classmethod
    def subscribes_to(cls) -> list[str]:
        return ["payment.*", "*.processed"]

    def handle(self, event: dict[str, Any]) -> None:
        with Listens.filled:
            Listens.got.append(event)
            Listens.filled.notify_all()


def wait_for(count: int) -> list[dict[str, Any]]:
    with Listens.filled:
        assert Listens.filled.wait_for(lambda: len(Listens.got) >= count, 5)
    return Listens.got


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    Listens.got = []
    publishing._noticed.clear()
    HandlerRegistry.instance(skip_bootstrap=True).register("pays", Pays)
    yield
    Worker.reset_instance()
    SubscriberRegistry.reset()
    PublisherRegistry.reset()
    while tasker_core.domain_events.delivery._polled_by_hand.get():
        pass


DECLARED = [
    {"name": "payment.processed", "condition": "success", "publisher": "without_card", "schema": {}},
    {"name": "payment.failed", "condition": "failure", "delivery_mode": "durable", "schema": {}},
    {"name": "payment.seen", "condition": "always", "delivery_mode": "fast", "schema": {}},
    {"name": "payment.again", "condition": "retryable_failure"},
    {"name": "payment.never", "condition": "permanent_failure"},
    {"name": "other", "condition": "always"},
    {"nonsense": 1},
]


def test_the_worker_publishes_and_subscribers_handle_each_event_once(host: Any, event: Any) -> None:
    publisher = WithoutCard()
    PublisherRegistry.instance().register(publisher)
    SubscriberRegistry.instance().register(Listens)
    with Worker.start():
        assert SubscriberRegistry.instance().active_count == 1
        host.put(event("pays", publishes=DECLARED))
        got = wait_for(2)
    assert [e["event_name"] for e in got] == ["payment.processed", "payment.seen"]
    first = got[0]
    assert first["payload"] == {"payment": 7} and first["metadata"]["team"] == "money"
    assert first["execution_result"]["success"] and first["execution_result"]["result"]["payment"] == 7
    assert first["metadata"]["namespace"] == "shop" and first["metadata"]["step_name"] == "step"
    assert publisher.hooks == ["should", "after payment.processed"]
    assert SubscriberRegistry.instance().active_count == 0


def test_failures_are_published_by_their_conditions(host: Any, event: Any) -> None:
    SubscriberRegistry.instance().register_instance(Listens())
    with Worker.start():
        host.put(event("pays", context={"fail": True}, publishes=DECLARED))
        got = wait_for(3)
    assert [e["event_name"] for e in got] == ["payment.failed", "payment.seen", "payment.never"]
    assert got[0]["execution_result"]["error_type"] == "PermanentError"
    notices = [message for _, message, _ in host.logs if "durable events" in message]
    assert len(notices) == 1 and "shop/orders" in notices[0]


def test_a_publisher_that_raises_does_no_harm_to_the_step(host: Any, event: Any) -> None:
    class Raises(WithoutCard):
        def transform_payload(self, ctx: Any) -> Any:
            raise KeyError("payment")

    PublisherRegistry.instance().register(Raises())
    with Worker.start():
        host.put(event("pays", publishes=DECLARED))
        host.wait_ended(1)
    assert host.completed and any("KeyError" in message for level, message, _ in host.logs if level == "error")


def test_an_unregistered_publisher_is_named_once(host: Any, event: Any) -> None:
    with Worker.start():
        for count in (1, 2):
            host.put(event("pays", publishes=DECLARED))
            host.wait_ended(count)
    named = [message for _, message, _ in host.logs if "'without_card'" in message]
    assert len(named) == 1


def test_nothing_is_published_for_a_result_that_came_too_late(host: Any, event: Any) -> None:
    class Late(Pays):
        def call(self, context: Any) -> Any:
            host.taken.clear()
            return {}

    HandlerRegistry.instance().register("late", Late)
    with Worker.start():
        host.put(event("late", publishes=DECLARED))
        host.put(event("pays"))
        host.wait_ended(1)
    assert tasker_core.domain_events.delivery._polled_by_hand.get() is None


def context() -> StepEventContext:
    ids = [str(uuid.uuid4()) for _ in range(3)]
    return StepEventContext(
        task_uuid=ids[0], step_uuid=ids[1], step_name="s", namespace="n", correlation_id=ids[2], result={"a": 1}
    )


def test_an_event_published_by_hand_is_polled_by_hand_and_by_every_poller() -> None:
    pollers = [InProcessDomainEventPoller() for _ in range(2)]
    got: list[Any] = []
    both = threading.Event()
    for poller in pollers:
        poller.on_event(lambda e: (got.append(e), len(got) == 2 and both.set()))  # type: ignore[func-returns-value]
        poller.start()
    assert DefaultPublisher().publish(context(), "thing.done")
    assert both.wait(5)
    for poller in pollers:
        poller.stop()
    polled = tasker_core.poll_in_process_events()
    assert polled is not None and polled["event_name"] == "thing.done" and polled["payload"] == {"a": 1}
    with pytest.raises(RuntimeError, match="not initialized"):
        tasker_core.poll_in_process_events()


def test_hooks_can_stop_an_event_and_errors_go_to_their_hook() -> None:
    class Stops(DefaultPublisher):
        def before_publish(self, event_name: str, payload: Any, metadata: Any) -> bool:
            return False

    class Breaks(DefaultPublisher):
        errors: list[Exception] = []

        def before_publish(self, event_name: str, payload: Any, metadata: Any) -> bool:
            raise OSError("x")

        def on_publish_error(self, event_name: str, error: Exception, payload: Any) -> None:
            self.errors.append(error)

    assert not Stops().publish(context()) and not Breaks().publish(context())
    assert isinstance(Breaks.errors[0], OSError)


def test_a_subscriber_that_stops_is_unregistered_from_its_poller() -> None:
    poller = InProcessDomainEventPoller()
    subscriber = Listens()
    subscriber.start(poller)
    subscriber.start(poller)
    assert len(poller._event_callbacks) == 1 and subscriber.subscriptions == ["payment.*", "*.processed"]
    subscriber.stop()
    assert poller._event_callbacks == [] and not subscriber.active
    subscriber.handle_event_safely({"event_name": "payment.x"})
    assert Listens.got == []


def test_a_handle_that_raises_goes_to_its_hook(host: Any) -> None:
    class Breaks(Listens):
        def handle(self, event: Any) -> None:
            raise OSError("x")

    subscriber = Breaks()
    subscriber._active = True
    subscriber.handle_event_safely({"event_name": "e"})
    assert any("could not handle event 'e'" in message for _, message, _ in host.logs)


def test_the_poller_starts_once_and_reports_defects() -> None:
    poller = InProcessDomainEventPoller(polling_interval_ms=1)
    errors: list[Exception] = []
    poller.on_error(errors.append)
    poller.on_event(lambda e: 1 / 0)
    poller.start()
    with pytest.raises(RuntimeError, match="already running"):
        poller.start()
    DefaultPublisher().publish(context())
    poller.stop()
    assert not poller.is_running and poller.stats["events_processed"] == 1
    assert any(isinstance(error, ZeroDivisionError) for error in errors)


def test_the_publisher_registry_freezes() -> None:
    registry = PublisherRegistry.instance()
    registry.register(WithoutCard(), "other")
    assert registry.list_publishers() == ["other"] and registry.get("nope") is None
    assert registry.get_or_default("nope").publisher_name == "default"
    assert registry.validate_required(["other", "nope"]) == ["nope"]
    registry.freeze()
    for change in (lambda: registry.register(WithoutCard()), registry.clear):
        with pytest.raises(RuntimeError, match="frozen"):
            change()
    registry.unfreeze()
    with pytest.raises(ValueError, match="BasePublisher"):
        registry.register("x")  # type: ignore[arg-type]


def test_the_subscriber_registry_counts() -> None:
    registry = SubscriberRegistry.instance()
    registry.register(Listens)
    registry.register_instance(Listens(), "second")
    assert registry.list_registered() == {"classes": ["Listens"], "instances": ["second"]}
    assert registry.start_all(InProcessDomainEventPoller()) == 2
    assert registry.stats()["active_subscribers"] == 2 and registry.stop_all() == 2
    for wrong in (int, Listens()):
        with pytest.raises(ValueError, match="BaseSubscriber"):
            registry.register(wrong)  # type: ignore[arg-type]
