"""Types of batch steps as handlers use them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from tasker_core.types.events import StepContext
from tasker_core.types.model import Model

__all__ = [
    "BatchAnalyzerOutcome",
    "BatchWorkerContext",
    "BatchWorkerOutcome",
    "CursorConfig",
]


class CursorConfig(Model):
    """The items of one batch: from `start_cursor` up to, not including, `end_cursor`."""

    start_cursor: int = Field(description="First item.")
    end_cursor: int = Field(description="One after the last item.")
    step_size: int = Field(default=1, description="Distance between items.")
    metadata: dict[str, Any] = Field(default_factory=dict, description="About this batch.")


class BatchAnalyzerOutcome(Model):
    """The batches that an analyzer found."""

    cursor_configs: list[CursorConfig] = Field(default_factory=list, description="The batches.")
    total_items: int | None = Field(default=None, description="Items in all.")
    batch_metadata: dict[str, Any] = Field(default_factory=dict, description="For all workers.")

    @classmethod
    def from_ranges(
        cls,
        ranges: list[tuple[int, int]],
        step_size: int = 1,
        total_items: int | None = None,
        batch_metadata: dict[str, Any] | None = None,
    ) -> BatchAnalyzerOutcome:
        """The outcome whose batches are these (start, end) pairs."""
        return cls(
            cursor_configs=[
                CursorConfig(start_cursor=start, end_cursor=end, step_size=step_size) for start, end in ranges
            ],
            total_items=total_items,
            batch_metadata=batch_metadata or {},
        )


class BatchWorkerContext(Model):
    """The batch that a worker step processes, and how far an earlier run came."""

    batch_id: str = Field(description="Id of the batch, 001 and so on.")
    cursor_config: CursorConfig = Field(description="Items of the batch.")
    batch_index: int = Field(description="Number of the batch, from 0.")
    total_batches: int = Field(description="Batches in all.")
    batch_metadata: dict[str, Any] = Field(default_factory=dict, description="From the analyzer.")
    checkpoint: dict[str, Any] = Field(default_factory=dict, description="What a yield saved.")

    @property
    def start_cursor(self) -> int:
        """First item of the batch."""
        return self.cursor_config.start_cursor

    @property
    def end_cursor(self) -> int:
        """One after the last item of the batch."""
        return self.cursor_config.end_cursor

    @property
    def step_size(self) -> int:
        """Distance between items."""
        return self.cursor_config.step_size

    @property
    def checkpoint_cursor(self) -> int | str | dict[str, Any] | None:
        """Where an earlier run stopped, or None."""
        return self.checkpoint.get("cursor")

    @property
    def accumulated_results(self) -> dict[str, Any] | None:
        """Partial results of earlier runs, or None."""
        return self.checkpoint.get("accumulated_results")

    @property
    def checkpoint_items_processed(self) -> int:
        """Items that earlier runs processed."""
        return int(self.checkpoint.get("items_processed") or 0)

    def has_checkpoint(self) -> bool:
        """True if an earlier run left a cursor."""
        return self.checkpoint.get("cursor") is not None

    @classmethod
    def from_step_context(cls, step_context: StepContext) -> BatchWorkerContext | None:
        """The batch of a step, or None if the step is no batch worker.

        It is read from the step's inputs, else from `batch_context` in its configuration or the task's context.
        """
        event = getattr(step_context, "event", None)
        step = getattr(event, "task_sequence_step", None)
        workflow_step = step.get("workflow_step") if isinstance(step, dict) else None
        checkpoint = workflow_step.get("checkpoint") if isinstance(workflow_step, dict) else None
        inputs = step_context.step_inputs
        if inputs and "cursor" in inputs:
            cursor = inputs["cursor"] or {}
            step_size = cursor.get("step_size", cursor.get("batch_size", 1))
            data: Any = {"batch_id": cursor.get("batch_id"), "batch_metadata": inputs.get("batch_metadata")}
        else:
            data = step_context.step_config.get("batch_context")
            if data is None:
                data = step_context.input_data.get("batch_context")
            if data is None:
                return None
            cursor = data.get("cursor_config") or {}
            step_size = cursor.get("step_size", 1)
        return cls(
            batch_id=data.get("batch_id") or "",
            cursor_config=CursorConfig(
                start_cursor=cursor.get("start_cursor", 0),
                end_cursor=cursor.get("end_cursor", 0),
                step_size=step_size,
                metadata=cursor.get("metadata") or {},
            ),
            batch_index=data.get("batch_index", 0),
            total_batches=data.get("total_batches", 1),
            batch_metadata=data.get("batch_metadata") or {},
            checkpoint=checkpoint or {},
        )


class BatchWorkerOutcome(Model):
    """What a worker did with its batch."""

    items_processed: int = Field(default=0, description="Items processed.")
    items_succeeded: int = Field(default=0, description="Items that succeeded.")
    items_failed: int = Field(default=0, description="Items that failed.")
    items_skipped: int = Field(default=0, description="Items left out.")
    results: list[dict[str, Any]] = Field(default_factory=list, description="Results by item.")
    errors: list[dict[str, Any]] = Field(default_factory=list, description="Errors by item.")
    last_cursor: int | None = Field(default=None, description="Last item processed.")
    batch_metadata: dict[str, Any] = Field(default_factory=dict, description="About the batch.")
