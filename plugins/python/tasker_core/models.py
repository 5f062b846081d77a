"""Wrappers that give the data of a step event attributes instead of keys; missing parts become empty."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

__all__ = [
    "DependencyResultsWrapper",
    "HandlerWrapper",
    "StepDefinitionWrapper",
    "TaskSequenceStepWrapper",
    "TaskWrapper",
    "WorkflowStepWrapper",
]


@dataclass
class HandlerWrapper:
    """The handler entry of a step's definition; the template's `method` is `handler_method` here."""

    callable: str
    initialization: dict[str, Any] = field(default_factory=dict)
    handler_method: str | None = None
    resolver: str | None = None

    @classmethod
    def from_dict(cls, data: dict[str, Any] | None) -> HandlerWrapper:
        """The wrapper of a template's `handler` mapping."""
        data = data or {}
        return cls(
            callable=data.get("callable") or "",
            initialization=data.get("initialization") or {},
            handler_method=data.get("method"),
            resolver=data.get("resolver"),
        )


@dataclass
class StepDefinitionWrapper:
    """The step's definition in its template; `timeout_seconds` is 30 if the template gives none."""

    name: str
    description: str
    handler: HandlerWrapper
    dependencies: list[str] = field(default_factory=list)
    retry: dict[str, Any] = field(default_factory=dict)
    timeout_seconds: int = 30
    publishes_events: list[str] = field(default_factory=list)

    @classmethod
    def from_dict(cls, data: dict[str, Any] | None) -> StepDefinitionWrapper:
        """The wrapper of an event's `step_definition`."""
        data = data or {}
        return cls(
            name=data.get("name") or "",
            description=data.get("description") or "",
            handler=HandlerWrapper.from_dict(data.get("handler")),
            dependencies=data.get("dependencies") or [],
            retry=data.get("retry") or {},
            timeout_seconds=data.get("timeout_seconds") or 30,
            publishes_events=data.get("publishes_events") or [],
        )


@dataclass
class DependencyResultsWrapper:
    """Results of the ancestors by step name; `get_results` gives what the handler returned."""

    _results: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, data: dict[str, Any] | None) -> DependencyResultsWrapper:
        """The wrapper of an event's `dependency_results`."""
        return cls(_results=data or {})

    def get_result(self, step_name: str) -> Any:
        """The whole result with its metadata, or None."""
        return self._results.get(step_name)

    def get_results(self, step_name: str) -> Any:
        """What the step's handler returned, or None."""
        entry = self._results.get(step_name)
        if isinstance(entry, dict) and "result" in entry:
            return entry["result"]
        return entry

    def keys(self) -> list[str]:
        """Names of the steps."""
        return list(self._results)

    def __getitem__(self, step_name: str) -> Any:
        return self.get_result(step_name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._results)

    def __contains__(self, step_name: str) -> bool:
        return step_name in self._results


@dataclass
class WorkflowStepWrapper:
    """The step itself: its attempts, inputs and results."""

    workflow_step_uuid: str
    task_uuid: str
    name: str
    named_step_uuid: str | None = None
    retryable: bool = True
    max_attempts: int = 3
    in_process: bool = False
    processed: bool = False
    processed_at: datetime | None = None
    attempts: int = 0
    last_attempted_at: datetime | None = None
    backoff_request_seconds: int = 0
    inputs: dict[str, Any] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @classmethod
    def from_dict(cls, data: dict[str, Any] | None) -> WorkflowStepWrapper:
        """The wrapper of an event's `workflow_step`."""
        data = data or {}
        return cls(
            workflow_step_uuid=data.get("workflow_step_uuid") or "",
            task_uuid=data.get("task_uuid") or "",
            name=data.get("name") or "",
            named_step_uuid=data.get("named_step_uuid"),
            retryable=data.get("retryable", True),
            max_attempts=data.get("max_attempts") or 3,
            in_process=data.get("in_process") or False,
            processed=data.get("processed") or False,
            processed_at=data.get("processed_at"),
            attempts=data.get("attempts") or 0,
            last_attempted_at=data.get("last_attempted_at"),
            backoff_request_seconds=data.get("backoff_request_seconds") or 0,
            inputs=data.get("inputs") or {},
            results=data.get("results") or {},
            created_at=data.get("created_at"),
            updated_at=data.get("updated_at"),
        )


@dataclass
class TaskWrapper:
    """The task: its context and its names."""

    task_uuid: str
    context: dict[str, Any] = field(default_factory=dict)
    namespace_name: str = ""
    task_name: str = ""
    task_version: str = ""
    correlation_id: str | None = None
    parent_correlation_id: str | None = None

    @classmethod
    def from_dict(cls, data: dict[str, Any] | None) -> TaskWrapper:
        """The wrapper of an event's `task`, nested (`task.task`) or flat."""
        data = data or {}
        inner = data.get("task") or data

        def either(key: str) -> str:
            return data.get(key) or inner.get(key) or ""

        return cls(
            task_uuid=inner.get("task_uuid") or "",
            context=inner.get("context") or {},
            namespace_name=either("namespace_name"),
            task_name=either("task_name"),
            task_version=either("task_version"),
            correlation_id=inner.get("correlation_id"),
            parent_correlation_id=inner.get("parent_correlation_id"),
        )


@dataclass
class TaskSequenceStepWrapper:
    """All data of a step event."""

    task: TaskWrapper
    workflow_step: WorkflowStepWrapper
    dependency_results: DependencyResultsWrapper
    step_definition: StepDefinitionWrapper

    @classmethod
    def from_dict(cls, data: dict[str, Any] | None) -> TaskSequenceStepWrapper:
        """The wrapper of an event's `task_sequence_step`."""
        data = data or {}
        return cls(
            task=TaskWrapper.from_dict(data.get("task")),
            workflow_step=WorkflowStepWrapper.from_dict(data.get("workflow_step")),
            dependency_results=DependencyResultsWrapper.from_dict(data.get("dependency_results")),
            step_definition=StepDefinitionWrapper.from_dict(data.get("step_definition")),
        )

    def get_task_field(self, field_name: str) -> Any:
        """A value of the task's context, or None."""
        return self.task.context.get(field_name)

    def get_dependency_result(self, step_name: str) -> Any:
        """What an ancestor's handler returned, or None."""
        return self.dependency_results.get_results(step_name)

    def get_results(self, step_name: str) -> Any:
        """What an ancestor's handler returned, or None."""
        return self.dependency_results.get_results(step_name)
