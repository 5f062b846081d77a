"""Publishes the events that a step's template declares, once the step's result is stored."""

from __future__ import annotations

from typing import Any

from tasker_core.domain_events.context import EventDeclaration, StepEventContext
from tasker_core.domain_events.delivery import execution_of
from tasker_core.domain_events.registries import PublisherRegistry
from tasker_core.logging import log_error, log_info, log_warn
from tasker_core.types.events import FfiStepEvent
from tasker_core.types.results import StepHandlerResult

__all__ = ["publish_declared"]

_noticed: set[tuple[Any, Any, str]] = set()


def publish_declared(event: FfiStepEvent, result: StepHandlerResult, elapsed_ms: int) -> None:
    """Publishes each declared event whose condition holds, through its publisher. Never raises."""
    step = event.task_sequence_step
    task = step.get("task") or {}
    declarations = (step.get("step_definition") or {}).get("publishes_events") or []
    token = execution_of.set(
        {
            "success": result.is_success,
            "result": result.result if result.is_success else None,
            "error_message": result.error_message,
            "error_type": result.error_type,
            "execution_time_ms": elapsed_ms,
        }
    )
    try:
        context = StepEventContext(
            task_uuid=event.task_uuid,
            step_uuid=event.step_uuid,
            step_name=(step.get("workflow_step") or {}).get("name") or "",
            namespace=task.get("namespace_name") or "default",
            correlation_id=event.correlation_id,
            result=result.result if result.is_success else None,
            metadata={"execution_time_ms": elapsed_ms},
        )
        for entry in declarations:
            _publish(entry, context, result, task)
    except Exception as error:
        log_error(f"the events of step '{event.step_uuid}' were not published: {error!r}")
    finally:
        execution_of.reset(token)


def _publish(entry: Any, context: StepEventContext, result: StepHandlerResult, task: dict[str, Any]) -> None:
    try:
        declaration = EventDeclaration.model_validate({"name": entry} if isinstance(entry, str) else entry)
    except ValueError as error:
        log_error(f"step '{context.step_name}' declares an event that is malformed: {error}")
        return
    if not _holds(declaration.condition or "success", result):
        return
    _notice(declaration, context, task)
    registry = PublisherRegistry.instance()
    if declaration.publisher and registry.get(declaration.publisher) is None:
        _once(
            (context.namespace, task.get("task_name"), declaration.publisher),
            f"publisher '{declaration.publisher}' of event '{declaration.name}' is not registered: "
            "the step's result is published as it is",
            warn=True,
        )
    publisher = registry.get_or_default(declaration.publisher or "default")
    try:
        publisher.publish(context, declaration.name)
    except Exception as error:
        log_error(f"publisher '{declaration.publisher}' raised for event '{declaration.name}': {error!r}")


def _holds(condition: str, result: StepHandlerResult) -> bool:
    if condition == "always":
        return True
    if result.is_success:
        return condition == "success"
    if condition == "retryable_failure":
        return result.retryable
    if condition == "permanent_failure":
        return not result.retryable
    return condition == "failure"


def _notice(declaration: EventDeclaration, context: StepEventContext, task: dict[str, Any]) -> None:
    if declaration.delivery_mode in ("durable", "broadcast"):
        name = task.get("task_name")
        _once(
            (context.namespace, name, "durable"),
            f"template '{context.namespace}/{name}' declares durable events: they are delivered in this process only, "
            "until an outbox exists",
            warn=False,
        )


def _once(key: tuple[Any, Any, str], message: str, *, warn: bool) -> None:
    if key not in _noticed:
        _noticed.add(key)
        (log_warn if warn else log_info)(message)
