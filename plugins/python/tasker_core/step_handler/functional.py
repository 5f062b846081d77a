"""Handlers as functions: decorators that make a StepHandler class of a function.

The function stays what it is and gains `_handler_class`, which discovery registers. `depends_on` and `inputs` stand
below the handler's decorator:

    >>> @step_handler("charge_card")
    ... @depends_on(cart="validate_cart")
    ... @inputs("payment")
    ... def charge_card(cart, payment, context):
    ...     if payment["declined"]:
    ...         raise PermanentError("the card was declined")
    ...     return {"charged": cart["total"]}

It returns a dict, a pydantic model, None, a StepHandlerResult, or any other value, which becomes
`{"result": value}`. It may be `async def`. What it raises becomes a failure: a PermanentError is not retried.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, runtime_checkable

from tasker_core.batch_processing.batchable import Batchable
from tasker_core.errors import PermanentError, RetryableError, TaskerError
from tasker_core.step_handler.base import StepHandler
from tasker_core.step_handler.mixins.api import APIMixin
from tasker_core.step_handler.mixins.decision import DecisionMixin
from tasker_core.types.batches import BatchWorkerContext
from tasker_core.types.decisions import DecisionPointOutcome, DecisionType
from tasker_core.types.events import StepContext
from tasker_core.types.results import ErrorType, StepHandlerResult

__all__ = [
    "BatchConfig",
    "Decision",
    "FunctionalHandler",
    "HandlerDecorator",
    "api_handler",
    "batch_analyzer",
    "batch_worker",
    "decision_handler",
    "depends_on",
    "inputs",
    "step_handler",
]

_Function = TypeVar("_Function", bound=Callable[..., Any])


@runtime_checkable
class FunctionalHandler(Protocol):
    """A decorated function: callable, with the generated class in `_handler_class`."""

    _handler_class: type[StepHandler]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the function itself."""


HandlerDecorator = Callable[[Callable[..., Any]], Callable[..., Any]]
"""What the decorators of this module return."""


@dataclass(frozen=True)
class Decision:
    """What a `decision_handler` returns."""

    outcome: DecisionPointOutcome

    @staticmethod
    def route(steps: list[str], **routing_context: Any) -> Decision:
        """These steps follow; the keywords say why."""
        return Decision(DecisionPointOutcome.create_steps(steps, routing_context=routing_context))

    @staticmethod
    def skip(reason: str, **routing_context: Any) -> Decision:
        """No step follows, for this reason."""
        return Decision(DecisionPointOutcome.no_branches(reason, routing_context))


@dataclass
class BatchConfig:
    """What a `batch_analyzer` returns: how many items there are, and how many go into a batch."""

    total_items: int
    batch_size: int
    metadata: dict[str, Any] = field(default_factory=dict)


def depends_on(**deps: Any) -> HandlerDecorator:
    """Passes results of earlier steps as parameters.

    Args:
        **deps: Parameter and step name, or a pair of step name and pydantic model, which the result is validated by.
            A step without a result gives None.
    """

    def decorate(function: _Function) -> _Function:
        names, models = dict(getattr(function, "_depends_on", {})), dict(getattr(function, "_dep_models", {}))
        for parameter, spec in deps.items():
            if isinstance(spec, tuple):
                names[parameter], models[parameter] = spec
            else:
                names[parameter] = spec
        _set(function, _depends_on=names, _dep_models=models)
        return function

    return decorate


def inputs(*args: Any) -> HandlerDecorator:
    """Passes values of the task's context as parameters.

    Args:
        *args: Keys, each a parameter of that name (None if missing); or one pydantic model, made of the values of its
            fields and passed as the parameter `inputs`.
    """

    def decorate(function: _Function) -> _Function:
        if len(args) == 1 and isinstance(args[0], type):
            _set(function, _input_model=args[0])
        else:
            _set(function, _inputs=[*getattr(function, "_inputs", []), *args])
        return function

    return decorate


def step_handler(name: str, version: str = "1.0.0") -> HandlerDecorator:
    """Makes a function the handler of that name."""
    return _decorator(name, version, (StepHandler,), {}, lambda _, value: _wrap_result(value))


def decision_handler(name: str, version: str = "1.0.0") -> HandlerDecorator:
    """Makes a function the handler of a decision step; it returns `Decision.route` or `Decision.skip`."""

    def finish(handler: Any, value: Any) -> StepHandlerResult:
        outcome = value.outcome if isinstance(value, Decision) else value
        if not isinstance(outcome, DecisionPointOutcome):
            return _wrap_result(value)
        result: StepHandlerResult
        if outcome.decision_type == DecisionType.CREATE_STEPS:
            result = handler.decision_success_with_outcome(outcome)
        else:
            result = handler.skip_branches(outcome.reason or "No branches", outcome.routing_context)
        return result

    return _decorator(name, version, (DecisionMixin, StepHandler), {}, finish)


def batch_analyzer(name: str, worker_template: str, version: str = "1.0.0") -> HandlerDecorator:
    """Makes a function the handler that divides work into batches; it returns a BatchConfig.

    Args:
        name: Name of the handler.
        worker_template: Step of the template that each batch is a copy of.
        version: Kept with results.
    """

    def finish(handler: Any, value: Any) -> StepHandlerResult:
        if not isinstance(value, BatchConfig):
            return _wrap_result(value)
        configs = handler.create_cursor_ranges(value.total_items, value.batch_size)
        result: StepHandlerResult = handler.batch_analyzer_success(
            cursor_configs=configs,
            total_items=value.total_items,
            worker_template_name=worker_template,
            batch_metadata=value.metadata or None,
        )
        return result

    return _decorator(name, version, (Batchable, StepHandler), {}, finish)


