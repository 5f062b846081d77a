"""Publishers make the events of a step."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from datetime import datetime, timezone
from typing import Any

from tasker_core.domain_events.context import StepEventContext
from tasker_core.domain_events.delivery import deliver_here, execution_of
from tasker_core.logging import log_debug, log_error

__all__ = ["BasePublisher", "DefaultPublisher"]

_FIRED_BY = "tasker-python"
_EVENT_VERSION = "1.0"


class BasePublisher(ABC):
    """Makes events; a template's `publishes_events` names it by `publisher`.

    `publish` asks `should_publish`, makes the payload with `transform_payload` and the metadata with
    `additional_metadata`, asks `before_publish`, delivers the event to the subscribers of this process and calls
    `after_publish`. The worker calls it once the step's result is stored. What a hook raises goes to
    `on_publish_error` and never to the step.
    """

    @property
    @abstractmethod
    def publisher_name(self) -> str:
        """The name in templates."""

    def should_publish(self, ctx: StepEventContext) -> bool:
        """False to publish nothing for this step."""
        return True

    def transform_payload(self, ctx: StepEventContext) -> dict[str, Any]:
        """The event's payload; what the handler returned unless overridden."""
        return ctx.result or {}

    def additional_metadata(self, ctx: StepEventContext) -> dict[str, Any]:
        """Further metadata of the event."""
        return {}

    def before_publish(self, event_name: str, payload: dict[str, Any], metadata: dict[str, Any]) -> bool:
        """False to stop the event."""
        return True

    def after_publish(self, event_name: str, payload: dict[str, Any], metadata: dict[str, Any]) -> None:
        """The event was delivered."""
        log_debug(f"event '{event_name}' was published")

    def on_publish_error(self, event_name: str, error: Exception, payload: dict[str, Any]) -> None:
        """A hook or the delivery raised; it is logged unless overridden."""
        log_error(f"event '{event_name}' was not published: {type(error).__name__}: {error}")

    def publish(self, ctx: StepEventContext, event_name: str | None = None) -> bool:
        """Publishes an event for a step.

        Args:
            ctx: The step.
            event_name: The event's name; the step's unless given.

        Returns:
            True if it was delivered, False if a hook stopped it or raised.
        """
        name = event_name or ctx.step_name
        payload: dict[str, Any] = {}
        try:
            if not self.should_publish(ctx):
                return False
            payload = self.transform_payload(ctx)
            now = datetime.now(timezone.utc).isoformat()
            metadata = {
                "publisher": self.publisher_name,
                "published_at": now,
                "task_uuid": ctx.task_uuid,
                "step_uuid": ctx.step_uuid,
                "step_name": ctx.step_name,
                "namespace": ctx.namespace,
                "correlation_id": ctx.correlation_id,
                **ctx.metadata,
                **self.additional_metadata(ctx),
            }
            if not self.before_publish(name, payload, metadata):
                return False
            deliver_here(
                [
                    {
                        "event_id": str(uuid.uuid4()),
                        "event_name": name,
                        "event_version": _EVENT_VERSION,
                        "metadata": {**metadata, "fired_at": now, "fired_by": _FIRED_BY},
                        "payload": payload,
                        "execution_result": execution_of.get(),
                    }
                ]
            )
            self.after_publish(name, payload, metadata)
            return True
        except Exception as error:
            self.on_publish_error(name, error, payload)
            return False


class DefaultPublisher(BasePublisher):
    """Publishes what the handler returned, as it is."""

    @property
    def publisher_name(self) -> str:
        """default."""
        return "default"
