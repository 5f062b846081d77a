"""Types of what `_tasker_core.client_*` answers, validated; `tasker_core.client` has tolerant twins."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from tasker_core.types.model import Model

__all__ = [
    "ClientHealthResponse",
    "ClientPaginationInfo",
    "ClientStepAuditResponse",
    "ClientStepReadiness",
    "ClientStepResponse",
    "ClientTaskListResponse",
    "ClientTaskResponse",
]


class ClientStepReadiness(Model):
    """A step within a task's answer: its state and whether it may run."""

    workflow_step_uuid: str
    task_uuid: str
    named_step_uuid: str
    name: str
    current_state: str
    dependencies_satisfied: bool
    retry_eligible: bool
    ready_for_execution: bool
    last_failure_at: str | None = None
    next_retry_at: str | None = None
    total_parents: int
    completed_parents: int
    attempts: int
    max_attempts: int
    backoff_request_seconds: int | None = None
    last_attempted_at: str | None = None


class ClientTaskResponse(Model):
    """A task: its request, its state and the counts of its steps."""

    task_uuid: str
    name: str
    namespace: str
    version: str
    status: str
    created_at: str
    updated_at: str
    completed_at: str | None = None
    context: dict[str, Any] = Field(default_factory=dict)
    initiator: str
    source_system: str
    reason: str
    priority: int | None = None
    tags: list[str] | None = None
    correlation_id: str
    parent_correlation_id: str | None = None
    total_steps: int
    pending_steps: int
    in_progress_steps: int
    completed_steps: int
    failed_steps: int
    ready_steps: int
    execution_status: str
    recommended_action: str
    completion_percentage: float
    health_status: str
    steps: list[ClientStepReadiness] = Field(default_factory=list)


class ClientPaginationInfo(Model):
    """Which part of a list this is."""

    page: int
    per_page: int
    total_count: int
    total_pages: int
    has_next: bool
    has_previous: bool


class ClientTaskListResponse(Model):
    """One page of tasks."""

    tasks: list[ClientTaskResponse]
    pagination: ClientPaginationInfo


class ClientStepResponse(Model):
    """A step: its state, its attempts and its result."""

    step_uuid: str
    task_uuid: str
    name: str
    created_at: str
    updated_at: str
    completed_at: str | None = None
    results: dict[str, Any] | None = None
    current_state: str
    dependencies_satisfied: bool
    retry_eligible: bool
    ready_for_execution: bool
    total_parents: int
    completed_parents: int
    attempts: int
    max_attempts: int
    last_failure_at: str | None = None
    next_retry_at: str | None = None
    last_attempted_at: str | None = None


class ClientStepAuditResponse(Model):
    """One transition of a step that ended an attempt."""

    audit_uuid: str
    workflow_step_uuid: str
    transition_uuid: str
    task_uuid: str
    recorded_at: str
    worker_uuid: str | None = None
    correlation_id: str | None = None
    success: bool
    execution_time_ms: int | None = None
    result: dict[str, Any] | None = None
    step_name: str
    from_state: str | None = None
    to_state: str


class ClientHealthResponse(Model):
    """Whether the store answers, and when it was asked."""

    status: str
    timestamp: str
