"""Ways to write handlers: the functional DSL, HTTP, decisions, batches."""

from __future__ import annotations

import asyncio
import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import make_event
from pydantic import BaseModel
from tasker_core import (
    ApiHandler,
    ApiResponse,
    Batchable,
    BatchAggregationScenario,
    DecisionHandler,
    DecisionPointOutcome,
    FfiStepEvent,
    PermanentError,
    RetryableError,
    StepContext,
    StepHandler,
    StepHandlerResult,
)
from tasker_core.errors import TaskerError
from tasker_core.examples.checkpoint_yield import (
    CheckpointYieldAggregatorHandler,
    CheckpointYieldAnalyzerHandler,
    CheckpointYieldWorkerHandler,
)
from tasker_core.step_handler import functional as dsl
from tasker_core.step_handler.mixins.api import APIMixin, close_shared_clients


def context(**kwargs: Any) -> StepContext:
    return StepContext.from_ffi_event(FfiStepEvent.model_validate(make_event("h", **kwargs)), "h")


def call(function: Any, **kwargs: Any) -> Any:
    result = function._handler_class().call(context(**kwargs))
    return asyncio.run(result) if inspect.iscoroutine(result) else result


class Order(BaseModel):
    items: list[str] = []
    total: float | None = None


def test_a_function_gets_dependencies_inputs_and_context() -> None:
    @dsl.step_handler("f", version="2.0.0")
    @dsl.depends_on(cart="validate", order=("load", Order), missing="nowhere")
    @dsl.inputs("payment", "absent")
    def f(cart: Any, order: Any, missing: Any, payment: Any, absent: Any, context: Any) -> Any:
        """Documented."""
        return {
            "cart": cart,
            "order": order.items,
            "rest": [missing, absent],
            "pay": payment,
            "h": context.handler_name,
        }

    result = call(f, context={"payment": 5}, dependencies={"validate": 1, "load": {"items": ["a"]}})
    assert result.result == {"cart": 1, "order": ["a"], "rest": [None, None], "pay": 5, "h": "h"}
    cls = f._handler_class
    assert cls.handler_name == "f" and cls.handler_version == "2.0.0" and cls.__doc__ == "Documented."
    assert cls.__name__ == "f" and isinstance(f, dsl.FunctionalHandler)
    assert f._depends_on["order"] == "load" and f._inputs == ["payment", "absent"]


def test_a_model_validates_the_inputs() -> None:
    @dsl.step_handler("f")
    @dsl.inputs(Order)
    def f(inputs: Order) -> Order:
        return inputs

    assert call(f, context={"items": ["a"], "total": 2}).result == {"items": ["a"], "total": 2.0}
    failed = call(f, context={"items": 5})
    assert failed.retryable and failed.metadata["exception_type"] == "ValidationError"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, {}),
        ({"a": 1}, {"a": 1}),
        (5, {"result": 5}),
        ([1], {"result": [1]}),
        (StepHandlerResult.success({"b": 2}), {"b": 2}),
    ],
)
@pytest.mark.parametrize("is_async", [False, True])
def test_return_values_become_results(value: Any, expected: Any, is_async: bool) -> None:
    if is_async:

        @dsl.step_handler("f")
        async def f() -> Any:
            return value
    else:

        @dsl.step_handler("f")
        def f() -> Any:
            return value

    assert call(f).result == expected


@pytest.mark.parametrize(
    ("error", "error_type", "retryable"),
    [
        (PermanentError("m", error_code="C"), "permanent_error", False),
        (RetryableError("m", retry_after=3), "retryable_error", True),
        (TaskerError("m", retryable=False), "handler_error", False),
        (ValueError("m"), "handler_error", True),
    ],
)
def test_exceptions_become_failures(error: Exception, error_type: str, retryable: bool) -> None:
    @dsl.step_handler("f")
    def f() -> Any:
        raise error

    result = call(f)
    assert (result.error_type, result.retryable, result.error_message) == (error_type, retryable, "m")
    if isinstance(error, TaskerError):
        assert {**error.metadata}.items() <= result.metadata.items()


