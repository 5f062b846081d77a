"""Templates of upstream's workflows, in the shapes of tasker-py-api.md 3.4, for either style of handlers."""

from __future__ import annotations

import itertools
from typing import Any

RETRY = {"max_attempts": 3, "backoff": "exponential", "backoff_base_ms": 60_000}


def template(name: str, style: str, *steps: dict[str, Any]) -> dict[str, Any]:
    """A template whose handlers are named `<style>.<name>`."""
    for step in steps:
        handler = step["handler"]
        handler["callable"] = f"{style}.{handler['callable']}"
        step.setdefault("retry", RETRY)
    return {"name": f"{name}_{style}", "namespace_name": "golden", "version": "1.0.0", "steps": list(steps)}


def step(name: str, *after: str, handler: str | None = None, method: str | None = None, **more: Any) -> dict[str, Any]:
    """A step that follows others; its handler has its name unless given."""
    entry: dict[str, Any] = {"callable": handler or name}
    if method is not None:
        entry["method"] = method
    return {"name": name, "handler": entry, "dependencies": list(after), **more}


def linear(style: str) -> dict[str, Any]:
    """Four steps in a row."""
    return template(
        "linear", style, step("square"), step("add_ten", "square"), step("triple", "add_ten"), step("halve", "triple")
    )


def diamond(style: str) -> dict[str, Any]:
    """One step, two beside each other, one."""
    merge = step("merge", "path_a", "path_b")
    return template("diamond", style, step("square"), step("path_a", "square"), step("path_b", "square"), merge)


def methods(style: str) -> dict[str, Any]:
    """Four steps of one handler, by four methods."""
    steps = [step("first", handler="multi", method="validate")]
    for name, before, method in (
        ("second", "first", "process"),
        ("third", "second", "refund"),
        ("last", "third", None),
    ):
        steps.append(step(name, before, handler="multi", method=method))
    return template("methods", style, *steps)


def failing(style: str, kind: str) -> dict[str, Any]:
    """One step that succeeds, fails for now, or fails for good."""
    return template(kind, style, step(kind))


def ecommerce(style: str) -> dict[str, Any]:
    """Five steps in a row that read what their ancestors returned, not only their parents."""
    names = ["validate_cart", "process_payment", "update_inventory", "create_order", "send_confirmation"]
    return template("ecommerce", style, step(names[0]), *(step(b, a) for a, b in itertools.pairwise(names)))


def domain_events(style: str) -> dict[str, Any]:
    """Four steps in a row that publish."""
    schema = {"type": "object"}
    processed = {"name": "payment.processed", "condition": "success", "delivery_mode": "durable", "schema": schema}
    failed = {"name": "payment.failed", "condition": "failure", "delivery_mode": "durable", "schema": schema}
    fast = {"delivery_mode": "fast", "schema": schema}
    validated = {"name": "order.validated", "condition": "success", **fast}
    updated = {"name": "inventory.updated", "condition": "always", **fast}
    sent = {"name": "notification.sent", "condition": "success", **fast}
    return template(
        "domain_events",
        style,
        step("validate_order", publishes_events=[validated]),
        step("pay", "validate_order", publishes_events=[{**processed, "publisher": "payments"}, failed]),
        step("take_from_stock", "pay", publishes_events=[updated]),
        step("notify", "take_from_stock", publishes_events=[{**sent, "publisher": "notifications"}]),
    )


def async_fan(style: str) -> dict[str, Any]:
    """Twenty async steps beside each other, and one that adds them up."""
    names = [f"wait_{n:02d}" for n in range(20)]
    return template("async_fan", style, *(step(name, handler="wait") for name in names), step("count", *names))
