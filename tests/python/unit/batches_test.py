"""Results of batch and decision handlers: the shapes that upstream's orchestration reads."""

from __future__ import annotations

from typing import Any

import pytest
from tasker_core import (
    Batchable,
    BatchAnalyzerOutcome,
    BatchWorkerConfig,
    BatchWorkerOutcome,
    CursorConfig,
    DecisionHandler,
    DecisionPointOutcome,
    DecisionType,
    StepHandler,
)
from tasker_core.testing import make_context

CURSOR = {"batch_id": "002", "start_cursor": 10, "end_cursor": 20, "batch_size": 10}


class Batches(Batchable, StepHandler):
    """Any batch handler."""

    handler_name = "batches"

    def call(self, context: Any) -> Any:
        return {}


class Route(DecisionHandler):
    """Any decision handler."""

    handler_name = "route"
    handler_version = "2.1.0"

    def call(self, context: Any) -> Any:
        return {}


batches, route = Batches(), Route()


def test_an_outcome_is_made_by_size_or_from_ranges() -> None:
    by_size = batches.create_batch_outcome(250, 100, batch_metadata={"file": "a.csv"})
    ranges = [(c.start_cursor, c.end_cursor) for c in by_size.cursor_configs]
    assert ranges == [(0, 100), (100, 200), (200, 250)]
    assert (by_size.total_items, by_size.batch_metadata) == (250, {"file": "a.csv"})
    same = batches.create_batch_outcome_from_ranges(ranges, total_items=250, batch_metadata={"file": "a.csv"})
    assert same == by_size == BatchAnalyzerOutcome.from_ranges(ranges, 1, 250, {"file": "a.csv"})
    assert batches.create_batch_outcome(0, 100).cursor_configs == []


def test_an_analyzers_success_has_one_cursor_for_each_worker() -> None:
    outcome = batches.create_batch_outcome(3, 2, batch_metadata={"file": "a.csv"})
    success = batches.batch_analyzer_success(outcome, {"by": "size"}, worker_template_name="import")
    cursors = [
        {"batch_id": "001", "start_cursor": 0, "end_cursor": 2, "batch_size": 2},
        {"batch_id": "002", "start_cursor": 2, "end_cursor": 3, "batch_size": 1},
    ]
    created = {"type": "create_batches", "worker_template_name": "import", "worker_count": 2}
    assert success.result == {
        "batch_processing_outcome": {**created, "cursor_configs": cursors, "total_items": 3},
        "worker_count": 2,
        "total_items": 3,
        "batch_metadata": {"file": "a.csv"},
    }
    assert success.metadata == {"by": "size", "batch_analyzer": True}
    by_hand = batches.batch_analyzer_success(cursor_configs=[CursorConfig(start_cursor=0, end_cursor=2)], total_items=2)
    assert by_hand.result is not None and by_hand.result["worker_count"] == 1


def test_nothing_to_divide_is_a_success_of_its_own() -> None:
    said = batches.no_batches_outcome("no_rows", {"file": "a.csv"})
    expected = {"batch_processing_outcome": {"type": "no_batches"}, "reason": "no_rows", "file": "a.csv"}
    assert (said.result, said.metadata) == (expected, {"batch_analyzer": True, "no_batches": True})
    for nothing in (batches.batch_analyzer_success(), batches.batch_analyzer_success(BatchAnalyzerOutcome())):
        assert nothing.result is not None and nothing.result["batch_processing_outcome"] == {"type": "no_batches"}


def test_the_batch_of_a_worker_step() -> None:
    metadata = {"cursor_field": "id", "failure_strategy": "fail_fast"}
    inputs = {"cursor": CURSOR, "batch_metadata": metadata, "is_no_op": False}
    context = make_context(step_inputs=inputs)
    given = batches.get_batch_worker_inputs(context)
    assert given is not None and given.cursor.start_cursor == 10 and given.batch_metadata.cursor_field == "id"
    batch = batches.get_batch_context(context)
    assert batch is not None and (batch.batch_id, batch.start_cursor, batch.end_cursor) == ("002", 10, 20)
    for other in (make_context(), make_context(step_inputs={"rate": 2})):
        assert batches.get_batch_worker_inputs(other) is None and batches.get_batch_context(other) is None
    made = batches.create_batch_context(batches.create_cursor_config(5, 9, 2), 1, 3, {"file": "a.csv"})
    assert (made.step_size, made.batch_index, made.total_batches, made.has_checkpoint()) == (2, 1, 3, False)