def test_a_decision_routes_or_skips() -> None:
    @dsl.decision_handler("route")
    @dsl.inputs("amount")
    def route(amount: int, _context: Any) -> Any:
        return dsl.Decision.route(["manager"], tier="high") if amount > 10 else dsl.Decision.skip("small")

    routed = call(route, context={"amount": 50})
    assert routed.result == {
        "decision_point_outcome": {"type": "create_steps", "step_names": ["manager"]},
        "routing_context": {"tier": "high"},
    }
    assert routed.metadata == {"decision_handler": "route", "decision_version": "1.0.0"}
    assert call(route, context={"amount": 1}).result == {
        "decision_point_outcome": {"type": "no_branches"},
        "reason": "small",
    }


def test_an_analyzer_and_its_workers() -> None:
    @dsl.batch_analyzer("analyze", worker_template="work")
    @dsl.inputs("rows")
    def analyze(rows: int) -> Any:
        return dsl.BatchConfig(rows, 400, {"file": "x"})

    @dsl.batch_worker("work")
    def work(batch_context: Any) -> Any:
        return (
            {"none": True} if batch_context is None else {"size": batch_context.end_cursor - batch_context.start_cursor}
        )

    result = call(analyze, context={"rows": 1000}).result
    outcome = result["batch_processing_outcome"]
    assert outcome["worker_template_name"] == "work" and outcome["worker_count"] == 3
    assert outcome["cursor_configs"][2] == {
        "batch_id": "003",
        "start_cursor": 800,
        "end_cursor": 1000,
        "batch_size": 200,
    }
    assert result["batch_metadata"] == {"file": "x"}
    assert call(analyze, context={"rows": 0}).result["batch_processing_outcome"] == {"type": "no_batches"}
    inputs = {"cursor": outcome["cursor_configs"][2], "is_no_op": False}
    assert call(work, inputs=inputs).result == {"size": 200} and call(work).result == {"none": True}


