"""Types of results: what a handler returns and what is submitted for a step."""

from __future__ import annotations

from enum import Enum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from tasker_core.types.model import Model

__all__ = ["ErrorType", "ResultStatus", "StepError", "StepExecutionResult", "StepHandlerResult"]


class ResultStatus(str, Enum):
    """The `status` of a submitted result."""

    SUCCESS = "completed"
    FAILURE = "error"
    RETRYABLE_ERROR = "retryable_error"
    PERMANENT_ERROR = "permanent_error"


class ErrorType(str, Enum):
    """The standard error types; any other string is allowed as well."""

    PERMANENT_ERROR = "permanent_error"
    RETRYABLE_ERROR = "retryable_error"
    VALIDATION_ERROR = "validation_error"
    TIMEOUT = "timeout"
    HANDLER_ERROR = "handler_error"

    @classmethod
    def is_standard(cls, error_type: str) -> bool:
        """True if `error_type` is one of the standard values."""
        return any(member.value == error_type for member in cls)

    @classmethod
    def is_typically_retryable(cls, error_type: str) -> bool:
        """True for `retryable_error` and `timeout`."""
        return error_type in (cls.RETRYABLE_ERROR.value, cls.TIMEOUT.value)


class StepError(Model):
    """Why a step failed."""

    error_type: str = Field(description="Kind of the error.")
    message: str = Field(description="One sentence for people.")
    stack_trace: str | None = Field(default=None, description="Where it was raised.")
    retryable: bool = Field(default=True, description="Whether another attempt may succeed.")
    metadata: dict[str, Any] = Field(default_factory=dict, description="Facts about the failure.")


class StepExecutionResult(Model):
    """The whole result of a step as it is submitted by `complete_step_event`."""

    step_uuid: UUID = Field(description="Id of the step.")
    task_uuid: UUID = Field(description="Id of the task.")
    success: bool = Field(description="Whether the step succeeded.")
    status: str = Field(description="A value of ResultStatus.")
    execution_time_ms: int = Field(description="How long the handler ran, in milliseconds.")
    result: dict[str, Any] | None = Field(default=None, description="What the handler returned.")
    error: StepError | None = Field(default=None, description="Why it failed.")
    worker_id: str | None = Field(default=None, description="Worker that ran it.")
    correlation_id: UUID | None = Field(default=None, description="Id of the request.")
    metadata: dict[str, Any] = Field(default_factory=dict, description="Facts about the execution.")

    @classmethod
    def success_result(
        cls,
        step_uuid: UUID,
        task_uuid: UUID,
        result: dict[str, Any],
        execution_time_ms: int,
        worker_id: str,
        correlation_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> StepExecutionResult:
        """The result of a step that succeeded, with status `completed`."""
        return cls(
            step_uuid=step_uuid,
            task_uuid=task_uuid,
            success=True,
            status=ResultStatus.SUCCESS.value,
            execution_time_ms=execution_time_ms,
            result=result,
            worker_id=worker_id,
            correlation_id=correlation_id,
            metadata=metadata or {},
        )

    @classmethod
    def failure_result(
        cls,
        step_uuid: UUID,
        task_uuid: UUID,
        error: StepError,
        execution_time_ms: int,
        worker_id: str,
        correlation_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> StepExecutionResult:
        """The result of a step that failed; the status follows from `error.retryable`."""
        status = ResultStatus.RETRYABLE_ERROR if error.retryable else ResultStatus.PERMANENT_ERROR
        return cls(
            step_uuid=step_uuid,
            task_uuid=task_uuid,
            success=False,
            status=status.value,
            execution_time_ms=execution_time_ms,
            error=error,
            worker_id=worker_id,
            correlation_id=correlation_id,
            metadata=metadata or {},
        )


class StepHandlerResult(BaseModel):
    """What a handler returns: `StepHandlerResult.success({...})` or `.failure("why")`."""

    # "success" is a classmethod here, so the field has another name than its JSON key.
    is_success: bool = Field(
        validation_alias="success",
        serialization_alias="success",
        description="Whether the step succeeded.",
    )
    result: dict[str, Any] | None = Field(default=None, description="What dependent steps read.")
    error_message: str | None = Field(default=None, description="Why it failed.")
    error_type: str | None = Field(default=None, description="Kind of the error.")
    error_code: str | None = Field(default=None, description="The application's own code.")
    retryable: bool = Field(default=True, description="Whether another attempt may succeed.")
    metadata: dict[str, Any] = Field(default_factory=dict, description="Kept with the attempt.")

    model_config = {"populate_by_name": True}

    @classmethod
    def success(cls, result: dict[str, Any], metadata: dict[str, Any] | None = None) -> StepHandlerResult:
        """The step succeeded.

        Args:
            result: What dependent steps read; its keys are strings and its values JSON.
            metadata: Kept with the attempt, not seen by other steps.
        """
        return cls(is_success=True, result=result, metadata=metadata or {})

    @classmethod
    def failure(
        cls,
        message: str,
        error_type: str | ErrorType = ErrorType.HANDLER_ERROR,
        retryable: bool = True,
        metadata: dict[str, Any] | None = None,
        error_code: str | None = None,
    ) -> StepHandlerResult:
        """The step failed.

        Args:
            message: One sentence for people.
            error_type: One of ErrorType or a string of your own.
            retryable: Whether another attempt may succeed.
            metadata: Kept with the attempt; `retry_after` (seconds) delays the next attempt.
            error_code: The application's own code.
        """
        return cls(
            is_success=False,
            error_message=message,
            error_type=error_type.value if isinstance(error_type, ErrorType) else error_type,
            error_code=error_code,
            retryable=retryable,
            metadata=metadata or {},
        )

    def is_success_result(self) -> bool:
        """True if the step succeeded."""
        return self.is_success

    def is_failure_result(self) -> bool:
        """True if the step failed."""
        return not self.is_success
