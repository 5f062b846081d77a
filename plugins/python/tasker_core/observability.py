"""Health, figures and configuration of the running worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tasker_core._execution import state
from tasker_core._execution.attempt import running
from tasker_core._execution.tally import tallies
from tasker_core._tasker_core import get_health_check as _get_health_check
from tasker_core._tasker_core import get_metrics as _get_metrics
from tasker_core._tasker_core import get_worker_config as _get_worker_config
from tasker_core.exceptions import WorkerNotInitializedError
from tasker_core.types import HealthCheck, WorkerConfig, WorkerMetrics

__all__ = ["get_health_check", "get_metrics", "get_worker_config", "python_health"]


def get_health_check() -> HealthCheck:
    """The health of the worker; `python` holds its handlers, what could not be imported and what runs.

    Raises:
        WorkerNotInitializedError: No worker runs.
    """
    answer = _ask(_get_health_check)
    python = {**(answer.get("python") or {}), **python_health()}
    status = answer.get("status") or "unhealthy"
    if status == "healthy" and (python["import_failures"] or _all_stuck()):
        status = "degraded"
    return HealthCheck.model_validate({**answer, "status": status, "python": python})


def get_metrics() -> WorkerMetrics:
    """The figures of the worker since it started.

    Raises:
        WorkerNotInitializedError: No worker runs.
    """
    answer = _ask(_get_metrics)
    succeeded, failed = tallies.totals()
    counted = {
        "steps_processed": succeeded + failed,
        "steps_succeeded": succeeded,
        "steps_failed": failed,
        "steps_in_progress": len(running),
    }
    # The host's own counts know of other languages' handlers too, but come a moment later and leave some out.
    for key, value in counted.items():
        answer[key] = max(value, answer.get(key) or 0)
    return WorkerMetrics.model_validate(answer)


def get_worker_config() -> WorkerConfig:
    """The configuration in force.

    Raises:
        WorkerNotInitializedError: No worker runs.
    """
    answer = _ask(_get_worker_config)
    if state.pool_threads:
        answer["max_concurrent_handlers"] = state.pool_threads
    return WorkerConfig.model_validate(answer)


def python_health() -> dict[str, Any]:
    """What the Python side knows of itself: handlers, import failures, running attempts, counts by handler."""
    registry = state.registry()
    handlers = sorted(registry.list_handlers()) if registry is not None else []
    return {
        "handler_count": len(handlers),
        "handlers": handlers,
        "import_failures": dict(registry.import_failures) if registry is not None else {},
        "running": sorted(attempt.handler for attempt in list(running.values())),
        "by_handler": tallies.by_handler(),
    }


def _all_stuck() -> bool:
    """True if no thread of the pool is left to run anything: all sit in attempts that have timed out."""
    stuck = {attempt.thread_id for attempt in list(running.values()) if attempt.reason() == "timeout"}
    return 0 < state.pool_threads <= len(stuck - {None})


def _ask(native_function: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return dict(native_function())
    except RuntimeError as error:
        text = str(error)
        if "not initialized" in text or "not running" in text:
            raise WorkerNotInitializedError(text) from error
        raise
