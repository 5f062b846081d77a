"""Types about a worker's life: configuration, start, state, log fields."""

from __future__ import annotations

from enum import Enum
from typing import Any

from pydantic import Field

from tasker_core.types.model import Model

__all__ = [
    "BootstrapConfig",
    "BootstrapResult",
    "LogContext",
    "StepHandlerCallResult",
    "WorkerState",
    "WorkerStatus",
]


class WorkerState(str, Enum):
    """The states of a Worker: `STARTING`, `RUNNING`, `SHUTTING_DOWN`, `STOPPED`, `ERROR`."""

    STARTING = "starting"
    RUNNING = "running"
    SHUTTING_DOWN = "shutting_down"
    STOPPED = "stopped"
    ERROR = "error"


class BootstrapConfig(Model):
    """What `Worker.start` and `bootstrap_worker` may be told; an unknown field is refused.

    Everything has a default, so that no configuration is needed.
    """

    worker_id: str | None = Field(default=None, description="Name of this worker; made up if omitted.")
    namespace: str = Field(default="default", description="Namespace that this worker serves.")
    config_path: str | None = Field(default=None, description="Path of a worker.toml.")
    log_level: str = Field(
        default="info",
        pattern="^(trace|debug|info|warn|error)$",
        description="Least severe level that is logged.",
    )

    model_config = {"extra": "forbid"}


class BootstrapResult(Model):
    """What came of `bootstrap_worker`: `success` is True if this call started the worker."""

    success: bool = Field(description="Whether this call started the worker.")
    handle_id: str = Field(description="Id of the running host.")
    worker_id: str = Field(description="Name of the worker.")
    status: str = Field(description="started or already_running.")
    message: str | None = Field(default=None, description="One sentence for people.")
    error_message: str | None = Field(default=None, description="Why it did not start.")


class WorkerStatus(Model):
    """Whether a worker runs in this process, and with what."""

    running: bool = Field(description="Whether a worker runs in this process.")
    environment: str | None = Field(default=None, description="test, development or production.")
    worker_core_status: str | None = Field(default=None, description="State of the host.")
    web_api_enabled: bool | None = Field(default=None, description="Whether HTTP is served.")
    supported_namespaces: list[str] | None = Field(default=None, description="Namespaces served.")
    database_pool_size: int | None = Field(default=None, description="Connections of the store.")
    database_pool_idle: int | None = Field(default=None, description="Connections not in use.")
    error: str | None = Field(default=None, description="Why it does not run.")


class StepHandlerCallResult(Model):
    """Outcome of one call of a handler, in its simplest form."""

    success: bool = Field(description="Whether the call succeeded.")
    result: dict[str, Any] = Field(default_factory=dict, description="What the handler returned.")
    error_message: str | None = Field(default=None, description="Why it failed.")
    metadata: dict[str, Any] = Field(default_factory=dict, description="Facts about the call.")


class LogContext(Model):
    """The ids that a log line carries; fields that are None are left out."""

    correlation_id: str | None = Field(default=None, description="Id of the request.")
    task_uuid: str | None = Field(default=None, description="Id of the task.")
    step_uuid: str | None = Field(default=None, description="Id of the step.")
    namespace: str | None = Field(default=None, description="Namespace of the task.")
    operation: str | None = Field(default=None, description="What is being done.")
