"""The handlers of the business workflows as classes."""

from __future__ import annotations

from typing import Any

import business
from class_handlers import Named
from tasker_core import PermanentError, RetryableError, StepContext, StepHandlerResult


class ExtractSales(Named):
    step = "extract_sales"

    def call(self, context: StepContext) -> StepHandlerResult:
        return self.success({"rows": business.SALES})


class ExtractInventory(Named):
    step = "extract_inventory"

    def call(self, context: StepContext) -> StepHandlerResult:
        return self.success({"rows": business.INVENTORY})


class ExtractCustomers(Named):
    step = "extract_customers"

    def call(self, context: StepContext) -> StepHandlerResult:
        return self.success({"rows": business.CUSTOMERS})


class TransformSales(Named):
    step = "transform_sales"

    def call(self, context: StepContext) -> StepHandlerResult:
        rows = context.get_dependency_field("extract_sales", "rows")
        return self.success({"revenue": business.total(rows, "amount")})


class TransformInventory(Named):
    step = "transform_inventory"

    def call(self, context: StepContext) -> StepHandlerResult:
        rows = context.get_dependency_field("extract_inventory", "rows")
        return self.success({"inventory": business.total(rows, "stock")})


class TransformCustomers(Named):
    step = "transform_customers"

    def call(self, context: StepContext) -> StepHandlerResult:
        rows = context.get_dependency_field("extract_customers", "rows")
        return self.success({"customers": len(rows), "lifetime_value": business.total(rows, "lifetime_value")})


class Aggregate(Named):
    step = "aggregate"

    def call(self, context: StepContext) -> StepHandlerResult:
        sums: dict[str, Any] = {}
        for result in context.get_all_dependency_results("transform_"):
            sums.update(result)
        return self.success(sums)


class Conclude(Named):
    step = "conclude"

    def call(self, context: StepContext) -> StepHandlerResult:
        return self.success(business.insights(context.get_dependency_result("aggregate")))


class CreateAccount(Named):
    step = "create_account"

    def call(self, context: StepContext) -> StepHandlerResult:
        user = context.get_input("user_info")
        if "@" not in user["email"]:
            raise PermanentError(f"'{user['email']}' is no mail address", error_code="EMAIL")
        return self.success({"user": f"user:{user['email']}", "plan": user.get("plan", "free")})


class SetUpBilling(Named):
    step = "set_up_billing"

    def call(self, context: StepContext) -> StepHandlerResult:
        return self.success(business.billing(context.get_dependency_field("create_account", "plan")))


class SetUpPreferences(Named):
    step = "set_up_preferences"

    def call(self, context: StepContext) -> StepHandlerResult:
        return self.success(business.preferences(context.get_dependency_field("create_account", "plan")))


class Welcome(Named):
    step = "welcome"

    def call(self, context: StepContext) -> StepHandlerResult:
        user = context.get_dependency_field("create_account", "user")
        wanted = context.get_dependency_field("set_up_preferences", "preferences")
        channels = [channel for channel in ("email", "in_app") if channel in wanted]
        return self.success({"to": user, "channels": channels})


class Activate(Named):
    step = "activate"

    def call(self, context: StepContext) -> StepHandlerResult:
        billing = context.get_dependency_field("set_up_billing", "status")
        return self.success({"state": "active", "billing": billing, "seen": context.get_dependency_result_keys()})


class ValidateRequest(Named):
    step = "validate_request"

    def call(self, context: StepContext) -> StepHandlerResult:
        return self.success({"ticket": context.get_input("ticket_id"), "amount": context.get_input("refund_amount")})


class CheckPolicy(Named):
    step = "check_policy"

    def call(self, context: StepContext) -> StepHandlerResult:
        amount = context.get_dependency_field("validate_request", "amount")
        return self.success({"needs_manager": amount > 1000})


class AskManager(Named):
    step = "ask_manager"

    def call(self, context: StepContext) -> StepHandlerResult:
        if context.get_dependency_field("check_policy", "needs_manager") and context.get_input("manager") is None:
            raise RetryableError("nobody has decided")
        return self.success({"approved_by": context.get_input("manager") or "policy"})


class ExecuteRefund(Named):
    step = "execute_refund"

    def call(self, context: StepContext) -> StepHandlerResult:
        return self.success({"refunded": context.get_dependency_field("validate_request", "amount")})


class ResolveTicket(Named):
    step = "resolve_ticket"

    def call(self, context: StepContext) -> StepHandlerResult:
        ticket = context.get_dependency_field("validate_request", "ticket")
        by = context.get_dependency_field("ask_manager", "approved_by")
        return self.success({"ticket": ticket, "state": "resolved", "approved_by": by})


class FindPayment(Named):
    step = "find_payment"

    def call(self, context: StepContext) -> StepHandlerResult:
        return self.success({"payment": context.get_input("payment_id")})


class CallGateway(Named):
    step = "call_gateway"

    def call(self, context: StepContext) -> StepHandlerResult:
        if not context.is_retry():
            raise RetryableError("the gateway does not answer", retry_after=60)
        return self.success({"refund": f"refund of {context.get_dependency_field('find_payment', 'payment')}"})


class BookRefund(Named):
    step = "book_refund"

    def call(self, context: StepContext) -> StepHandlerResult:
        return self.success({"booked": context.get_input("refund_amount")})


class TellCustomer(Named):
    step = "tell_customer"

    def call(self, context: StepContext) -> StepHandlerResult:
        said = context.get_dependency_field("call_gateway", "refund")
        return self.success({"to": context.get_input("customer_email"), "said": said})


HANDLERS = [
    cls for cls in list(vars().values()) if isinstance(cls, type) and issubclass(cls, Named) and cls is not Named
]
