"""What the step after the batches finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tasker_core.models import DependencyResultsWrapper

__all__ = ["BatchAggregationScenario"]


@dataclass
class BatchAggregationScenario:
    """The results of an analyzer and its workers, for the step that adds them up.

    Attributes:
        is_no_batches: True if the analyzer found nothing to divide.
        batchable_result: What the analyzer returned.
        batch_results: What the workers returned, by step name.
        worker_count: How many workers there were.
    """

    is_no_batches: bool
    batchable_result: dict[str, Any] = field(default_factory=dict)
    batch_results: dict[str, Any] = field(default_factory=dict)
    worker_count: int = 0

    @classmethod
    def detect(
        cls,
        dependency_results: dict[str, Any] | DependencyResultsWrapper,
        batchable_step_name: str,
        batch_worker_prefix: str,
    ) -> BatchAggregationScenario:
        """The scenario of a step's dependency results.

        Raises:
            ValueError: The analyzer's result is missing, or it made batches and no worker's result is here.
        """
        results = (
            dependency_results
            if isinstance(dependency_results, DependencyResultsWrapper)
            else DependencyResultsWrapper.from_dict(dependency_results)
        )
        analyzed = results.get_results(batchable_step_name)
        if analyzed is None:
            raise ValueError(f"the result of the batchable step '{batchable_step_name}' is missing")
        outcome = analyzed.get("batch_processing_outcome") if isinstance(analyzed, dict) else None
        if isinstance(outcome, dict) and outcome.get("type") == "no_batches":
            return cls(is_no_batches=True, batchable_result=analyzed)
        workers = {name: results.get_results(name) for name in results if name.startswith(batch_worker_prefix)}
        if not workers:
            raise ValueError(
                f"no result of a batch worker '{batch_worker_prefix}*' is here, and '{batchable_step_name}' made some"
            )
        return cls(False, analyzed, workers, len(workers))

    def no_batches(self) -> bool:
        """True if the analyzer found nothing to divide."""
        return self.is_no_batches
