"""Domain events: what steps tell the rest of the process.

A template's `publishes_events` declares them; publishers make them when a step ends, subscribers handle them. They
are delivered in the process, at most once.
"""

from __future__ import annotations

from tasker_core.domain_events.context import (
    EventDeclaration,
    PublishContext,
    StepEventContext,
    StepResult,
)
from tasker_core.domain_events.poller import InProcessDomainEventPoller
from tasker_core.domain_events.publishers import BasePublisher, DefaultPublisher
from tasker_core.domain_events.registries import PublisherRegistry, SubscriberRegistry
from tasker_core.domain_events.subscribers import BaseSubscriber

__all__ = [
    "BasePublisher",
    "BaseSubscriber",
    "DefaultPublisher",
    "EventDeclaration",
    "InProcessDomainEventPoller",
    "PublishContext",
    "PublisherRegistry",
    "StepEventContext",
    "StepResult",
    "SubscriberRegistry",
]