def test_a_worker_counts_what_it_did() -> None:
    counted = batches.create_worker_outcome(10, items_failed=2, errors=[{"row": 3}], last_cursor=20)
    assert counted == BatchWorkerOutcome(
        items_processed=10, items_succeeded=10, items_failed=2, errors=[{"row": 3}], last_cursor=20
    )
    success = batches.batch_worker_success(counted)
    assert success.result is not None and success.metadata == {"batch_worker": True}
    assert success.result["errors"] == [{"row": 3}] and "results" not in success.result
    partial = batches.batch_worker_partial_failure(counted, "two rows are wrong")
    assert partial.is_success and partial.result is not None and partial.result["partial_failure"] is True
    assert partial.result["partial_failure_message"] == "two rows are wrong"
    wrong = batches.batch_worker_success()
    assert (wrong.is_success, wrong.error_type, wrong.retryable) == (False, "invalid_args", False)


def test_what_workers_returned_adds_up() -> None:
    errors = [{"row": number} for number in range(80)]
    worker = {"items_processed": 10, "items_succeeded": 8, "items_failed": 1, "items_skipped": 1, "errors": errors}
    total = batches.aggregate_worker_results([worker, worker])
    expected = {"total_processed": 20, "total_succeeded": 16, "total_failed": 2, "total_skipped": 2, "batch_count": 2}
    assert total == {**expected, "success_rate": 0.8, "errors": (errors + errors)[:100], "error_count": 160}
    nothing = batches.no_batches_aggregation_result({"total_value": 0})
    assert nothing.result == {"worker_count": 0, "scenario": "no_batches", "total_value": 0}


def test_the_parts_of_workers() -> None:
    parts = batches.create_cursor_configs(10, 3)
    assert [(p.batch_id, p.cursor_start, p.cursor_end) for p in parts] == [("001", 0, 4), ("002", 4, 8), ("003", 8, 10)]
    part = BatchWorkerConfig("001", 0, 4, 4, 0, 3)
    assert part == parts[0] and part.to_dict()["row_count"] == 4


def test_a_decision_names_its_steps_or_the_reason_for_none() -> None:
    skipped = route.skip_branches("too small", {"amount": 3})
    about = {"decision_handler": "route", "decision_version": "2.1.0"}
    expected = {
        "decision_point_outcome": {"type": "no_branches"},
        "reason": "too small",
        "routing_context": {"amount": 3},
    }
    assert (skipped.result, skipped.metadata) == (expected, about)
    outcome = DecisionPointOutcome.no_branches("too small", {"amount": 3})
    assert route.decision_no_branches(outcome, {"by": "rule"}).metadata == {"by": "rule", **about}
    assert outcome.decision_type is DecisionType.NO_BRANCHES
    routed = route.decision_success(["manager", "finance"], {"amount": 9000})
    expected = {"type": "create_steps", "step_names": ["manager", "finance"]}
    assert routed.result == {"decision_point_outcome": expected, "routing_context": {"amount": 9000}}
    assert route.route_to_steps(["manager", "finance"], {"amount": 9000}) == routed
    dynamic = DecisionPointOutcome.create_steps(["manager"], dynamic_steps=[{"name": "x"}])
    told = route.decision_success_with_outcome(dynamic).result
    assert told is not None and told["dynamic_steps"] == [{"name": "x"}]
    assert dynamic.decision_type == DecisionType.CREATE_STEPS == "create_steps"


@pytest.mark.parametrize("wrong", [0, -1])
def test_sizes_must_be_positive(wrong: int) -> None:
    with pytest.raises(ValueError, match="batch_size"):
        batches.create_batch_outcome(10, wrong)
    with pytest.raises(ValueError, match="worker_count"):
        batches.create_cursor_configs(10, wrong)
