"""Types of decision steps."""

from __future__ import annotations

from enum import Enum
from typing import Any

from pydantic import Field

from tasker_core.types.model import Model

__all__ = ["DecisionPointOutcome", "DecisionType"]


class DecisionType(str, Enum):
    """Whether a decision creates steps or none."""

    CREATE_STEPS = "create_steps"
    NO_BRANCHES = "no_branches"


class DecisionPointOutcome(Model):
    """Which steps follow a decision."""

    decision_type: DecisionType = Field(description="Whether steps follow.")
    next_step_names: list[str] = Field(default_factory=list, description="The steps that follow.")
    dynamic_steps: list[dict[str, Any]] | None = Field(
        default=None, description="Definitions of steps that the template does not have."
    )
    reason: str | None = Field(default=None, description="Why none follows.")
    routing_context: dict[str, Any] = Field(default_factory=dict, description="Why these steps.")

    @classmethod
    def create_steps(
        cls,
        step_names: list[str],
        dynamic_steps: list[dict[str, Any]] | None = None,
        routing_context: dict[str, Any] | None = None,
    ) -> DecisionPointOutcome:
        """These steps follow."""
        return cls(
            decision_type=DecisionType.CREATE_STEPS,
            next_step_names=step_names,
            dynamic_steps=dynamic_steps,
            routing_context=routing_context or {},
        )

    @classmethod
    def no_branches(cls, reason: str, routing_context: dict[str, Any] | None = None) -> DecisionPointOutcome:
        """No step follows, for this reason."""
        return cls(
            decision_type=DecisionType.NO_BRANCHES,
            reason=reason,
            routing_context=routing_context or {},
        )
