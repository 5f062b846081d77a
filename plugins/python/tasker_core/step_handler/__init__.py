"""Base classes of handlers."""

from tasker_core.step_handler.base import StepHandler

__all__ = ["StepHandler"]