def transport(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/slow":
        return httpx.Response(429, headers={"retry-after": "17"}, json={"error": "later"})
    if request.url.path == "/text":
        return httpx.Response(200, text="plain")
    echo = json.loads(request.content) if request.content else None
    return httpx.Response(200, json={"method": request.method, "echo": echo, "auth": request.headers.get("auth")})


class Fetch(ApiHandler):
    handler_name = "fetch"
    base_url = "https://api.test"
    default_headers = {"auth": "t"}

    def call(self, context: Any) -> Any:
        response = self.get("/x")
        return self.api_success(response) if response.ok else self.api_failure(response)


@pytest.fixture
def fetch(monkeypatch: pytest.MonkeyPatch) -> Any:
    made: list[httpx.Client] = []
    real = APIMixin._new_client

    def new_client(self: Any) -> httpx.Client:
        client = real(self)
        client._transport = httpx.MockTransport(transport)
        made.append(client)
        return client

    monkeypatch.setattr(APIMixin, "_new_client", new_client)
    yield made
    close_shared_clients()


def test_all_instances_of_a_class_share_one_client(fetch: Any) -> None:
    handlers = [Fetch() for _ in range(3)]
    assert all(h._client is None for h in handlers)
    assert [h.call(None).result["auth"] for h in handlers] == ["t", "t", "t"]
    assert len(fetch) == 1 and handlers[0].client is handlers[1].client
    handlers[0].close()
    assert handlers[0]._client is None and not fetch[0].is_closed
    close_shared_clients()
    assert fetch[0].is_closed and Fetch().call(None).is_success


def test_requests_of_every_method(fetch: Any) -> None:
    handler = Fetch()
    for method, send in {"POST": handler.post, "PUT": handler.put, "PATCH": handler.patch}.items():
        body = send("/x", json={"a": 1}).body
        assert (body["method"], body["echo"]) == (method, {"a": 1})
    assert handler.request("OPTIONS", "/x").body["method"] == "OPTIONS"
    assert handler.delete("/x").body["method"] == "DELETE"
    assert handler.api_success(handler.get("/text")).result == {"data": "plain"}
    assert handler.capabilities == ["process", "http", "api"]


def test_a_client_set_by_hand_is_used_and_closed() -> None:
    handler = Fetch()
    handler._client = client = httpx.Client(base_url="https://x", transport=httpx.MockTransport(transport))
    assert handler.get("/text").body == "plain"
    handler.close()
    assert client.is_closed


def test_failures_of_services(fetch: Any) -> None:
    result = Fetch().api_failure(Fetch().get("/slow"))
    assert (result.error_type, result.retryable, result.error_message) == ("rate_limited", True, "HTTP 429: later")
    assert result.metadata["retry_after_seconds"] == 17 and result.metadata["response_body"] == {"error": "later"}
    timeout = Fetch().timeout_error(TimeoutError("t"), "asking for x")
    assert timeout.retryable and "while asking for x" in str(timeout.error_message)
    assert Fetch().connection_error(OSError("c")).error_type == "connection_error"


@pytest.mark.parametrize(
    ("status", "error_type", "retryable"),
    [(400, "bad_request", False), (404, "not_found", False), (408, "request_timeout", True),
     (418, "client_error", False),
     (422, "unprocessable_entity", False), (500, "internal_server_error", True), (503, "service_unavailable", True),
     (507, "server_error", False), (301, "http_error", False)],
)  # fmt: skip
def test_statuses_are_classified(status: int, error_type: str, retryable: bool) -> None:
    result = Fetch().api_failure(ApiResponse(httpx.Response(status)))
    assert (result.error_type, result.retryable) == (error_type, retryable)


def test_the_message_of_a_service_is_found() -> None:
    for body, message in (
        ({"error": {"message": "bad mail"}}, "HTTP 422: bad mail"),
        ({"detail": "gone"}, "HTTP 422: gone"),
        ({}, "HTTP 422: Unprocessable Entity"),
    ):
        assert Fetch()._format_error_message(ApiResponse(httpx.Response(422, json=body))) == message
    assert Fetch()._format_error_message(ApiResponse(httpx.Response(599))) == "HTTP 599: server_error"


def test_retry_after_is_seconds() -> None:
    def response(value: str | None) -> ApiResponse:
        return ApiResponse(httpx.Response(503, headers={} if value is None else {"Retry-After": value}))

    assert [response(v).retry_after for v in ("5", "Wed, 21 Oct 2026 07:28:00 GMT", None)] == [5, 60, None]
    assert response(None).is_server_error and not response(None).is_client_error and response(None).is_retryable
    assert response("5").to_dict()["status_code"] == 503


class Route(DecisionHandler):
    handler_name = "route"

    def call(self, context: Any) -> Any:
        return self.route_to_steps(["a"])


def test_decision_results() -> None:
    handler = Route()
    assert handler.call(None).result["decision_point_outcome"]["step_names"] == ["a"]
    dynamic = DecisionPointOutcome.create_steps(["a"], dynamic_steps=[{"name": "x"}])
    assert handler.decision_success_with_outcome(dynamic).result["dynamic_steps"] == [{"name": "x"}]
    failed = handler.decision_failure("no")
    assert (failed.error_type, failed.retryable) == ("decision_error", False)
    assert handler.capabilities == ["process", "decision", "routing"]


class Batches(Batchable, StepHandler):
    handler_name = "b"

    def call(self, context: Any) -> Any:
        return self.success()


def test_ranges_and_parts() -> None:
    b = Batches()
    assert [(c.start_cursor, c.end_cursor) for c in b.create_cursor_ranges(10, 4)] == [(0, 4), (4, 8), (8, 10)]
    assert len(b.create_cursor_ranges(1000, 10, max_batches=5)) == 5 and b.create_cursor_ranges(0, 4) == []
    parts = b.create_cursor_configs(1000, 3)
    assert [(p.batch_id, p.cursor_start, p.cursor_end) for p in parts] == [
        ("001", 0, 334),
        ("002", 334, 668),
        ("003", 668, 1000),
    ]
    assert parts[0].to_dict()["row_count"] == 334 and b.create_cursor_configs(0, 3) == []
    for wrong in (lambda: b.create_cursor_ranges(1, 0), lambda: b.create_cursor_configs(1, 0)):
        with pytest.raises(ValueError, match="must be > 0"):
            wrong()


def test_worker_results_add_up() -> None:
    b = Batches()
    done = b.batch_worker_success(items_processed=10, items_succeeded=8, items_failed=2, errors=[{"e": 1}])
    assert done.result["errors"] == [{"e": 1}] and "results" not in done.result and done.metadata["batch_worker"]
    partial = b.batch_worker_partial_failure(b.create_worker_outcome(5), "some")
    assert partial.result["partial_failure_message"] == "some" and partial.result["items_succeeded"] == 5
    assert not b.batch_worker_success().is_success
    results = {
        "an": {"batch_processing_outcome": {"type": "create_batches"}},
        "w_001": done.result,
        "w_002": done.result,
    }
    scenario = b.detect_aggregation_scenario({k: {"result": v} for k, v in results.items()}, "an", "w_")
    summed = b.aggregate_batch_worker_results(scenario).result
    assert (summed["total_processed"], summed["worker_count"], summed["success_rate"]) == (20, 2, 0.8)
    mine = b.aggregate_batch_worker_results(scenario, aggregation_fn=lambda by_name: {"names": sorted(by_name)})
    assert mine.result == {"names": ["w_001", "w_002"], "worker_count": 2, "scenario": "with_batches"}


def test_no_batches_are_a_scenario_of_their_own() -> None:
    none = {"an": {"result": {"batch_processing_outcome": {"type": "no_batches"}}}}
    scenario = BatchAggregationScenario.detect(none, "an", "w_")
    assert scenario.no_batches() and scenario.worker_count == 0
    assert Batches().aggregate_batch_worker_results(scenario, {"total": 0}).result == {
        "worker_count": 0,
        "scenario": "no_batches",
        "total": 0,
    }
    for missing in ({}, {"an": {"result": {"batch_processing_outcome": {"type": "create_batches"}}}}):
        with pytest.raises(ValueError, match="an"):
            BatchAggregationScenario.detect(missing, "an", "w_")


def test_a_placeholder_worker_does_nothing() -> None:
    inputs = {
        "cursor": {"batch_id": "000", "start_cursor": 0, "end_cursor": 0, "batch_size": 0},
        "batch_metadata": {"cursor_field": "id", "failure_strategy": "fail_fast"},
        "is_no_op": True,
    }
    result = Batches().handle_no_op_worker(context(inputs=inputs))
    assert result is not None and result.result["no_op"]
    assert Batches().handle_no_op_worker(context()) is None


def drive(total: int, step: int) -> tuple[int, dict[str, Any]]:
    """Runs the example's worker to its end, as the host does; the yields and the aggregate."""
    analyzed = CheckpointYieldAnalyzerHandler().call(context(context={"total_items": total}))
    cursor = analyzed.result["batch_processing_outcome"]["cursor_configs"][0]
    inputs = {
        "cursor": cursor,
        "batch_metadata": {"cursor_field": "id", "failure_strategy": "fail_fast"},
        "is_no_op": False,
    }
    yields, checkpoint = 0, None
    while True:
        one = context(context={"items_per_checkpoint": step}, inputs=inputs, checkpoint=checkpoint)
        result = CheckpointYieldWorkerHandler().call(one)
        if not result.metadata.get("checkpoint_yield"):
            break
        yields, checkpoint = yields + 1, result.result
    summed = CheckpointYieldAggregatorHandler().call(
        context(dependencies={"checkpoint_yield_batch_001": result.result})
    )
    return yields, summed.result


def test_the_checkpoint_example_gives_upstreams_figures() -> None:
    assert drive(100, 25) == (3, {"running_total": 5050, "total_processed": 100, "worker_count": 1})
    assert drive(50, 5)[0] == 9 and drive(50, 5)[1]["running_total"] == 1275


def test_importing_the_package_needs_neither_httpx_nor_a_yaml_reader() -> None:
    script = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import conftest\nassert not {'httpx', 'yaml', 'asyncio'} & ({*sys.modules} - before)\n"
    )
    script = "import sys, pytest, pathlib\nbefore = {*sys.modules}\n" + script
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
