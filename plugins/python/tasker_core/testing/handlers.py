"""Running one handler as the worker would, without a store."""

from __future__ import annotations

import asyncio
import inspect
import uuid
from typing import Any

from tasker_core._execution.outcome import as_result, failure_of
from tasker_core.handler import HandlerRegistry
from tasker_core.registry.resolution import construct
from tasker_core.types import FfiStepEvent, StepContext, StepHandlerResult

__all__ = ["make_context", "run_handler"]

_FAILURES = (Exception, SystemExit, asyncio.CancelledError, GeneratorExit)


def make_context(
    inputs: dict[str, Any] | None = None,
    *,
    dependencies: dict[str, Any] | None = None,
    config: dict[str, Any] | None = None,
    step_inputs: dict[str, Any] | None = None,
    checkpoint: dict[str, Any] | None = None,
    attempt: int = 1,
    max_attempts: int = 3,
    handler: str = "handler_under_test",
    step: str = "step_under_test",
    namespace: str = "default",
) -> StepContext:
    """The context of a step that no store knows.

    Args:
        inputs: The task's context, read by `get_input`.
        dependencies: What earlier steps returned, by step name.
        config: The handler's `initialization` in the template.
        step_inputs: Inputs of a dynamic step, for instance a batch's cursor.
        checkpoint: What an earlier run saved.
        attempt: Number of the attempt, from 1.
        max_attempts: Attempts that the template allows.
        handler: Name of the handler.
        step: Name of the step.
        namespace: Namespace of the task.
    """
    task_uuid, step_uuid, correlation_id = (str(uuid.uuid4()) for _ in range(3))
    event = FfiStepEvent(
        event_id=str(uuid.uuid4()),
        task_uuid=task_uuid,
        step_uuid=step_uuid,
        correlation_id=correlation_id,
        task_correlation_id=correlation_id,
        task_sequence_step={
            "task": {
                "task": {"task_uuid": task_uuid, "context": inputs or {}, "correlation_id": correlation_id},
                "task_name": "task_under_test",
                "task_version": "1.0.0",
                "namespace_name": namespace,
            },
            "workflow_step": {
                "workflow_step_uuid": step_uuid,
                "task_uuid": task_uuid,
                "name": step,
                "template_step_name": step,
                "attempts": attempt - 1,
                "max_attempts": max_attempts,
                "inputs": step_inputs,
                "checkpoint": checkpoint,
            },
            "dependency_results": {
                name: {"result": value, "success": True} for name, value in (dependencies or {}).items()
            },
            "step_definition": {
                "name": step,
                "handler": {"callable": handler, "initialization": config or {}},
                "publishes_events": [],
            },
        },
    )
    return StepContext.from_ffi_event(event, handler)


def run_handler(
    handler: Any, context: StepContext | dict[str, Any] | None = None, *, method: str | None = None, **kwargs: Any
) -> StepHandlerResult:
    """Runs a handler and returns its result, as the worker would understand it.

    What it raises becomes a failure, a dict a success, and an async handler is awaited. Only Ctrl-C and what pytest
    raises (`pytest.fail`, `pytest.skip`) get out.

    Args:
        handler: A StepHandler class or instance, a decorated function, or a registered name.
        context: A StepContext, or the task's context as a dict.
        method: The method to call instead of `call`.
        **kwargs: Further arguments of `make_context`, if `context` is a dict or missing.

    Raises:
        LookupError: No handler of that name is registered.
    """
    cls_or_instance = _resolve(handler)
    name = getattr(cls_or_instance, "handler_name", "") or "handler_under_test"
    if not isinstance(context, StepContext):
        context = make_context(context, handler=name, **kwargs)
    try:
        made = cls_or_instance
        if isinstance(made, type):
            made = construct(made, context.step_config)
        value = getattr(made, method or "call")(context)
        if inspect.isawaitable(value):
            value = _await(value)
        return as_result(value, name)
    except _FAILURES as error:
        return failure_of(error)


def _resolve(handler: Any) -> Any:
    if isinstance(handler, str):
        found = HandlerRegistry.instance(skip_bootstrap=True).get_handler_class(handler)
        if found is None:
            raise LookupError(f"no handler '{handler}' is registered in HandlerRegistry.instance()")
        return found
    return getattr(handler, "_handler_class", handler)


def _await(value: Any) -> Any:
    from tasker_core._execution.loop import HandlerLoop

    return HandlerLoop.instance().run(value)
