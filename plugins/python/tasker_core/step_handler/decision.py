"""Handlers that decide which steps follow."""

from __future__ import annotations

from tasker_core.step_handler.base import StepHandler
from tasker_core.step_handler.mixins.decision import DecisionMixin

__all__ = ["DecisionHandler"]


class DecisionHandler(DecisionMixin, StepHandler):
    """A handler of a decision step.

    Example:
        >>> class Route(DecisionHandler):
        ...     handler_name = "route_order"
        ...
        ...     def call(self, context):
        ...         large = context.get_input("amount") >= 1000
        ...         return self.decision_success(["manager"] if large else ["auto"])
    """

    @property
    def capabilities(self) -> list[str]:
        """process, decision and routing."""
        return ["process", "decision", "routing"]
