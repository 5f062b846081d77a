"""Types of batch steps as the host stores them."""

from __future__ import annotations

from enum import Enum
from typing import Any

from pydantic import Field

from tasker_core.types.model import Model

__all__ = [
    "BatchAggregationResult",
    "BatchMetadata",
    "BatchProcessingOutcome",
    "CreateBatchesOutcome",
    "FailureStrategy",
    "NoBatchesOutcome",
    "RustBatchWorkerInputs",
    "RustCursorConfig",
    "aggregate_batch_results",
    "create_batches",
    "no_batches",
]


class FailureStrategy(str, Enum):
    """What a batch worker does about an item that fails."""

    CONTINUE_ON_FAILURE = "continue_on_failure"
    FAIL_FAST = "fail_fast"
    ISOLATE = "isolate"


class RustCursorConfig(Model):
    """The range of one batch; its cursors may be numbers, strings or objects."""

    batch_id: str = Field(description="Id of the batch.")
    start_cursor: Any = Field(description="Where the batch starts, inclusive.")
    end_cursor: Any = Field(description="Where the batch ends, exclusive.")
    batch_size: int = Field(description="Items of the batch.")


class BatchMetadata(Model):
    """How the workers of a template read and fail."""

    cursor_field: str = Field(description="Field that the cursor refers to.")
    failure_strategy: FailureStrategy = Field(description="What to do about a failed item.")


class RustBatchWorkerInputs(Model):
    """`workflow_step.inputs` of a batch worker."""

    cursor: RustCursorConfig = Field(description="The batch.")
    batch_metadata: BatchMetadata = Field(description="How to read and fail.")
    is_no_op: bool = Field(description="True for the placeholder of an empty batch.")


class NoBatchesOutcome(Model):
    """There is nothing to divide."""

    type: str = Field(default="no_batches", description="Always no_batches.")


class CreateBatchesOutcome(Model):
    """One worker for each cursor."""

    type: str = Field(default="create_batches", description="Always create_batches.")
    worker_template_name: str = Field(description="Step of the template to create workers from.")
    worker_count: int = Field(description="How many workers.")
    cursor_configs: list[RustCursorConfig] = Field(description="One for each worker.")
    total_items: int = Field(description="Items in all.")


BatchProcessingOutcome = NoBatchesOutcome | CreateBatchesOutcome


def no_batches() -> NoBatchesOutcome:
    """The outcome of an analyzer that found nothing to divide."""
    return NoBatchesOutcome()


def create_batches(
    worker_template_name: str,
    worker_count: int,
    cursor_configs: list[RustCursorConfig],
    total_items: int,
) -> CreateBatchesOutcome:
    """The outcome of an analyzer that divides into these batches.

    Raises:
        ValueError: The number of cursors is not `worker_count`.
    """
    if len(cursor_configs) != worker_count:
        raise ValueError(f"cursor_configs length ({len(cursor_configs)}) must equal worker_count ({worker_count})")
    return CreateBatchesOutcome(
        worker_template_name=worker_template_name,
        worker_count=worker_count,
        cursor_configs=cursor_configs,
        total_items=total_items,
    )


class BatchAggregationResult(Model):
    """The sum over all workers of a batch step."""

    total_processed: int = Field(description="Items processed.")
    total_succeeded: int = Field(description="Items that succeeded.")
    total_failed: int = Field(description="Items that failed.")
    total_skipped: int = Field(description="Items left out.")
    batch_count: int = Field(description="Workers that ran.")
    success_rate: float = Field(description="Succeeded of processed, 0 to 1.")
    errors: list[dict[str, Any]] = Field(default_factory=list, description="The first errors.")
    error_count: int = Field(description="Errors in all.")


def aggregate_batch_results(
    worker_results: list[dict[str, Any] | None], max_errors: int = 100
) -> BatchAggregationResult:
    """Adds up what batch workers returned; None entries are skipped, at most `max_errors` errors are kept."""
    results = [result for result in worker_results if result is not None]

    def total(key: str) -> int:
        return sum(result.get(key) or 0 for result in results)

    errors: list[dict[str, Any]] = []
    for result in results:
        found = result.get("errors")
        if isinstance(found, list):
            errors.extend(found)
    processed, succeeded = total("items_processed"), total("items_succeeded")
    return BatchAggregationResult(
        total_processed=processed,
        total_succeeded=succeeded,
        total_failed=total("items_failed"),
        total_skipped=total("items_skipped"),
        batch_count=len(results),
        success_rate=succeeded / processed if processed > 0 else 0.0,
        errors=errors[:max_errors],
        error_count=len(errors),
    )
