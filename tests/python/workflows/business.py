"""What the steps of the business workflows compute in either style, and the workflows' templates."""

from __future__ import annotations

from typing import Any

from templates import step, template

SALES = [{"order": n, "amount": amount} for n, amount in enumerate([999.99, 749.5, 449.25, 1000.99])]
INVENTORY = [{"sku": "A", "stock": 150}, {"sku": "B", "stock": 200}, {"sku": "C", "stock": 225}]
CUSTOMERS = [{"id": n, "lifetime_value": 1000.0 * value} for n, value in enumerate([10, 8, 6, 4, 2.5])]

PLANS = {
    "free": {"price": None, "features": []},
    "pro": {"price": 29.99, "features": ["reports"]},
    "enterprise": {"price": 299.99, "features": ["reports", "sso", "audit"]},
}
PREFERENCES = ["locale", "zone", "theme", "email", "in_app", "digest", "privacy"]


def total(rows: list[dict[str, Any]], key: str) -> float:
    """The sum of a column, in cents."""
    return round(sum(row[key] for row in rows), 2)


def insights(sums: dict[str, Any]) -> dict[str, Any]:
    """What follows from the sums of the pipeline."""
    return {
        "revenue_per_customer": round(sums["revenue"] / sums["customers"], 2),
        "turnover": round(sums["revenue"] / sums["inventory"], 4),
    }


def billing(plan: str) -> dict[str, Any]:
    """The invoice of a plan; none for the free one."""
    price = PLANS[plan]["price"]
    return {"status": "skipped_free_plan"} if price is None else {"status": "active", "price": price}


def preferences(plan: str) -> dict[str, Any]:
    """The preferences that a plan has."""
    features: Any = PLANS[plan]["features"]
    return {"preferences": [*PREFERENCES, *features]}


def pipeline(style: str) -> dict[str, Any]:
    """Three extractions, a transformation after each, one sum, one conclusion."""
    kinds = ["sales", "inventory", "customers"]
    steps = [step(f"extract_{kind}") for kind in kinds]
    steps += [step(f"transform_{kind}", f"extract_{kind}") for kind in kinds]
    steps += [step("aggregate", *(f"transform_{kind}" for kind in kinds)), step("conclude", "aggregate")]
    return template("pipeline", style, *steps)


def registration(style: str) -> dict[str, Any]:
    """One step, two beside each other, two after them."""
    return template(
        "registration",
        style,
        step("create_account"),
        step("set_up_billing", "create_account"),
        step("set_up_preferences", "create_account"),
        step("welcome", "set_up_billing", "set_up_preferences"),
        step("activate", "welcome"),
    )


def refund(style: str) -> dict[str, Any]:
    """Five steps in a row; the one that asks a person is tried once."""
    once = {"max_attempts": 1, "backoff": "linear", "backoff_base_ms": 60_000}
    return template(
        "refund",
        style,
        step("validate_request"),
        step("check_policy", "validate_request"),
        step("ask_manager", "check_policy", retry=once),
        step("execute_refund", "ask_manager"),
        step("resolve_ticket", "execute_refund"),
    )


def payback(style: str) -> dict[str, Any]:
    """Four steps in a row; the gateway does not answer the first time."""
    return template(
        "payback",
        style,
        step("find_payment"),
        step("call_gateway", "find_payment"),
        step("book_refund", "call_gateway"),
        step("tell_customer", "book_refund"),
    )


TEMPLATES = [pipeline, registration, refund, payback]
