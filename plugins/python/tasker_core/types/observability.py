"""Types of the figures that a worker gives about itself."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import Field

from tasker_core.types.model import Model

__all__ = [
    "ComponentHealth",
    "FfiDispatchMetrics",
    "HealthCheck",
    "StarvationWarning",
    "WorkerConfig",
    "WorkerMetrics",
]


class FfiDispatchMetrics(Model):
    """Steps that wait between the host and Python."""

    pending_count: int = Field(description="Steps taken or queued and not completed.")
    oldest_pending_age_ms: int | None = Field(default=None, description="Age of the oldest.")
    newest_pending_age_ms: int | None = Field(default=None, description="Age of the newest.")
    oldest_event_id: str | None = Field(default=None, description="Event id of the oldest.")
    starvation_detected: bool = Field(default=False, description="Whether one waits too long.")
    starving_event_count: int = Field(default=0, description="How many wait too long.")


class StarvationWarning(Model):
    """A step that has waited for a consumer for too long."""

    event_id: UUID = Field(description="Its event id.")
    step_uuid: UUID = Field(description="Id of the step.")
    pending_duration_ms: int = Field(description="How long it has waited.")
    threshold_ms: int = Field(description="How long is too long.")


class ComponentHealth(Model):
    """Health of one part of the worker."""

    name: str = Field(description="Name of the part.")
    status: str = Field(description="healthy, degraded or unhealthy.")
    pool_size: int | None = Field(default=None, description="Connections.")
    pool_idle: int | None = Field(default=None, description="Connections not in use.")


class HealthCheck(Model):
    """Health of the worker and its parts."""

    status: str = Field(description="healthy, degraded or unhealthy.")
    is_running: bool = Field(description="Whether the worker runs.")
    components: dict[str, ComponentHealth] = Field(default_factory=dict, description="The parts.")
    rust: dict[str, Any] = Field(default_factory=dict, description="About the native host.")
    python: dict[str, Any] = Field(default_factory=dict, description="About the Python side.")


class WorkerMetrics(Model):
    """Counters and gauges of the worker since it started."""

    dispatch_channel_pending: int = Field(default=0, description="Steps taken, not completed.")
    oldest_pending_age_ms: int | None = Field(default=None, description="Age of the oldest.")
    newest_pending_age_ms: int | None = Field(default=None, description="Age of the newest.")
    starvation_detected: bool = Field(default=False, description="Whether one waits too long.")
    starving_event_count: int = Field(default=0, description="How many wait too long.")
    database_pool_size: int = Field(default=0, description="Connections of the store.")
    database_pool_idle: int = Field(default=0, description="Connections not in use.")
    environment: str | None = Field(default=None, description="test, development, production.")
    steps_processed: int = Field(default=0, description="Attempts that ended.")
    steps_succeeded: int = Field(default=0, description="Attempts that succeeded.")
    steps_failed: int = Field(default=0, description="Attempts that failed.")
    steps_in_progress: int = Field(default=0, description="Handlers that run now.")


class WorkerConfig(Model):
    """The configuration in force."""

    environment: str | None = Field(default=None, description="test, development, production.")
    supported_namespaces: list[str] = Field(default_factory=list, description="Namespaces.")
    web_api_enabled: bool = Field(default=False, description="Whether HTTP is served.")
    database_pool_size: int = Field(default=0, description="Connections of the store.")
    polling_interval_ms: int = Field(default=10, description="Longest sleep of an EventPoller.")
    starvation_threshold_ms: int = Field(default=1000, description="What waits longer starves.")
    max_concurrent_handlers: int = Field(default=10, description="Threads for sync handlers.")
    handler_timeout_ms: int = Field(default=30000, description="Timeout of a step without one; 0: none.")
