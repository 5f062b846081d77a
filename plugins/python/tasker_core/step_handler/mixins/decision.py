"""Decisions: handlers that say which steps follow."""

from __future__ import annotations

from typing import Any

from tasker_core.types.decisions import DecisionPointOutcome
from tasker_core.types.results import StepHandlerResult

__all__ = ["DecisionMixin"]


class DecisionMixin:
    """Adds decision results to a handler: `class Route(DecisionMixin, StepHandler)`."""

    name: str
    version: str

    def decision_success(
        self,
        steps: list[str],
        routing_context: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> StepHandlerResult:
        """These steps follow; `routing_context` says why."""
        outcome = DecisionPointOutcome.create_steps(steps, routing_context=routing_context)
        return self.decision_success_with_outcome(outcome, metadata)

    def route_to_steps(
        self,
        steps: list[str],
        routing_context: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> StepHandlerResult:
        """As `decision_success`."""
        return self.decision_success(steps, routing_context, metadata)

    def decision_success_with_outcome(
        self, outcome: DecisionPointOutcome, metadata: dict[str, Any] | None = None
    ) -> StepHandlerResult:
        """The steps of the outcome follow, its dynamic ones included."""
        result: dict[str, Any] = {
            "decision_point_outcome": {
                "type": outcome.decision_type.value,
                "step_names": outcome.next_step_names,
            }
        }
        if outcome.dynamic_steps:
            result["dynamic_steps"] = outcome.dynamic_steps
        return self._decided(result, outcome, metadata)

    def decision_no_branches(
        self, outcome: DecisionPointOutcome, metadata: dict[str, Any] | None = None
    ) -> StepHandlerResult:
        """No step follows, for the outcome's reason."""
        result: dict[str, Any] = {
            "decision_point_outcome": {"type": outcome.decision_type.value},
            "reason": outcome.reason,
        }
        return self._decided(result, outcome, metadata)

    def skip_branches(
        self,
        reason: str,
        routing_context: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> StepHandlerResult:
        """No step follows, for this reason."""
        return self.decision_no_branches(DecisionPointOutcome.no_branches(reason, routing_context), metadata)

    def decision_failure(
        self,
        message: str,
        error_type: str = "decision_error",
        retryable: bool = False,
        metadata: dict[str, Any] | None = None,
    ) -> StepHandlerResult:
        """The decision could not be made."""
        return StepHandlerResult.failure(message, error_type, retryable, self._about(metadata))

    def _decided(
        self, result: dict[str, Any], outcome: DecisionPointOutcome, metadata: dict[str, Any] | None
    ) -> StepHandlerResult:
        if outcome.routing_context:
            result["routing_context"] = outcome.routing_context
        return StepHandlerResult.success(result, self._about(metadata))

    def _about(self, metadata: dict[str, Any] | None) -> dict[str, Any]:
        return {**(metadata or {}), "decision_handler": self.name, "decision_version": self.version}