def batch_worker(name: str, version: str = "1.0.0") -> HandlerDecorator:
    """Makes a function the handler of one batch, which it gets as `batch_context` (None if there is none)."""

    def more(_: Any, context: StepContext) -> dict[str, Any]:
        return {"batch_context": BatchWorkerContext.from_step_context(context)}

    bases = (Batchable, StepHandler)
    return _decorator(name, version, bases, {}, lambda _, value: _wrap_result(value), more)


def api_handler(
    name: str,
    base_url: str,
    version: str = "1.0.0",
    timeout: float = 30.0,
    default_headers: dict[str, str] | None = None,
) -> HandlerDecorator:
    """Makes a function a handler with HTTP calls, which it gets as `api`: `api.get(...)`, `api.api_success(...)`.

    Args:
        name: Name of the handler.
        base_url: What relative paths are joined to.
        version: Kept with results.
        timeout: Seconds that a request may take.
        default_headers: Headers of every request.
    """
    attributes = {"base_url": base_url, "default_timeout": timeout, "default_headers": default_headers or {}}

    def more(handler: Any, _: StepContext) -> dict[str, Any]:
        return {"api": handler}

    bases = (APIMixin, StepHandler)
    return _decorator(name, version, bases, attributes, lambda _, value: _wrap_result(value), more)


def _decorator(
    name: str,
    version: str,
    bases: tuple[type, ...],
    attributes: dict[str, Any],
    finish: Callable[[Any, Any], StepHandlerResult],
    more: Callable[[Any, StepContext], dict[str, Any]] | None = None,
) -> HandlerDecorator:
    def decorate(function: _Function) -> _Function:
        arguments = _argument_maker(function, more)
        if inspect.iscoroutinefunction(function):

            async def call_async(self: Any, context: StepContext) -> StepHandlerResult:
                try:
                    return finish(self, await function(**arguments(self, context)))
                except Exception as error:
                    return _wrap_exception(error)

            call: Any = call_async
        else:

            def call_sync(self: Any, context: StepContext) -> StepHandlerResult:
                try:
                    return finish(self, function(**arguments(self, context)))
                except Exception as error:
                    return _wrap_exception(error)

            call = call_sync
        call.__name__ = "call"
        body = {
            **attributes,
            "handler_name": name,
            "handler_version": version,
            "_is_functional": True,
            "call": call,
            "__doc__": function.__doc__,
            "__module__": function.__module__,
            "__qualname__": function.__qualname__,
        }
        _set(function, _handler_class=type(bases[-1])(function.__name__, bases, body))
        return function

    return decorate


def _argument_maker(
    function: Callable[..., Any], more: Callable[[Any, StepContext], dict[str, Any]] | None
) -> Callable[[Any, StepContext], dict[str, Any]]:
    names: dict[str, str] = getattr(function, "_depends_on", {})
    models: dict[str, Any] = getattr(function, "_dep_models", {})
    keys: list[str] = getattr(function, "_inputs", [])
    input_model: Any = getattr(function, "_input_model", None)
    parameters = inspect.signature(function).parameters
    context_names = [name for name in ("context", "_context") if name in parameters]

    def arguments(handler: Any, context: StepContext) -> dict[str, Any]:
        given: dict[str, Any] = {}
        for parameter, step_name in names.items():
            value = context.get_dependency_result(step_name)
            if parameter in models and isinstance(value, dict):
                value = models[parameter].model_validate(value)
            given[parameter] = value
        for key in keys:
            given[key] = context.get_input(key)
        if input_model is not None:
            fields = input_model.model_fields
            given["inputs"] = input_model(**{name: context.get_input(name) for name in fields})
        for name in context_names:
            given[name] = context
        if more is not None:
            given.update(more(handler, context))
        return given

    return arguments


def _wrap_result(value: Any) -> StepHandlerResult:
    if isinstance(value, StepHandlerResult):
        return value
    if isinstance(value, dict):
        return StepHandlerResult.success(value)
    if value is None:
        return StepHandlerResult.success({})
    if hasattr(value, "model_dump"):
        return StepHandlerResult.success(value.model_dump(mode="json"))
    return StepHandlerResult.success({"result": value})


def _wrap_exception(error: Exception) -> StepHandlerResult:
    metadata: dict[str, Any] = dict(getattr(error, "metadata", None) or {})
    code = metadata.get("error_code")
    retryable = True
    if isinstance(error, PermanentError):
        error_type, retryable = ErrorType.PERMANENT_ERROR, False
    elif isinstance(error, RetryableError):
        error_type = ErrorType.RETRYABLE_ERROR
    else:
        error_type = ErrorType.HANDLER_ERROR
        own = getattr(error, "retryable", None)
        retryable = own if isinstance(own, bool) else True
        if not isinstance(error, TaskerError):
            metadata.setdefault("exception_type", type(error).__name__)
            metadata.setdefault("traceback", traceback.format_exc())
    return StepHandlerResult.failure(
        str(error), error_type, retryable, metadata, code if isinstance(code, str) else None
    )


def _set(function: Any, **attributes: Any) -> None:
    for name, value in attributes.items():
        setattr(function, name, value)
