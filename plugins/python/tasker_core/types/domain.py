"""Types of domain events as they are delivered in the process."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import Field

from tasker_core.types.model import Model

__all__ = ["DomainEventMetadata", "ExecutionResult", "InProcessDomainEvent"]


class DomainEventMetadata(Model):
    """Where a domain event came from, and what its publisher added."""

    task_uuid: UUID = Field(description="Id of the task.")
    step_uuid: UUID | None = Field(default=None, description="Id of the step.")
    step_name: str | None = Field(default=None, description="Name of the step.")
    namespace: str | None = Field(default=None, description="Namespace of the task.")
    correlation_id: UUID = Field(description="Id of the request.")
    fired_at: str = Field(description="When, as RFC 3339.")
    fired_by: str = Field(description="Who fired it.")

    model_config = {"extra": "allow"}


class ExecutionResult(Model):
    """The end of the step that fired the event."""

    success: bool = Field(description="Whether the step succeeded.")
    result: dict[str, Any] | None = Field(default=None, description="What the handler returned.")
    error_message: str | None = Field(default=None, description="Why it failed.")
    error_type: str | None = Field(default=None, description="Kind of the error.")
    execution_time_ms: int | None = Field(default=None, description="Milliseconds it ran.")


class InProcessDomainEvent(Model):
    """A domain event, as a poller hands it to its subscribers."""

    event_id: UUID = Field(description="Id of the event.")
    event_name: str = Field(description="Name, for instance order.validated.")
    event_version: str = Field(description="Version of the payload's schema.")
    metadata: DomainEventMetadata = Field(description="Where it came from.")
    payload: dict[str, Any] = Field(default_factory=dict, description="What it says.")
    execution_result: ExecutionResult | None = Field(default=None, description="The step's end.")
