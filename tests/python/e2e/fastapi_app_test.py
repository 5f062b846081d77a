"""examples/fastapi_app over HTTP: one process, two, a reload in the middle of an order."""

from __future__ import annotations

import uuid

import httpx
import pytest
from web_app import PATIENCE_S, Server, states

STEPS = ["validate", "price", "reserve", "charge", "ship", "invoice", "confirm"]
DONE = dict.fromkeys(STEPS, "complete")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The shop in one process."""
    with Server(tmp_path_factory.mktemp("shop"), pace_s=0.1) as server:
        yield server


def test_orders_are_taken_streamed_and_shown(server):
    task = server.submit("A1")
    events = list(server.stream(task))
    assert [event["settled"] for event in events] == [False] * (len(events) - 1) + [True]
    assert events[-1]["state"] == "complete" and states(events[-1]) == DONE
    pictures = [states(event) for event in events]
    assert len(pictures) >= 3, "steps that follow each other were seen one after another"
    assert all(before != after for before, after in zip(pictures, pictures[1:]))
    after = {step["name"]: step["after"] for step in events[0]["steps"]}
    assert after["charge"] == ["price", "reserve"] and after["validate"] == []

    shown = server.show(task)
    results = {step["name"]: step["result"] for step in shown["steps"]}
    assert results["price"] == {"total_cents": 2500} and results["confirm"]["mailed"] == "ada@example.org"
    assert shown["order"]["order_id"] == "A1"
    assert server.submit("A1") == task, "the same order"
    assert list(server.stream(task))[-1]["settled"], "an order that has ended is told once"


def test_an_order_that_fails_says_why(server):
    flaky, declined = server.submit("B1", card="tok_flaky"), server.submit("B2", card="tok_declined")
    ends = {task: list(server.stream(task))[-1] for task in (flaky, declined)}
    failures = {task: {s["name"]: s["failures"] for s in ends[task]["steps"]} for task in ends}
    assert states(ends[flaky]) == DONE and failures[flaky]["charge"] == 2
    assert ends[declined]["state"] == "blocked_by_failures" and failures[declined]["charge"] == 1
    errors = {step["name"]: step["error"] for step in server.show(declined)["steps"]}
    assert errors["charge"] == "the card was declined" and errors["ship"] is None

    unknown = f"{server.url}/orders/{uuid.uuid4()}"
    assert [httpx.get(url).status_code for url in (unknown, unknown + "/events", unknown[:-4])] == [404, 404, 422]
    assert httpx.post(f"{server.url}/orders", json={"order_id": "B3"}).status_code == 422


def test_either_of_two_processes_streams_what_the_other_took(tmp_path):
    with Server(tmp_path, "--workers", "2", processes=2, pace_s=0.1) as server:
        pids = server.until(2, lambda: httpx.get(f"{server.url}/health", timeout=PATIENCE_S).json()["pid"])
        assert len(pids) == 2
        task = server.submit("C1")
        told: dict[int, list[dict[str, str]]] = {}

        def listen() -> int:
            events = list(server.stream(task))
            told.setdefault(events[0]["pid"], [states(event) for event in events])
            return events[0]["pid"]

        server.until(2, listen)
        assert set(told) == pids and all(pictures[-1] == DONE for pictures in told.values())

        # Whoever it is that streams, and whoever works: the stream moves with the order.
        pictures = [states(event) for event in server.stream(server.submit("C2"))]
        assert len(pictures) >= 3 and pictures[-1] == DONE


def test_an_order_in_flight_outlives_a_reload(tmp_path):
    with Server(tmp_path, "--reload", pace_s=0.3) as server:
        task = server.submit("D1")
        moving = server.stream(task)
        first = next(moving)
        moving.close()
        assert not first["settled"]
        handlers = server.app / "handlers.py"
        handlers.write_text(handlers.read_text() + "\n# edited\n")
        server.wait_for("Application startup complete", 2)
        last = list(server.stream(task))[-1]
        assert states(last) == DONE and last["pid"] != first["pid"]
