"""Batch steps: dividing work, working on a batch, adding up."""

from tasker_core.batch_processing.aggregation import BatchAggregationScenario
from tasker_core.batch_processing.batchable import Batchable, BatchWorkerConfig

__all__ = ["BatchAggregationScenario", "BatchWorkerConfig", "Batchable"]
