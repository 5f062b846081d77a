"""Tests of handlers and workflows.

A handler needs no store:

    >>> from tasker_core.testing import run_handler
    >>> assert run_handler(ValidateOrder, {"items": ["a"]}).result == {"valid": True}

A workflow runs on a worker with a temporary store, by the pytest fixture `run_task`:

    >>> def test_order(run_task):
    ...     run = run_task("config/tasks/order.yaml", {"items": ["a"]}, handlers="app.handlers")
    ...     assert run.complete and run.result("notify") == {"sent": True}

Back-off between attempts is skipped.
"""

from __future__ import annotations

from tasker_core.testing.handlers import make_context, run_handler
from tasker_core.testing.workflows import StepRun, TaskRun, WorkerForTests

__all__ = ["StepRun", "TaskRun", "WorkerForTests", "make_context", "run_handler"]
