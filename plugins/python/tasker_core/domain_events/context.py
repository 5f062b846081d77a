"""Types about publishing the events that a template declares."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tasker_core.types.model import Model

__all__ = ["EventDeclaration", "PublishContext", "StepEventContext", "StepResult"]


class EventDeclaration(Model):
    """One entry of a step's `publishes_events`."""

    name: str = Field(description="Name of the event, for instance payment.processed.")
    condition: Literal["success", "failure", "retryable_failure", "permanent_failure", "always"] | None = Field(
        default=None, description="When it is published; on success unless given."
    )
    delivery_mode: Literal["durable", "fast", "broadcast"] | None = Field(
        default=None, description="How it is delivered; all modes are delivered in the process for now."
    )
    publisher: str | None = Field(default=None, description="Name of a registered publisher.")
    schema_: dict[str, Any] | None = Field(default=None, alias="schema", description="JSON schema of the payload.")

    model_config = {"populate_by_name": True}

    @property
    def schema(self) -> dict[str, Any] | None:  # type: ignore[override]
        """JSON schema of the payload."""
        return self.schema_


class StepResult(Model):
    """The end of a step, for publishers."""

    success: bool = Field(description="Whether the step succeeded.")
    result: dict[str, Any] | None = Field(default=None, description="What the handler returned.")
    metadata: dict[str, Any] | None = Field(default=None, description="Facts about the execution.")


class StepEventContext(Model):
    """What a publisher makes an event of."""

    task_uuid: str = Field(description="Id of the task.")
    step_uuid: str = Field(description="Id of the step.")
    step_name: str = Field(description="Name of the step.")
    namespace: str = Field(description="Namespace of the task.")
    correlation_id: str = Field(description="Id of the request.")
    result: dict[str, Any] | None = Field(default=None, description="What the handler returned.")
    metadata: dict[str, Any] = Field(default_factory=dict, description="Facts about the execution.")

    @classmethod
    def from_step_context(
        cls,
        step_context: Any,
        result: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> StepEventContext:
        """The context of a handler's StepContext; the step is named by its handler."""
        task = step_context.event.task_sequence_step.get("task") or {}
        inner = task.get("task") or {}
        return cls(
            task_uuid=str(step_context.task_uuid),
            step_uuid=str(step_context.step_uuid),
            step_name=step_context.handler_name,
            namespace=inner.get("namespace") or task.get("namespace_name") or "default",
            correlation_id=str(step_context.correlation_id),
            result=result,
            metadata=metadata or {},
        )


class PublishContext(Model):
    """An event and the step that it is published for."""

    event_name: str = Field(description="Name of the event.")
    step_result: StepResult = Field(description="The end of the step.")
    event_declaration: EventDeclaration | None = Field(default=None, description="The template's.")
    step_context: StepEventContext | None = Field(default=None, description="The step.")

    model_config = {"arbitrary_types_allowed": True}
