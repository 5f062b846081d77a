"""What the public names do that no other test here uses: errors, shapes, wrappers, hooks, the raw functions."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pydantic
import pytest
import tasker_core
from conftest import make_event
from tasker_core import errors

TASK, STEP = str(uuid.uuid4()), str(uuid.uuid4())


def test_the_version_is_one() -> None:
    assert tasker_core.__version__ == tasker_core.get_version() == tasker_core.version()
    assert "tasker-py" in tasker_core.get_rust_version() and "rustc" in tasker_core.get_rust_version()


def test_every_level_reaches_the_hosts_log(host: Any) -> None:
    levels = {
        "error": tasker_core.log_error,
        "warn": tasker_core.log_warn,
        "info": tasker_core.log_info,
        "debug": tasker_core.log_debug,
        "trace": tasker_core.log_trace,
    }
    for level, log in levels.items():
        log(f"a {level}", {"order": 7})
    assert host.logs == [(level, f"a {level}", {"order": "7"}) for level in levels]


@pytest.mark.parametrize(
    ("cls", "base", "retryable"),
    [
        (tasker_core.NetworkError, tasker_core.RetryableError, True),
        (tasker_core.ServiceUnavailableError, tasker_core.RetryableError, True),
        (tasker_core.ResourceContentionError, tasker_core.RetryableError, True),
        (tasker_core.StepValidationError, tasker_core.PermanentError, False),
        (tasker_core.AuthenticationError, tasker_core.PermanentError, False),
        (tasker_core.AuthorizationError, tasker_core.PermanentError, False),
        (tasker_core.ConfigurationError, tasker_core.PermanentError, False),
        (tasker_core.BusinessLogicError, tasker_core.PermanentError, False),
    ],
)
def test_errors_of_handlers_say_whether_to_try_again(cls: Any, base: type, retryable: bool) -> None:
    error = cls("it broke", error_code="E7", context={"order": 7})
    assert isinstance(error, base) and isinstance(error, errors.TaskerError)
    told = {"error_type": cls.__name__, "message": "it broke", "retryable": retryable}
    assert error.to_dict() == {**told, "metadata": {"error_code": "E7", "context": {"order": 7}}}
    assert tasker_core.is_retryable(error) is retryable


def test_errors_about_the_worker_are_a_family_of_their_own() -> None:
    for cls in (tasker_core.WorkerAlreadyRunningError, tasker_core.FFIError, tasker_core.ConversionError):
        assert issubclass(cls, tasker_core.TaskerError) and not issubclass(cls, errors.TaskerError)
    assert issubclass(errors.FFIError, tasker_core.RetryableError)


def test_error_types_are_known() -> None:
    known = tasker_core.ErrorType
    assert [known.is_standard(name) for name in ("timeout", "validation_error", "odd")] == [True, True, False]
    retryable = [name.value for name in known if known.is_typically_retryable(name.value)]
    assert retryable == ["retryable_error", "timeout"]
    assert tasker_core.ResultStatus("completed") is tasker_core.ResultStatus.SUCCESS


def test_answers_of_the_host_become_models(host: Any) -> None:
    result = tasker_core.bootstrap_worker()
    assert result == tasker_core.BootstrapResult(
        success=True, handle_id="h", worker_id="python-worker-1", status="started", message="started"
    )
    again = tasker_core.bootstrap_worker()
    assert isinstance(again, tasker_core.BootstrapResult) and (again.success, again.worker_id) == (False, "")
    status = tasker_core.get_worker_status()
    assert status == tasker_core.WorkerStatus(running=True, environment="test")
    health, metrics, config = tasker_core.get_health_check(), tasker_core.get_metrics(), tasker_core.get_worker_config()
    assert isinstance(health, tasker_core.HealthCheck) and health.status == "healthy"
    assert isinstance(metrics, tasker_core.WorkerMetrics) and metrics.steps_in_progress == 0
    assert isinstance(config, tasker_core.WorkerConfig) and config.handler_timeout_ms == 30_000
    part = tasker_core.ComponentHealth(name="store", status="healthy", pool_size=4)
    assert tasker_core.HealthCheck(status="healthy", is_running=True, components={"store": part}).rust == {}


def test_the_raw_functions_are_the_native_ones(host: Any, event: Any) -> None:
    raw = (
        tasker_core.poll_step_events,
        tasker_core.get_ffi_dispatch_metrics,
        tasker_core.check_starvation_warnings,
        tasker_core.cleanup_timeouts,
    )
    for function in raw:
        with pytest.raises(RuntimeError, match="not initialized"):
            function()
    tasker_core.bootstrap_worker()
    host.put(event("noop"))
    polled = tasker_core.poll_step_events()
    assert polled is not None and polled["task_sequence_step"]["step_definition"]["name"] == "step"
    metrics = tasker_core.FfiDispatchMetrics.model_validate(tasker_core.get_ffi_dispatch_metrics())
    assert (metrics.pending_count, metrics.starvation_detected) == (1, False)
    assert (tasker_core.check_starvation_warnings(), tasker_core.cleanup_timeouts()) == (True, 0)
    warning = tasker_core.StarvationWarning(event_id=TASK, step_uuid=STEP, pending_duration_ms=1500, threshold_ms=1000)
    assert warning.event_id == uuid.UUID(TASK)


def test_shapes_need_what_upstreams_need() -> None:
    called = tasker_core.StepHandlerCallResult(success=True)
    assert (called.result, called.metadata, called.error_message) == ({}, {}, None)
    fired = {"task_uuid": TASK, "correlation_id": STEP, "fired_at": "2026-01-01T00:00:00Z", "fired_by": "shop"}
    assert tasker_core.DomainEventMetadata.model_validate({**fired, "more": 1}).task_uuid == uuid.UUID(TASK)
    ended = tasker_core.ExecutionResult(success=False, error_message="no", error_type="timeout", execution_time_ms=7)
    shape = {"event_id": STEP, "event_name": "order.placed", "event_version": "1.0", "metadata": fired}
    event = tasker_core.InProcessDomainEvent.model_validate({**shape, "execution_result": ended})
    assert event.execution_result == ended and event.payload == {} and event.metadata.fired_by == "shop"
    for model in (tasker_core.BootstrapResult, tasker_core.DomainEventMetadata, tasker_core.StarvationWarning):
        with pytest.raises(pydantic.ValidationError):
            model.model_validate({})


def test_wrappers_of_an_event() -> None:
    task = tasker_core.TaskWrapper.from_dict({"task": {"task_uuid": TASK, "context": {"a": 1}}, "task_name": "order"})
    flat = tasker_core.TaskWrapper.from_dict({"task_uuid": TASK, "context": {"a": 1}, "task_name": "order"})
    assert task == flat and (task.context, task.task_name) == ({"a": 1}, "order")
    step = tasker_core.WorkflowStepWrapper.from_dict({"name": "pay", "attempts": 2, "max_attempts": None})
    assert (step.name, step.attempts, step.max_attempts, step.retryable) == ("pay", 2, 3, True)
    definition = tasker_core.StepDefinitionWrapper.from_dict({"handler": {"callable": "pay", "method": "refund"}})
    assert (definition.timeout_seconds, definition.handler.handler_method) == (30, "refund")
    results = tasker_core.DependencyResultsWrapper.from_dict({"pay": {"result": 7, "success": True}})
    assert results["pay"] == results.get_result("pay") == {"result": 7, "success": True}
    assert results.get_results("pay") == 7 and results.get_result("ship") is None
    assert list(results) == results.keys() == ["pay"] and "pay" in results and "ship" not in results


def test_answers_of_the_client_tolerate_what_is_missing() -> None:
    task = tasker_core.ClientTaskResponse.from_dict({"task_uuid": TASK, "status": "complete", "of_later": 1})
    assert (task.task_uuid, task.settled, task.steps) == (TASK, True, [])
    page = {"page": 2, "total_count": 51, "has_previous": True}
    tasks = tasker_core.ClientTaskListResponse.from_dict({"tasks": [{"task_uuid": TASK}], "pagination": page})
    assert tasks.tasks[0].task_uuid == TASK
    assert tasks.pagination == tasker_core.ClientPaginationInfo(page=2, total_count=51, has_previous=True)
    assert tasker_core.ClientStepResponse.from_dict({"name": "pay"}).results is None
    assert tasker_core.ClientStepAuditResponse.from_dict({"success": True}).success
    assert not tasker_core.ClientHealthResponse.from_dict({}).healthy


class Pays(tasker_core.StepHandler):
    """A handler with two methods."""

    handler_name = "pays"

    def call(self, context: Any) -> Any:
        return self.success({"by": "call"})

    def refund(self, context: Any) -> Any:
        return self.success({"by": "refund"})


class Finds(tasker_core.BaseResolver):
    """Knows one handler."""

    name = "finds"
    priority = 5

    def can_resolve(self, definition: Any, config: Any = None) -> bool:
        return bool(definition.callable == "pays")

    def resolve(self, definition: Any, config: Any = None) -> Any:
        return Pays()


def test_a_resolver_of_ones_own_is_asked_in_its_turn() -> None:
    chain = tasker_core.ResolverChain.default().add_resolver(Finds())
    assert isinstance(chain.get_resolver("finds"), Finds) and chain.get_resolver("odd") is None
    assert chain.list_resolvers()[0] == ("finds", 5) and Finds().registered_callables() == []
    definition = tasker_core.HandlerDefinition("pays", handler_method="refund")
    wrapped = chain.wrap_for_method_dispatch(chain.resolve(definition), definition)
    assert isinstance(wrapped, tasker_core.MethodDispatchWrapper)
    assert wrapped.call(None).result == {"by": "refund"}
    missing = tasker_core.HandlerDefinition("pays", handler_method="odd")
    assert chain.wrap_for_method_dispatch(Pays(), missing) is None
    assert Pays().config_schema() is None


def test_templates_name_their_handlers(tmp_path: Path) -> None:
    steps = [{"handler": {"callable": "b"}}, {"handler": {"callable": "a"}}, {"handler": None}, "odd"]
    assert tasker_core.TemplateParser.extract_handlers_from_template({"steps": steps}) == ["b", "a"]
    assert tasker_core.TemplateParser.extract_handlers_from_template({}) == []
    for name, space in (("one", "shop"), ("two", "shop"), ("three", "bank")):
        handlers = "".join(f"  - {{name: {c}, handler: {{callable: {name[0]}.{c}}}}}\n" for c in "ba")
        (tmp_path / f"{name}.yaml").write_text(f"name: {name}\nnamespace_name: {space}\nsteps:\n{handlers}")
    grouped = tasker_core.HandlerDiscovery.discover_handlers_by_namespace(tmp_path)
    assert grouped == {"shop": ["o.a", "o.b", "t.a", "t.b"], "bank": ["t.a", "t.b"]}


class Picks(tasker_core.BaseSubscriber):
    """Handles payments but the small ones, and keeps what it could not handle."""

    def __init__(self) -> None:
        super().__init__()
        self.handled: list[Any] = []
        self.failed: list[str] = []

    @classmethod
    def subscribes_to(cls) -> list[str]:
        return ["payment.*", "order.placed"]

    def before_handle(self, event: dict[str, Any]) -> bool:
        return bool(event["payload"]["amount"] > 1)

    def handle(self, event: dict[str, Any]) -> None:
        self.handled.append(100 / (event["payload"]["amount"] - 7))

    def on_handle_error(self, event: dict[str, Any], error: Exception) -> None:
        self.failed.append(type(error).__name__)


def test_the_hooks_of_a_subscriber() -> None:
    picks = Picks()
    assert [picks.matches(name) for name in ("payment.made", "order.placed", "order.gone")] == [True, True, False]
    picks.handle_event_safely({"payload": {"amount": 9}})
    assert picks.handled == []
    picks.start(tasker_core.InProcessDomainEventPoller())
    for amount in (1, 9, 7):
        picks.handle_event_safely({"event_name": "payment.made", "payload": {"amount": amount}})
    assert (picks.handled, picks.failed) == ([50.0], ["ZeroDivisionError"])


def test_what_publishers_are_given() -> None:
    declared = tasker_core.EventDeclaration.model_validate({"name": "paid", "schema": {"type": "object"}})
    assert (declared.schema, declared.condition) == ({"type": "object"}, None)
    with pytest.raises(pydantic.ValidationError):
        tasker_core.EventDeclaration(name="paid", delivery_mode="by pigeon")  # type: ignore[arg-type]
    ended = tasker_core.StepResult(success=True, result={"paid": 7})
    context = tasker_core.PublishContext(event_name="paid", step_result=ended, event_declaration=declared)
    assert context.step_result.result == {"paid": 7} and context.step_context is None


def test_a_step_context_gives_its_inputs_and_what_events_are_made_of() -> None:
    event = tasker_core.FfiStepEvent.model_validate(make_event("h", context={"amount": 7}))
    step = tasker_core.StepContext.from_ffi_event(event, "payments.charge")
    assert step.get_input("amount") == 7 and step.get_input("currency") is None
    told = tasker_core.StepEventContext.from_step_context(step, {"paid": 7}, {"attempt": 1})
    assert (told.task_uuid, told.step_uuid) == (str(step.task_uuid), str(step.step_uuid))
    assert (told.step_name, told.namespace) == ("payments.charge", "shop")
    assert told.correlation_id == str(event.correlation_id)
    assert (told.result, told.metadata) == ({"paid": 7}, {"attempt": 1})
    assert tasker_core.StepEventContext.from_step_context(step).metadata == {}
