"""A batch that saves how far it is, yields, and goes on: analyzer, worker and aggregator.

Their names are those of upstream's checkpoint_yield_test workflow.
"""

from __future__ import annotations

from tasker_core.batch_processing import Batchable
from tasker_core.errors import PermanentError, RetryableError
from tasker_core.step_handler.base import StepHandler
from tasker_core.types import StepContext, StepHandlerResult

__all__ = ["CheckpointYieldAggregatorHandler", "CheckpointYieldAnalyzerHandler", "CheckpointYieldWorkerHandler"]


class CheckpointYieldAnalyzerHandler(Batchable, StepHandler):
    """Makes one batch of `total_items` items (100 unless the task's context says otherwise)."""

    handler_name = "CheckpointYield.StepHandlers.AnalyzerHandler"

    def call(self, context: StepContext) -> StepHandlerResult:
        """No batch for 0 items."""
        total = context.get_input_or("total_items", 100)
        if total <= 0:
            return self.no_batches_outcome("no_items")
        return self.batch_analyzer_success(
            cursor_configs=[self.create_cursor_config(0, total)],
            total_items=total,
            worker_template_name="checkpoint_yield_batch",
        )


class CheckpointYieldWorkerHandler(Batchable, StepHandler):
    """Adds up 1 to the number of items, yielding every `items_per_checkpoint` items (25).

    `fail_after_items` makes it fail once it has done so many, in attempt `fail_on_attempt` (1), for good if
    `permanent_failure` is set.
    """

    handler_name = "CheckpointYield.StepHandlers.WorkerHandler"

    def call(self, context: StepContext) -> StepHandlerResult:
        """One stretch of the batch, up to the next checkpoint."""
        no_op = self.handle_no_op_worker(context)
        if no_op is not None:
            return no_op
        batch = self.get_batch_context(context)
        if batch is None:
            raise PermanentError("the step has no batch: it must be a batch worker")
        saved = batch.checkpoint_cursor
        start = saved if isinstance(saved, int) else batch.start_cursor
        total = (batch.accumulated_results or {}).get("running_total", 0)
        end = min(start + context.get_input_or("items_per_checkpoint", 25), batch.end_cursor)
        self._fail_if_told(context, start)
        total += sum(range(start + 1, end + 1))
        done = end - batch.start_cursor
        if end < batch.end_cursor:
            return self.checkpoint_yield(end, done, {"running_total": total})
        return self.batch_worker_success(items_processed=done, last_cursor=end, batch_metadata={"running_total": total})

    def _fail_if_told(self, context: StepContext, start: int) -> None:
        after = context.get_input("fail_after_items")
        if after is None or start < after:
            return
        if context.get_input("permanent_failure"):
            raise PermanentError(f"told to fail after {after} items")
        if context.attempt == context.get_input_or("fail_on_attempt", 1):
            raise RetryableError(f"told to fail after {after} items")


class CheckpointYieldAggregatorHandler(Batchable, StepHandler):
    """Adds up the batches."""

    handler_name = "CheckpointYield.StepHandlers.AggregatorHandler"

    def call(self, context: StepContext) -> StepHandlerResult:
        """running_total and total_processed over all batches."""
        results = context.get_all_dependency_results("checkpoint_yield_batch")
        done = [result for result in results if not result.get("no_op")]
        return self.success(
            {
                "running_total": sum(r["batch_metadata"]["running_total"] for r in done),
                "total_processed": sum(r["items_processed"] for r in done),
                "worker_count": len(done),
            }
        )
