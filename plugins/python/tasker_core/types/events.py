"""Types of a step as it arrives: the event and the context that a handler sees."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field, PrivateAttr

if TYPE_CHECKING:
    from tasker_core._execution.attempt import Attempt
    from tasker_core.models import TaskSequenceStepWrapper

__all__ = ["FfiStepEvent", "StepContext"]

_Model = TypeVar("_Model", bound=BaseModel)
_set = object.__setattr__


def trusted(cls: type[_Model], values: dict[str, Any], private: dict[str, Any] | None = None) -> _Model:
    """An instance of a model from values that the host made, without validating them again.

    `values` becomes the instance's dict and must hold every field.
    """
    model = cls.__new__(cls)
    _set(model, "__dict__", values)
    _set(model, "__pydantic_fields_set__", set(values))
    _set(model, "__pydantic_extra__", None)
    _set(model, "__pydantic_private__", private)
    return model


class FfiStepEvent(BaseModel):
    """One attempt of a step that the host hands to Python; immutable.

    `event_id` is new for every attempt and is what a completion refers to.
    """

    event_id: str = Field(description="Id of this attempt, for its completion.")
    task_uuid: str = Field(description="Id of the task.")
    step_uuid: str = Field(description="Id of the step.")
    correlation_id: str = Field(description="Id of the request.")
    task_correlation_id: str | None = Field(default=None, description="Id of the task's request.")
    parent_correlation_id: str | None = Field(default=None, description="Id of its parent.")
    task_sequence_step: dict[str, Any] = Field(
        description="Task, step, results of all ancestors and the step's definition."
    )
    trace_id: str | None = Field(default=None, description="OpenTelemetry trace.")
    span_id: str | None = Field(default=None, description="OpenTelemetry span.")

    model_config = {"frozen": True}


class StepContext(BaseModel):
    """What a handler is called with: the task's input, the results of earlier steps, and the attempt.

    `get_input`, `get_dependency_result` and `get_config` read; `heartbeat`, `cancelled` and `remaining_s`
    let a long handler say that it lives and learn that it should stop.
    """

    event: FfiStepEvent = Field(description="The event that the context was made from.")
    task_uuid: UUID = Field(description="Id of the task.")
    step_uuid: UUID = Field(description="Id of the step.")
    correlation_id: UUID = Field(description="Id of the request.")
    handler_name: str = Field(description="Name that the template calls the handler by.")
    input_data: dict[str, Any] = Field(default_factory=dict, description="The task's context.")
    dependency_results: dict[str, Any] = Field(
        default_factory=dict, description="Results of all ancestors, by step name."
    )
    step_config: dict[str, Any] = Field(default_factory=dict, description="`handler.initialization` of the template.")
    step_inputs: dict[str, Any] = Field(
        default_factory=dict, description="Inputs of a dynamic step, for instance its cursor."
    )
    retry_count: int = Field(default=0, description="Attempts that failed before this one.")
    max_retries: int = Field(default=3, description="Attempts that are allowed in all.")

    model_config = {"arbitrary_types_allowed": True}

    _attempt: Attempt | None = PrivateAttr(default=None)

    @classmethod
    def from_ffi_event(cls, event: FfiStepEvent, handler_name: str) -> StepContext:
        """The context of `event` for the handler of that name; missing parts of the event become empty."""
        return cls(**_fields_of(event, handler_name))

    def get_input(self, key: str) -> Any:
        """A value of the task's context, or None."""
        return self.input_data.get(key)

    def get_input_or(self, key: str, default: Any = None) -> Any:
        """A value of the task's context, or `default` if it is missing or null."""
        value = self.input_data.get(key)
        return default if value is None else value

    def get_config(self, key: str) -> Any:
        """A value of the handler's `initialization` in the template, or None."""
        return self.step_config.get(key)

    def get_dependency_result(self, step_name: str) -> Any:
        """What an earlier step returned, or None if there is no such ancestor."""
        entry = self.dependency_results.get(step_name)
        if isinstance(entry, dict) and "result" in entry:
            return entry["result"]
        return entry

    def get_dependency_field(self, step_name: str, *path: str) -> Any:
        """One field inside what an earlier step returned, or None.

        Example:
            >>> context.get_dependency_field("validate", "customer", "email")
        """
        value = self.get_dependency_result(step_name)
        for key in path:
            if not isinstance(value, dict):
                return None
            value = value.get(key)
        return value

    def get_dependency_result_keys(self) -> list[str]:
        """Names of all steps whose results are here."""
        return list(self.dependency_results)

    def get_all_dependency_results(self, prefix: str) -> list[Any]:
        """What all ancestors whose name starts with `prefix` returned, for instance batch workers."""
        found = (self.get_dependency_result(n) for n in self.dependency_results if n.startswith(prefix))
        return [value for value in found if value is not None]

    def is_retry(self) -> bool:
        """True if an attempt failed before this one."""
        return self.retry_count > 0

    def is_last_retry(self) -> bool:
        """True if no attempt follows this one."""
        return self.retry_count >= self.max_retries - 1

    @property
    def checkpoint(self) -> dict[str, Any] | None:
        """The checkpoint that an earlier run of this step saved, or None."""
        workflow_step = self.event.task_sequence_step.get("workflow_step")
        saved = workflow_step.get("checkpoint") if isinstance(workflow_step, dict) else None
        return saved if isinstance(saved, dict) else None

    @property
    def checkpoint_cursor(self) -> Any | None:
        """Where to go on: the cursor of the checkpoint, or None."""
        saved = self.checkpoint
        return saved.get("cursor") if saved else None

    @property
    def checkpoint_items_processed(self) -> int:
        """Items done up to the checkpoint; 0 without one."""
        saved = self.checkpoint
        return (saved.get("items_processed") or 0) if saved else 0

    @property
    def accumulated_results(self) -> dict[str, Any] | None:
        """Partial results that the checkpoint kept, or None."""
        saved = self.checkpoint
        return saved.get("accumulated_results") if saved else None

    def has_checkpoint(self) -> bool:
        """True if an earlier run left a cursor."""
        return self.checkpoint_cursor is not None

    @property
    def task_sequence_step(self) -> TaskSequenceStepWrapper:
        """The event's data with attributes instead of keys."""
        from tasker_core.models import TaskSequenceStepWrapper

        return TaskSequenceStepWrapper.from_dict(self.event.task_sequence_step)

    @property
    def attempt(self) -> int:
        """Number of this attempt, from 1."""
        return self._attempt.number if self._attempt else self.retry_count + 1

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt of this step: hand it to services that deduplicate."""
        key = self._attempt.idempotency_key if self._attempt else None
        if key:
            return key
        # Of a host wired by hand, whose events have no field for it: as the host makes it.
        name = (self.event.task_sequence_step.get("workflow_step") or {}).get("name")
        return f"{self.task_uuid}:{name}" if name else str(self.step_uuid)

    @property
    def timeout_s(self) -> float | None:
        """Seconds that this attempt may take in all, or None without a limit."""
        return self._attempt.timeout_s if self._attempt else None

    @property
    def remaining_s(self) -> float | None:
        """Seconds left until the attempt fails as a timeout (never negative), or None without a limit."""
        deadline: float | None = self._attempt.deadline if self._attempt else None
        return None if deadline is None else max(0.0, deadline - time.monotonic())

    @property
    def cancelled(self) -> bool:
        """True once the outcome of this attempt no longer counts: stop and return soon.

        `cancel_reason` says why.
        """
        return self.cancel_reason is not None

    @property
    def cancel_reason(self) -> str | None:
        """timeout, cancelled, resolved or shutdown; None while the attempt goes on."""
        return self._attempt.reason() if self._attempt else None

    def heartbeat(self, progress: float = 0.0, note: str = "") -> bool:
        """Tells the host that the handler lives.

        Args:
            progress: From 0 to 1.
            note: What is being done, shown by `tasker task show`.

        Returns:
            True to go on, False if the attempt was cancelled or has ended.
        """
        return self._attempt.heartbeat(progress, note) if self._attempt else True

    def save_checkpoint(
        self,
        cursor: Any,
        items_processed: int,
        accumulated_results: dict[str, Any] | None = None,
    ) -> bool:
        """Saves durably how far the handler is and goes on; the next attempt finds it in `checkpoint`.

        Returns:
            True if it is saved, False if the attempt was cancelled or has ended.

        Raises:
            RuntimeError: The host could not save it.
        """
        if self._attempt is None:
            return True
        return self._attempt.save_checkpoint(
            {
                "step_uuid": str(self.step_uuid),
                "cursor": cursor,
                "items_processed": items_processed,
                "accumulated_results": accumulated_results,
            }
        )


def _fields_of(event: FfiStepEvent, handler_name: str) -> dict[str, Any]:
    step = event.task_sequence_step
    task = step.get("task") or {}
    inner = task.get("task") or task
    handler = (step.get("step_definition") or {}).get("handler") or {}
    workflow_step = step.get("workflow_step") or {}
    task_uuid = UUID(event.task_uuid)
    correlated = event.correlation_id != event.task_uuid
    return {
        "event": event,
        "task_uuid": task_uuid,
        "step_uuid": UUID(event.step_uuid),
        "correlation_id": UUID(event.correlation_id) if correlated else task_uuid,
        "handler_name": handler_name,
        "input_data": inner.get("context") or {},
        "dependency_results": step.get("dependency_results") or {},
        "step_config": handler.get("initialization") or {},
        "step_inputs": workflow_step.get("inputs") or {},
        "retry_count": workflow_step.get("attempts") or 0,
        "max_retries": workflow_step.get("max_attempts") or 3,
    }


def event_from_host(data: dict[str, Any]) -> FfiStepEvent:
    """The event of a dict that the host made, not validated again."""
    get = data.get
    return trusted(
        FfiStepEvent,
        {
            "event_id": data["event_id"],
            "task_uuid": data["task_uuid"],
            "step_uuid": data["step_uuid"],
            "correlation_id": data["correlation_id"],
            "task_correlation_id": get("task_correlation_id"),
            "parent_correlation_id": get("parent_correlation_id"),
            "task_sequence_step": data["task_sequence_step"],
            "trace_id": get("trace_id"),
            "span_id": get("span_id"),
        },
    )


def context_from_host(event: FfiStepEvent, handler_name: str, attempt: Attempt | None) -> StepContext:
    """The context of an event that the host made, tied to its attempt, not validated again."""
    return trusted(StepContext, _fields_of(event, handler_name), {"_attempt": attempt})
