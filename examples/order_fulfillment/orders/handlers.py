"""validate, charge and notify: plain functions, made steps by their decorators."""

from __future__ import annotations

import asyncio
import json
import os
import pathlib
from typing import Any

from tasker_core import PermanentError, RetryableError, StepContext
from tasker_core.step_handler import depends_on, inputs, step_handler

# The outside world of this example is two files in the folder that tasker-host runs in.
OUTSIDE = pathlib.Path("outside")


@step_handler("orders.validate")
@inputs("items", "customer")
def validate(items: list[dict[str, Any]], customer: str) -> dict[str, Any]:
    """An order that is wrong stays wrong: it is not tried again."""
    if "@" not in customer:
        raise PermanentError(f"'{customer}' is no mail address")
    if not items:
        raise PermanentError("the order is empty")
    wrong = [item["sku"] for item in items if item["quantity"] < 1]
    if wrong:
        raise PermanentError(f"the quantity of {', '.join(wrong)} is not positive")
    return {"lines": len(items)}


@step_handler("orders.charge")
@depends_on(price="price")
@inputs("card", "order_id")
def charge(price: dict[str, Any], card: str, order_id: str, context: StepContext) -> dict[str, Any]:
    """The gateway keeps a charge under the step's idempotency key: a second attempt finds the first one's."""
    receipt = already_charged(context.idempotency_key)
    if receipt is not None:
        return receipt
    if card == "tok_declined":
        raise PermanentError("the card was declined", error_code="CARD_DECLINED")
    if card == "tok_flaky" and context.retry_count < 2:
        raise RetryableError("the payment gateway did not answer")
    return record("charges.jsonl", {"key": context.idempotency_key, "order": order_id,
                                    "cents": price["total_cents"]})


@step_handler("orders.notify")
@depends_on(receipt="charge")
@inputs("customer", "order_id")
async def notify(receipt: dict[str, Any], customer: str, order_id: str, context: StepContext) -> dict[str, Any]:
    """Async: a thousand of these wait side by side on one event loop."""
    await asyncio.sleep(0.02)
    return record("mails.jsonl", {"key": context.idempotency_key, "order": order_id, "to": customer,
                                  "text": f"{receipt['cents'] / 100:.2f} were charged; your order is on its way"})


def already_charged(key: str) -> dict[str, Any] | None:
    path = OUTSIDE / "charges.jsonl"
    if not path.exists():
        return None
    with path.open(encoding="utf-8") as lines:
        return next((entry for entry in map(json.loads, lines) if entry["key"] == key), None)


def record(name: str, entry: dict[str, Any]) -> dict[str, Any]:
    """Appends one line in one write, which other processes cannot cut in two."""
    OUTSIDE.mkdir(exist_ok=True)
    line = (json.dumps(entry) + "\n").encode()
    file = os.open(OUTSIDE / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, line)
    finally:
        os.close(file)
    return entry
