"""The handlers of the workflows as classes."""

from __future__ import annotations

import asyncio
from typing import Any

from tasker_core import PermanentError, RetryableError, StepContext, StepHandler, StepHandlerResult

PRICES = {1: 29.99, 2: 49.99}


class Named(StepHandler):
    """A handler that is named after its class's `step`."""

    step = ""

    def __init_subclass__(cls) -> None:
        cls.handler_name = f"class.{cls.step}"


class Square(Named):
    step = "square"

    def call(self, context: StepContext) -> StepHandlerResult:
        number = context.get_input("even_number")
        if number % 2:
            return self.failure("the number must be even", "validation_error", retryable=False)
        return self.success({"result": number * number})


class AddTen(Named):
    step = "add_ten"

    def call(self, context: StepContext) -> StepHandlerResult:
        return self.success({"result": context.get_dependency_field("square", "result") + 10})


class Triple(Named):
    step = "triple"

    def call(self, context: StepContext) -> StepHandlerResult:
        return self.success({"result": context.get_dependency_field("add_ten", "result") * 3})


class Halve(Named):
    step = "halve"

    def call(self, context: StepContext) -> StepHandlerResult:
        return self.success({"result": context.get_dependency_field("triple", "result") / 2})


class PathA(Named):
    step = "path_a"

    def call(self, context: StepContext) -> StepHandlerResult:
        return self.success({"result": context.get_dependency_field("square", "result") + 25})


class PathB(Named):
    step = "path_b"

    def call(self, context: StepContext) -> StepHandlerResult:
        return self.success({"result": context.get_dependency_field("square", "result") * 2})


class Merge(Named):
    step = "merge"

    def call(self, context: StepContext) -> StepHandlerResult:
        paths = [context.get_dependency_field(name, "result") for name in ("path_a", "path_b")]
        return self.success({"result": sum(paths) / 2})


class Multi(Named):
    step = "multi"

    def call(self, context: StepContext) -> StepHandlerResult:
        return self.success({"invoked_method": "call"})

    def validate(self, context: StepContext) -> StepHandlerResult:
        return self.success({"invoked_method": "validate"})

    async def process(self, context: StepContext) -> StepHandlerResult:
        await asyncio.sleep(0)
        return self.success({"invoked_method": "process"})

    def refund(self, context: StepContext) -> dict[str, Any]:
        return {"invoked_method": "refund"}


class Succeeds(Named):
    step = "succeeds"

    def call(self, context: StepContext) -> StepHandlerResult:
        return self.success({"ok": True})


class FailsForNow(Named):
    step = "fails_for_now"

    def call(self, context: StepContext) -> StepHandlerResult:
        raise RetryableError("try again", retry_after=60)


class FailsForGood(Named):
    step = "fails_for_good"

    def call(self, context: StepContext) -> StepHandlerResult:
        raise PermanentError("never")


class ValidateCart(Named):
    step = "validate_cart"

    def call(self, context: StepContext) -> StepHandlerResult:
        subtotal = round(sum(PRICES[i["product_id"]] * i["quantity"] for i in context.get_input("cart_items")), 2)
        tax, shipping = round(subtotal * 0.08, 2), 5.99
        return self.success(
            {"subtotal": subtotal, "tax": tax, "shipping": shipping, "total": subtotal + tax + shipping}
        )


class ProcessPayment(Named):
    step = "process_payment"

    def call(self, context: StepContext) -> StepHandlerResult:
        payment = context.get_input("payment_info")
        if payment["token"] == "tok_test_declined":
            raise PermanentError(message="the card was declined", error_code="CARD_DECLINED")
        if abs(payment["amount"] - context.get_dependency_field("validate_cart", "total")) > 0.01:
            raise PermanentError("the amount is not the cart's total", error_code="AMOUNT")
        return self.success({"payment_id": "pay_1", "amount": payment["amount"]})


class UpdateInventory(Named):
    step = "update_inventory"

    def call(self, context: StepContext) -> StepHandlerResult:
        return self.success({"reserved_for": context.get_dependency_field("validate_cart", "subtotal")})


class CreateOrder(Named):
    step = "create_order"

    def call(self, context: StepContext) -> StepHandlerResult:
        return self.success({"seen": sorted(context.get_dependency_result_keys())})


class SendConfirmation(Named):
    step = "send_confirmation"

    def call(self, context: StepContext) -> StepHandlerResult:
        return self.success({"total": context.get_dependency_field("validate_cart", "total")})


class ValidateOrder(Named):
    step = "validate_order"

    def call(self, context: StepContext) -> StepHandlerResult:
        return self.success({"order_id": context.get_input("order_id")})


class Pay(Named):
    step = "pay"

    def call(self, context: StepContext) -> StepHandlerResult:
        if context.get_input("simulate_failure"):
            raise RetryableError("the bank does not answer")
        return self.success({"paid": context.get_input("amount"), "card": "4111"})


class TakeFromStock(Named):
    step = "take_from_stock"

    def call(self, context: StepContext) -> StepHandlerResult:
        if context.get_input("sold_out"):
            return self.failure("nothing is left", "sold_out", retryable=False)
        return self.success({"left": 3})


class Notify(Named):
    step = "notify"

    def call(self, context: StepContext) -> StepHandlerResult:
        return self.success({"customer": context.get_input("customer_id")})


class Meeting:
    """Begins when the last one has come, so that nobody leaves it who is alone."""

    def __init__(self, wanted: int) -> None:
        self.missing = wanted
        self.begins = asyncio.Event()

    async def join(self) -> None:
        self.missing -= 1
        if self.missing == 0:
            self.begins.set()
        await self.begins.wait()


class Wait(Named):
    step = "wait"
    meeting = Meeting(20)

    async def call(self, context: StepContext) -> StepHandlerResult:
        await self.meeting.join()
        return self.success({"loop": id(asyncio.get_running_loop())})


class Count(Named):
    step = "count"

    def call(self, context: StepContext) -> StepHandlerResult:
        results = context.get_all_dependency_results("wait_")
        return self.success({"steps": len(results), "loops": len({result["loop"] for result in results})})


HANDLERS = [
    cls for cls in list(vars().values()) if isinstance(cls, type) and issubclass(cls, Named) and cls is not Named
]
