"""All data types of the package: pydantic models and enumerations."""

from __future__ import annotations

from tasker_core._execution.attempt import Attempt
from tasker_core.types import (
    batch_boundary,
    batches,
    client,
    decisions,
    domain,
    events,
    lifecycle,
    observability,
    results,
)
from tasker_core.types.batch_boundary import *  # noqa: F403
from tasker_core.types.batches import *  # noqa: F403
from tasker_core.types.client import *  # noqa: F403
from tasker_core.types.decisions import *  # noqa: F403
from tasker_core.types.domain import *  # noqa: F403
from tasker_core.types.events import *  # noqa: F403
from tasker_core.types.lifecycle import *  # noqa: F403
from tasker_core.types.observability import *  # noqa: F403
from tasker_core.types.results import *  # noqa: F403

__all__ = [
    *lifecycle.__all__,
    *results.__all__,
    *events.__all__,
    *observability.__all__,
    *domain.__all__,
    *decisions.__all__,
    *batches.__all__,
    *batch_boundary.__all__,
    *client.__all__,
]

# The context's private attribute is annotated with a type that events.py may not import.
events.StepContext.model_rebuild(_types_namespace={"Attempt": Attempt})
