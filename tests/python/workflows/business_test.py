"""The other workflows of upstream's suite that need only standard steps: shape, states, attempts, transitive inputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import business
import business_class_handlers
import business_dsl_handlers
import pytest
from tasker_core.testing import TaskRun, WorkerForTests

HANDLERS = {"class": business_class_handlers.HANDLERS, "dsl": business_dsl_handlers.HANDLERS}


@pytest.fixture(scope="module", params=["class", "dsl"])
def worker(request: pytest.FixtureRequest) -> Iterator[tuple[str, WorkerForTests]]:
    """One worker for each style."""
    style = request.param
    with WorkerForTests([make(style) for make in business.TEMPLATES], HANDLERS[style]) as worker:
        yield style, worker


@pytest.fixture
def run(worker: tuple[str, WorkerForTests]) -> Any:
    """Runs the task of a template's name in the style under test."""
    style, tester = worker

    def run(name: str, context: dict[str, Any] | None = None) -> TaskRun:
        return tester.run_task(f"golden/{name}_{style}", context)

    return run


def test_a_pipeline_with_three_roots(run: Any) -> None:
    done = run("pipeline")
    assert done.complete and len(done.steps) == 8 and set(done.states().values()) == {"complete"}
    assert {done.attempts(name) for name in done.steps} == {1}
    sums = {"revenue": 3199.73, "inventory": 575, "customers": 5, "lifetime_value": 30500.0}
    assert done.result("aggregate") == sums
    assert done.result("conclude") == {"revenue_per_customer": 639.95, "turnover": 5.5647}
    parents = {step["name"]: step["dependencies"] for step in done.task.steps}
    assert parents["aggregate"] == ["transform_sales", "transform_inventory", "transform_customers"]


@pytest.mark.parametrize(
    ("plan", "billed", "count"),
    [
        ("pro", {"status": "active", "price": 29.99}, 8),
        ("free", {"status": "skipped_free_plan"}, 7),
        ("enterprise", {"status": "active", "price": 299.99}, 10),
    ],
)
def test_a_user_is_registered(run: Any, plan: str, billed: dict[str, Any], count: int) -> None:
    done = run("registration", {"user_info": {"email": "ada@example.org", "name": "Ada", "plan": plan}})
    assert done.complete and done.result("set_up_billing") == billed
    assert len(done.result("set_up_preferences")["preferences"]) == count
    assert done.result("welcome") == {"to": "user:ada@example.org", "channels": ["email", "in_app"]}
    # Not only its parent's result, but those of all ancestors.
    activated = done.result("activate")
    assert activated["billing"] == billed["status"]
    assert sorted(activated["seen"]) == ["create_account", "set_up_billing", "set_up_preferences", "welcome"]


def test_a_user_without_an_address_ends_at_once(run: Any) -> None:
    done = run("registration", {"user_info": {"email": "ada", "name": "Ada"}})
    assert done.task.status == "blocked_by_failures" and done.attempts("create_account") == 1
    waiting = ["set_up_billing", "set_up_preferences", "welcome", "activate"]
    assert done.states() == {"create_account": "error", **dict.fromkeys(waiting, "pending")}


def test_a_ticket_is_resolved(run: Any) -> None:
    done = run("refund", {"ticket_id": "T-1", "refund_amount": 500})
    resolved = {"ticket": "T-1", "state": "resolved", "approved_by": "policy"}
    assert done.complete and done.result("resolve_ticket") == resolved
    large = run("refund", {"ticket_id": "T-2", "refund_amount": 5000, "manager": "grace"})
    assert large.result("resolve_ticket")["approved_by"] == "grace"


def test_a_step_with_one_attempt_is_not_tried_again(run: Any) -> None:
    done = run("refund", {"ticket_id": "T-3", "refund_amount": 5000})
    assert done.states()["ask_manager"] == "error" and done.attempts("ask_manager") == 1
    assert done.states()["execute_refund"] == "pending"


def test_a_gateway_answers_the_second_time(run: Any) -> None:
    done = run("payback", {"payment_id": "pay_123", "refund_amount": 5000, "customer_email": "ada@example.org"})
    assert done.complete and [done.attempts(name) for name in done.steps] == [1, 2, 1, 1]
    assert done.result("tell_customer") == {"to": "ada@example.org", "said": "refund of pay_123"}
    assert [entry.success for entry in done.steps["call_gateway"].history] == [False, True]
