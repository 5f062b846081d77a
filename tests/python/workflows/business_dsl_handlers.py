"""The handlers of the business workflows as functions."""

from __future__ import annotations

from typing import Any

import business
from keeping import keeping
from pydantic import BaseModel
from tasker_core import PermanentError, RetryableError, StepContext
from tasker_core.step_handler import depends_on, inputs

HANDLERS: list[Any] = []
handles = keeping(HANDLERS)


class Account(BaseModel):
    """What create_account returns."""

    user: str
    plan: str


class Request(BaseModel):
    """What validate_request returns."""

    ticket: str
    amount: int


@handles("extract_sales")
def extract_sales() -> Any:
    return {"rows": business.SALES}


@handles("extract_inventory")
def extract_inventory() -> Any:
    return {"rows": business.INVENTORY}


@handles("extract_customers")
async def extract_customers() -> Any:
    return {"rows": business.CUSTOMERS}


@handles("transform_sales")
@depends_on(sales="extract_sales")
def transform_sales(sales: Any) -> Any:
    return {"revenue": business.total(sales["rows"], "amount")}


@handles("transform_inventory")
@depends_on(inventory="extract_inventory")
def transform_inventory(inventory: Any) -> Any:
    return {"inventory": business.total(inventory["rows"], "stock")}


@handles("transform_customers")
@depends_on(customers="extract_customers")
def transform_customers(customers: Any) -> Any:
    rows = customers["rows"]
    return {"customers": len(rows), "lifetime_value": business.total(rows, "lifetime_value")}


@handles("aggregate")
@depends_on(sales="transform_sales", inventory="transform_inventory", customers="transform_customers")
def aggregate(sales: Any, inventory: Any, customers: Any) -> Any:
    return {**sales, **inventory, **customers}


@handles("conclude")
@depends_on(sums="aggregate")
def conclude(sums: Any) -> Any:
    return business.insights(sums)


@handles("create_account")
@inputs("user_info")
def create_account(user_info: Any) -> Any:
    if "@" not in user_info["email"]:
        raise PermanentError(f"'{user_info['email']}' is no mail address", error_code="EMAIL")
    return Account(user=f"user:{user_info['email']}", plan=user_info.get("plan", "free"))


@handles("set_up_billing")
@depends_on(account=("create_account", Account))
def set_up_billing(account: Account) -> Any:
    return business.billing(account.plan)


@handles("set_up_preferences")
@depends_on(account=("create_account", Account))
def set_up_preferences(account: Account) -> Any:
    return business.preferences(account.plan)


@handles("welcome")
@depends_on(account=("create_account", Account), wanted="set_up_preferences")
def welcome(account: Account, wanted: Any) -> Any:
    channels = [channel for channel in ("email", "in_app") if channel in wanted["preferences"]]
    return {"to": account.user, "channels": channels}


@handles("activate")
@depends_on(billing="set_up_billing")
def activate(billing: Any, context: StepContext) -> Any:
    return {"state": "active", "billing": billing["status"], "seen": context.get_dependency_result_keys()}


@handles("validate_request")
@inputs("ticket_id", "refund_amount")
def validate_request(ticket_id: str, refund_amount: int) -> Any:
    return Request(ticket=ticket_id, amount=refund_amount)


@handles("check_policy")
@depends_on(request=("validate_request", Request))
def check_policy(request: Request) -> Any:
    return {"needs_manager": request.amount > 1000}


@handles("ask_manager")
@depends_on(policy="check_policy")
@inputs("manager")
def ask_manager(policy: Any, manager: Any) -> Any:
    if policy["needs_manager"] and manager is None:
        raise RetryableError("nobody has decided")
    return {"approved_by": manager or "policy"}


@handles("execute_refund")
@depends_on(request=("validate_request", Request))
def execute_refund(request: Request) -> Any:
    return {"refunded": request.amount}


@handles("resolve_ticket")
@depends_on(request=("validate_request", Request), decision="ask_manager")
def resolve_ticket(request: Request, decision: Any) -> Any:
    return {"ticket": request.ticket, "state": "resolved", "approved_by": decision["approved_by"]}


@handles("find_payment")
@inputs("payment_id")
def find_payment(payment_id: str) -> Any:
    return {"payment": payment_id}


@handles("call_gateway")
@depends_on(found="find_payment")
def call_gateway(found: Any, context: StepContext) -> Any:
    if not context.is_retry():
        raise RetryableError("the gateway does not answer", retry_after=60)
    return {"refund": f"refund of {found['payment']}"}


@handles("book_refund")
@inputs("refund_amount")
def book_refund(refund_amount: int) -> Any:
    return {"booked": refund_amount}


@handles("tell_customer")
@depends_on(gateway="call_gateway")
@inputs("customer_email")
def tell_customer(gateway: Any, customer_email: str) -> Any:
    return {"to": customer_email, "said": gateway["refund"]}
