"""The handlers of the workflows as functions."""

from __future__ import annotations

import asyncio
from typing import Any

from class_handlers import PRICES, Meeting
from keeping import keeping
from tasker_core import PermanentError, RetryableError, StepContext, StepHandlerResult
from tasker_core.step_handler import depends_on, inputs

HANDLERS: list[Any] = []
handles = keeping(HANDLERS)


@handles("square")
@inputs("even_number")
def square(even_number: int) -> Any:
    if even_number % 2:
        return StepHandlerResult.failure("the number must be even", "validation_error", retryable=False)
    return {"result": even_number * even_number}


@handles("add_ten")
@depends_on(squared="square")
def add_ten(squared: Any) -> Any:
    return {"result": squared["result"] + 10}


@handles("triple")
@depends_on(added="add_ten")
def triple(added: Any) -> Any:
    return {"result": added["result"] * 3}


@handles("halve")
@depends_on(tripled="triple")
def halve(tripled: Any) -> Any:
    return {"result": tripled["result"] / 2}


@handles("path_a")
@depends_on(squared="square")
def path_a(squared: Any) -> Any:
    return {"result": squared["result"] + 25}


@handles("path_b")
@depends_on(squared="square")
def path_b(squared: Any) -> Any:
    return {"result": squared["result"] * 2}


@handles("merge")
@depends_on(a="path_a", b="path_b")
def merge(a: Any, b: Any) -> Any:
    return {"result": (a["result"] + b["result"]) / 2}


@handles("multi")
def multi() -> Any:
    return {"invoked_method": "call"}


@handles("succeeds")
def succeeds() -> Any:
    return {"ok": True}


@handles("fails_for_now")
def fails_for_now() -> Any:
    raise RetryableError("try again", retry_after=60)


@handles("fails_for_good")
def fails_for_good() -> Any:
    raise PermanentError("never")


@handles("validate_cart")
@inputs("cart_items")
def validate_cart(cart_items: Any) -> Any:
    subtotal = round(sum(PRICES[item["product_id"]] * item["quantity"] for item in cart_items), 2)
    tax, shipping = round(subtotal * 0.08, 2), 5.99
    return {"subtotal": subtotal, "tax": tax, "shipping": shipping, "total": subtotal + tax + shipping}


@handles("process_payment")
@depends_on(cart="validate_cart")
@inputs("payment_info")
def process_payment(cart: Any, payment_info: Any) -> Any:
    if payment_info["token"] == "tok_test_declined":
        raise PermanentError(message="the card was declined", error_code="CARD_DECLINED")
    if abs(payment_info["amount"] - cart["total"]) > 0.01:
        raise PermanentError("the amount is not the cart's total", error_code="AMOUNT")
    return {"payment_id": "pay_1", "amount": payment_info["amount"]}


@handles("update_inventory")
@depends_on(cart="validate_cart")
def update_inventory(cart: Any) -> Any:
    return {"reserved_for": cart["subtotal"]}


@handles("create_order")
def create_order(context: StepContext) -> Any:
    return {"seen": sorted(context.get_dependency_result_keys())}


@handles("send_confirmation")
@depends_on(cart="validate_cart")
def send_confirmation(cart: Any) -> Any:
    return {"total": cart["total"]}


@handles("validate_order")
@inputs("order_id")
def validate_order(order_id: Any) -> Any:
    return {"order_id": order_id}


@handles("pay")
@inputs("amount", "simulate_failure")
def pay(amount: Any, simulate_failure: Any) -> Any:
    if simulate_failure:
        raise RetryableError("the bank does not answer")
    return {"paid": amount, "card": "4111"}


@handles("take_from_stock")
@inputs("sold_out")
def take_from_stock(sold_out: Any) -> Any:
    if sold_out:
        return StepHandlerResult.failure("nothing is left", "sold_out", retryable=False)
    return {"left": 3}


@handles("notify")
@inputs("customer_id")
def notify(customer_id: Any) -> Any:
    return {"customer": customer_id}


MEETING = Meeting(20)


@handles("wait")
async def wait() -> Any:
    await MEETING.join()
    return {"loop": id(asyncio.get_running_loop())}


@handles("count")
def count(context: StepContext) -> Any:
    results = context.get_all_dependency_results("wait_")
    return {"steps": len(results), "loops": len({result["loop"] for result in results})}
