"""The steps of an order: plain functions, made steps by their decorators. The outside world only takes its time."""

from __future__ import annotations

import asyncio
from typing import Any

from tasker_core import PermanentError, RetryableError, StepContext
from tasker_core.step_handler import depends_on, step_handler
from tasker_core.step_handler import inputs as reads

from app.models import PACE_S, Charged, Order, Priced

PRICES = {"coffee": 1250, "mug": 900, "grinder": 8900, "teapot": 4900}


@step_handler("shop.validate")
@reads(Order)
async def validate(inputs: Order) -> dict[str, Any]:
    """An order that is wrong stays wrong: it is not tried again."""
    await asyncio.sleep(PACE_S)
    if not inputs.items:
        raise PermanentError("the order is empty")
    unknown = sorted(item.sku for item in inputs.items if item.sku not in PRICES)
    if unknown:
        raise PermanentError(f"nobody sells {', '.join(unknown)}")
    return {"lines": len(inputs.items)}


@step_handler("shop.price")
@reads(Order)
async def price(inputs: Order) -> dict[str, Any]:
    """What the items cost."""
    await asyncio.sleep(PACE_S)
    return {"total_cents": sum(PRICES[item.sku] * item.quantity for item in inputs.items)}


@step_handler("shop.reserve")
@reads(Order)
async def reserve(inputs: Order) -> dict[str, Any]:
    """Takes longer than `price`, beside which it runs."""
    await asyncio.sleep(2 * PACE_S)
    return {"reserved": {item.sku: item.quantity for item in inputs.items}}


@step_handler("shop.charge")
@depends_on(priced=("price", Priced))
@reads(Order)
async def charge(priced: Priced, inputs: Order, context: StepContext) -> dict[str, Any]:
    """A declined card fails for good; a gateway that does not answer is asked again, with the same key."""
    await asyncio.sleep(PACE_S)
    if inputs.card == "tok_declined":
        raise PermanentError("the card was declined", error_code="CARD_DECLINED")
    if inputs.card == "tok_flaky" and context.attempt < 3:
        raise RetryableError("the payment gateway did not answer")
    return {"receipt": context.idempotency_key, "cents": priced.total_cents}


@step_handler("shop.ship")
@reads(Order)
async def ship(inputs: Order) -> dict[str, Any]:
    """The parcel."""
    await asyncio.sleep(2 * PACE_S)
    return {"parcel": f"P-{inputs.order_id}"}


@step_handler("shop.invoice")
@depends_on(charged=("charge", Charged))
async def invoice(charged: Charged) -> dict[str, Any]:
    """The paper."""
    await asyncio.sleep(PACE_S)
    return {"invoice": f"{charged.cents / 100:.2f} paid, receipt {charged.receipt}"}


@step_handler("shop.confirm")
@depends_on(charged=("charge", Charged))
@reads(Order)
async def confirm(charged: Charged, inputs: Order) -> dict[str, Any]:
    """Reads what `charge` returned, which is not its parent: results of all ancestors are there."""
    await asyncio.sleep(PACE_S)
    return {"mailed": inputs.customer, "text": f"{charged.cents / 100:.2f} were charged; your order is on its way"}
