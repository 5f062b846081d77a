"""The mixin of batch handlers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any
from uuid import uuid4

from pydantic import ValidationError

from tasker_core.batch_processing.aggregation import BatchAggregationScenario
from tasker_core.models import DependencyResultsWrapper
from tasker_core.types.batch_boundary import (
    RustBatchWorkerInputs,
    RustCursorConfig,
    aggregate_batch_results,
    create_batches,
    no_batches,
)
from tasker_core.types.batches import (
    BatchAnalyzerOutcome,
    BatchWorkerContext,
    BatchWorkerOutcome,
    CursorConfig,
)
from tasker_core.types.events import StepContext
from tasker_core.types.results import StepHandlerResult

__all__ = ["BatchWorkerConfig", "Batchable"]


@dataclass
class BatchWorkerConfig:
    """The part of one worker, of `worker_count` equal parts."""

    batch_id: str
    cursor_start: int
    cursor_end: int
    row_count: int
    worker_index: int
    total_workers: int

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain data."""
        return asdict(self)


class Batchable:
    """Adds batch results to a handler: `class Analyze(Batchable, StepHandler)`.

    Cursors count from 0; a batch reaches from its start up to, not including, its end.
    """

    def create_cursor_config(
        self, start: int, end: int, step_size: int = 1, metadata: dict[str, Any] | None = None
    ) -> CursorConfig:
        """One batch."""
        return CursorConfig(start_cursor=start, end_cursor=end, step_size=step_size, metadata=metadata or {})

    def create_cursor_ranges(
        self, total_items: int, batch_size: int, step_size: int = 1, max_batches: int | None = None
    ) -> list[CursorConfig]:
        """Batches of `batch_size` items; larger ones if there would be more than `max_batches`.

        Raises:
            ValueError: `batch_size` is not positive.
        """
        if batch_size <= 0:
            raise ValueError("batch_size must be > 0")
        if max_batches is not None and max_batches > 0:
            batch_size = max(batch_size, -(-total_items // max_batches))
        return [
            CursorConfig(start_cursor=start, end_cursor=min(start + batch_size, total_items), step_size=step_size)
            for start in range(0, total_items, batch_size)
        ]

    def create_cursor_configs(self, total_items: int, worker_count: int) -> list[BatchWorkerConfig]:
        """The parts of at most `worker_count` workers, equal up to rounding.

        Raises:
            ValueError: `worker_count` is not positive.
        """
        if worker_count <= 0:
            raise ValueError("worker_count must be > 0")
        size = -(-total_items // worker_count)
        starts = range(0, total_items, size) if size else range(0)
        return [
            BatchWorkerConfig(
                batch_id=f"{index + 1:03d}",
                cursor_start=start,
                cursor_end=min(start + size, total_items),
                row_count=min(start + size, total_items) - start,
                worker_index=index,
                total_workers=worker_count,
            )
            for index, start in enumerate(starts)
        ]

    def get_batch_worker_inputs(self, context: StepContext) -> RustBatchWorkerInputs | None:
        """The inputs of a batch worker, or None if the step is none."""
        if not context.step_inputs:
            return None
        try:
            return RustBatchWorkerInputs.model_validate(context.step_inputs)
        except ValidationError:
            return None

    def handle_no_op_worker(self, context: StepContext) -> StepHandlerResult | None:
        """The success of the placeholder of an empty batch, or None for a worker that has something to do."""
        given = self.get_batch_worker_inputs(context)
        if given is None or not given.is_no_op:
            return None
        return StepHandlerResult.success(
            {
                "batch_id": given.cursor.batch_id,
                "no_op": True,
                "processed_count": 0,
                "message": "No batches to process",
                "processed_at": datetime.now(timezone.utc).isoformat(),
            }
        )

    def create_batch_outcome(
        self,
        total_items: int,
        batch_size: int,
        step_size: int = 1,
        batch_metadata: dict[str, Any] | None = None,
    ) -> BatchAnalyzerOutcome:
        """Batches of `batch_size` items, as an analyzer's outcome."""
        return BatchAnalyzerOutcome(
            cursor_configs=self.create_cursor_ranges(total_items, batch_size, step_size),
            total_items=total_items,
            batch_metadata=batch_metadata or {},
        )

    def create_batch_outcome_from_ranges(
        self,
        ranges: list[tuple[int, int]],
        step_size: int = 1,
        total_items: int | None = None,
        batch_metadata: dict[str, Any] | None = None,
    ) -> BatchAnalyzerOutcome:
        """Batches of these (start, end) pairs, as an analyzer's outcome."""
        return BatchAnalyzerOutcome.from_ranges(ranges, step_size, total_items, batch_metadata)

    def create_worker_outcome(
        self,
        items_processed: int,
        items_succeeded: int = 0,
        items_failed: int = 0,
        items_skipped: int = 0,
        results: list[dict[str, Any]] | None = None,
        errors: list[dict[str, Any]] | None = None,
        last_cursor: int | None = None,
        batch_metadata: dict[str, Any] | None = None,
    ) -> BatchWorkerOutcome:
        """A worker's outcome; without `items_succeeded` all processed items count as succeeded."""
        return BatchWorkerOutcome(
            items_processed=items_processed,
            items_succeeded=items_succeeded or items_processed,
            items_failed=items_failed,
            items_skipped=items_skipped,
            results=results or [],
            errors=errors or [],
            last_cursor=last_cursor,
            batch_metadata=batch_metadata or {},
        )

    def get_batch_context(self, context: StepContext) -> BatchWorkerContext | None:
        """The batch of the step, or None if it is no batch worker."""
        return BatchWorkerContext.from_step_context(context)

    def create_batch_context(
        self,
        cursor_config: CursorConfig,
        batch_index: int,
        total_batches: int,
        batch_metadata: dict[str, Any] | None = None,
    ) -> BatchWorkerContext:
        """A batch made by hand, for tests."""
        return BatchWorkerContext(
            batch_id=str(uuid4()),
            cursor_config=cursor_config,
            batch_index=batch_index,
            total_batches=total_batches,
            batch_metadata=batch_metadata or {},
        )

    def batch_analyzer_success(
        self,
        outcome: BatchAnalyzerOutcome | None = None,
        metadata: dict[str, Any] | None = None,
        worker_template_name: str = "batch_worker",
        cursor_configs: list[CursorConfig] | None = None,
        total_items: int | None = None,
        batch_metadata: dict[str, Any] | None = None,
    ) -> StepHandlerResult:
        """The analyzer's success: one worker step for each batch.

        Args:
            outcome: The batches; or give `cursor_configs`, `total_items` and `batch_metadata`.
            metadata: Kept with the attempt.
            worker_template_name: Step of the template that each worker is a copy of.
            cursor_configs: The batches.
            total_items: Items in all.
            batch_metadata: For all workers.
        """
        if cursor_configs is None:
            if outcome is None:
                return self.no_batches_outcome("no_cursor_configs_provided")
            cursor_configs, total_items = outcome.cursor_configs, outcome.total_items
            batch_metadata = outcome.batch_metadata
        about = batch_metadata or {}
        if not cursor_configs:
            return self.no_batches_outcome(about.get("reason", "empty_dataset"), about)
        cursors = [
            RustCursorConfig(
                batch_id=f"{index + 1:03d}",
                start_cursor=config.start_cursor,
                end_cursor=config.end_cursor,
                batch_size=config.end_cursor - config.start_cursor,
            )
            for index, config in enumerate(cursor_configs)
        ]
        created = create_batches(worker_template_name, len(cursors), cursors, total_items or 0)
        result: dict[str, Any] = {
            "batch_processing_outcome": created.model_dump(),
            "worker_count": len(cursors),
            "total_items": total_items or 0,
        }
        if about:
            result["batch_metadata"] = about
        return StepHandlerResult.success(result, {**(metadata or {}), "batch_analyzer": True})

    def no_batches_outcome(self, reason: str, metadata: dict[str, Any] | None = None) -> StepHandlerResult:
        """The analyzer's success with nothing to divide; `metadata` is added to the result."""
        result = {"batch_processing_outcome": no_batches().model_dump(), "reason": reason, **(metadata or {})}
        return StepHandlerResult.success(result, {"batch_analyzer": True, "no_batches": True})

    def batch_worker_success(
        self,
        outcome: BatchWorkerOutcome | None = None,
        metadata: dict[str, Any] | None = None,
        items_processed: int | None = None,
        items_succeeded: int | None = None,
        items_failed: int = 0,
        items_skipped: int = 0,
        results: list[dict[str, Any]] | None = None,
        errors: list[dict[str, Any]] | None = None,
        last_cursor: int | None = None,
        batch_metadata: dict[str, Any] | None = None,
    ) -> StepHandlerResult:
        """The worker's success, from an outcome or from its counts."""
        if items_processed is not None:
            outcome = BatchWorkerOutcome(
                items_processed=items_processed,
                items_succeeded=items_processed if items_succeeded is None else items_succeeded,
                items_failed=items_failed,
                items_skipped=items_skipped,
                results=results or [],
                errors=errors or [],
                last_cursor=last_cursor,
                batch_metadata=batch_metadata or {},
            )
        if outcome is None:
            return StepHandlerResult.failure(
                "batch_worker_success requires either outcome or items_processed", "invalid_args", retryable=False
            )
        return StepHandlerResult.success(_counts(outcome), {**(metadata or {}), "batch_worker": True})

    def batch_worker_partial_failure(
        self,
        outcome: BatchWorkerOutcome,
        message: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> StepHandlerResult:
        """The worker's success although some items failed; the result says so."""
        result = {**_counts(outcome), "partial_failure": True}
        if message:
            result["partial_failure_message"] = message
        about = {**(metadata or {}), "batch_worker": True, "had_failures": True}
        return StepHandlerResult.success(result, about)

    def checkpoint_yield(
        self,
        cursor: int | str | dict[str, Any],
        items_processed: int,
        accumulated_results: dict[str, Any] | None = None,
    ) -> StepHandlerResult:
        """Saves how far the worker is and gives its place to others; the step goes on later from the cursor.

        Args:
            cursor: Where to go on, found in `context.checkpoint_cursor`.
            items_processed: Items done so far, over all runs.
            accumulated_results: Partial results, found in `context.accumulated_results`.
        """
        result: dict[str, Any] = {
            "type": "checkpoint_yield",
            "cursor": cursor,
            "items_processed": items_processed,
        }
        if accumulated_results is not None:
            result["accumulated_results"] = accumulated_results
        return StepHandlerResult.success(result, {"checkpoint_yield": True, "batch_worker": True})

    def detect_aggregation_scenario(
        self,
        dependency_results: dict[str, Any] | DependencyResultsWrapper,
        batchable_step_name: str,
        batch_worker_prefix: str,
    ) -> BatchAggregationScenario:
        """Whether there were batches, and what their workers returned; see BatchAggregationScenario.detect."""
        return BatchAggregationScenario.detect(dependency_results, batchable_step_name, batch_worker_prefix)

    def no_batches_aggregation_result(self, zero_metrics: dict[str, Any] | None = None) -> StepHandlerResult:
        """The sum over no batches: `zero_metrics`, worker_count 0 and scenario no_batches."""
        return StepHandlerResult.success({"worker_count": 0, "scenario": "no_batches", **(zero_metrics or {})})

    def aggregate_batch_worker_results(
        self,
        scenario: BatchAggregationScenario,
        zero_metrics: dict[str, Any] | None = None,
        aggregation_fn: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    ) -> StepHandlerResult:
        """The sum over all batches.

        Args:
            scenario: From `detect_aggregation_scenario`.
            zero_metrics: The sum over no batches.
            aggregation_fn: Adds up the workers' results, given by step name; the counts are added up unless given.
        """
        if scenario.is_no_batches:
            return self.no_batches_aggregation_result(zero_metrics)
        if aggregation_fn is not None:
            summed = aggregation_fn(scenario.batch_results)
        else:
            summed = self.aggregate_worker_results(list(scenario.batch_results.values()))
        return StepHandlerResult.success({**summed, "worker_count": scenario.worker_count, "scenario": "with_batches"})

    @staticmethod
    def aggregate_worker_results(worker_results: list[dict[str, Any]]) -> dict[str, Any]:
        """The counts of all workers added up; the first 100 errors are kept."""
        given: list[dict[str, Any] | None] = list(worker_results)
        return {**aggregate_batch_results(given).model_dump(), "batch_count": len(worker_results)}


def _counts(outcome: BatchWorkerOutcome) -> dict[str, Any]:
    counts = outcome.model_dump()
    for key in ("results", "errors"):
        if not counts[key]:
            del counts[key]
    return counts
