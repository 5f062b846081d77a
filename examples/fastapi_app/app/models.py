"""What a customer sends, which is also what the steps read."""

from __future__ import annotations

import os

from pydantic import BaseModel, Field


class Item(BaseModel):
    """So many of one article."""

    sku: str = Field(min_length=1)
    quantity: int = 1


class Order(BaseModel):
    """One order; `order_id` is the customer's number for it, and the same number is the same order."""

    order_id: str = Field(min_length=1)
    customer: str = Field(min_length=1)
    items: list[Item]
    card: str = Field(default="tok_good", min_length=1)


class Priced(BaseModel):
    """What the step `price` returns."""

    total_cents: int


class Charged(BaseModel):
    """What the step `charge` returns."""

    receipt: str
    cents: int


PACE_S = float(os.environ.get("SHOP_PACE_S", "0.6"))
"""How long the outside world takes for each step."""
