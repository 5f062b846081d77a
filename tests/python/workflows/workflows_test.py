"""Upstream's workflows with upstream's outputs, on the real host, with handlers of either style.

It needs the real native module: run it with an installed tasker-host, or with PYTHONPATH=build/release/python.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import class_handlers
import dsl_handlers
import pytest
import templates
from tasker_core import BasePublisher, BaseSubscriber
from tasker_core.domain_events import PublisherRegistry, SubscriberRegistry
from tasker_core.testing import TaskRun, WorkerForTests

HANDLERS = {"class": class_handlers.HANDLERS, "dsl": dsl_handlers.HANDLERS}
KINDS = {"succeeds": 1, "fails_for_now": 3, "fails_for_good": 1}


class Payments(BasePublisher):
    """Leaves the card out."""

    @property
    def publisher_name(self) -> str:
        return "payments"

    def transform_payload(self, ctx: Any) -> dict[str, Any]:
        return {"paid": ctx.result["paid"]}


class Notifications(BasePublisher):
    """Adds how it went out."""

    @property
    def publisher_name(self) -> str:
        return "notifications"

    def additional_metadata(self, ctx: Any) -> dict[str, Any]:
        return {"channel": "mail"}


class Listens(BaseSubscriber):
    """Keeps the events."""

    events: list[dict[str, Any]] = []
    came = threading.Condition()

    @classmethod
    def subscribes_to(cls) -> list[str]:
        return ["*"]

    def handle(self, event: dict[str, Any]) -> None:
        with Listens.came:
            Listens.events.append(event)
            Listens.came.notify_all()

    @classmethod
    def wait(cls, count: int) -> list[str]:
        with cls.came:
            assert cls.came.wait_for(lambda: len(cls.events) >= count, 10)
        # A step's events are published once its result is stored, when the next step may run already.
        return sorted(event["event_name"] for event in cls.events)


@pytest.fixture(scope="module", params=["class", "dsl"])
def worker(request: pytest.FixtureRequest) -> Iterator[tuple[str, WorkerForTests]]:
    """One worker for each style, with all templates."""
    style = request.param
    PublisherRegistry.instance().register(Payments())
    PublisherRegistry.instance().register(Notifications())
    SubscriberRegistry.instance().register(Listens)
    made = [
        make(style)
        for make in (
            templates.linear,
            templates.diamond,
            templates.methods,
            templates.ecommerce,
            templates.domain_events,
            templates.async_fan,
        )
    ]
    made += [templates.failing(style, kind) for kind in KINDS]
    with WorkerForTests(made, HANDLERS[style]) as worker:
        yield style, worker
    PublisherRegistry.reset()
    SubscriberRegistry.reset()


@pytest.fixture
def run(worker: tuple[str, WorkerForTests]) -> Any:
    """Runs the task of a template's name in the style under test."""
    style, tester = worker
    Listens.events = []

    def run(name: str, context: dict[str, Any] | None = None) -> TaskRun:
        return tester.run_task(f"golden/{name}_{style}", context)

    return run


def results(run: TaskRun, *names: str) -> list[Any]:
    return [run.result(name)["result"] for name in names]


def test_linear(run: Any) -> None:
    done = run("linear", {"even_number": 4})
    assert done.complete and results(done, "square", "add_ten", "triple", "halve") == [16, 26, 78, 39.0]
    assert results(run("linear", {"even_number": 6}), "halve") == [69.0]


def test_linear_refuses_an_odd_number_for_good(run: Any) -> None:
    done = run("linear", {"even_number": 5})
    assert not done.complete and done.attempts("square") == 1 and done.attempts("add_ten") == 0
    assert done.steps["square"].state == "error"


def test_diamond(run: Any) -> None:
    done = run("diamond", {"even_number": 6})
    assert results(done, "square", "path_a", "path_b", "merge") == [36, 61, 72, 66.5]


def test_methods(run: Any, worker: Any) -> None:
    done = run("methods")
    called = [done.result(name)["invoked_method"] for name in ("first", "second", "third", "last")]
    # A function has no other methods.
    assert called == (["validate", "process", "refund", "call"] if worker[0] == "class" else ["call"] * 4)


@pytest.mark.parametrize("kind", KINDS)
def test_attempts(run: Any, kind: str) -> None:
    done = run(kind)
    assert done.attempts(kind) == KINDS[kind] and done.complete == (kind == "succeeds")


CART = [{"product_id": 1, "quantity": 2}, {"product_id": 2, "quantity": 1}]


def test_ecommerce(run: Any) -> None:
    payment = {"token": "tok_test_valid", "amount": 124.76}
    done = run("ecommerce", {"cart_items": CART, "payment_info": payment})
    cart = done.result("validate_cart")
    assert (cart["subtotal"], cart["tax"], cart["shipping"]) == (109.97, 8.8, 5.99)
    assert cart["total"] == pytest.approx(124.76) and done.result("send_confirmation")["total"] == cart["total"]
    assert done.result("update_inventory") == {"reserved_for": 109.97}
    assert done.result("create_order")["seen"] == ["process_payment", "update_inventory", "validate_cart"]


def test_a_declined_card_ends_after_one_attempt(run: Any) -> None:
    payment = {"token": "tok_test_declined", "amount": 124.76}
    done = run("ecommerce", {"cart_items": CART, "payment_info": payment})
    assert done.attempts("process_payment") == 1 and done.steps["process_payment"].state == "error"
    assert done.attempts("update_inventory") == 0


def test_domain_events(run: Any) -> None:
    done = run("domain_events", {"order_id": 7, "customer_id": 1, "amount": 10})
    published = {
        "order.validated": {"order_id": 7},
        "payment.processed": {"paid": 10},
        "inventory.updated": {"left": 3},
        "notification.sent": {"customer": 1},
    }
    assert done.complete and Listens.wait(4) == sorted(published)
    assert {event["event_name"]: event["payload"] for event in Listens.events} == published
    by_name = {event["event_name"]: event for event in Listens.events}
    assert by_name["notification.sent"]["metadata"]["channel"] == "mail"
    assert by_name["payment.processed"]["execution_result"]["result"] == {"paid": 10, "card": "4111"}


def test_what_is_published_always_is_published_of_a_failure(run: Any) -> None:
    run("domain_events", {"order_id": 7, "customer_id": 1, "amount": 10, "sold_out": True})
    assert Listens.wait(3) == ["inventory.updated", "order.validated", "payment.processed"]
    failed = next(event for event in Listens.events if event["event_name"] == "inventory.updated")
    assert failed["execution_result"]["success"] is False


def test_every_failed_attempt_is_an_event(run: Any) -> None:
    done = run("domain_events", {"order_id": 7, "amount": 10, "simulate_failure": True})
    assert done.attempts("pay") == 3
    assert Listens.wait(4) == ["order.validated", *["payment.failed"] * 3]


def test_async_steps_share_a_loop_and_run_together(run: Any) -> None:
    # Each of the twenty waits for all the others.
    done = run("async_fan")
    assert done.result("count") == {"steps": 20, "loops": 1}
