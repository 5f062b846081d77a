"""The fast path: whatever a handler does, its step ends once, with the right outcome."""

from __future__ import annotations

import asyncio
import contextvars
import datetime
import math
import os
import sys
import threading
import time
import uuid
from typing import Any

import pytest
import tasker_core
from tasker_core import (
    EventBridge,
    EventNames,
    HandlerRegistry,
    PermanentError,
    RateLimitError,
    RegistryResolver,
    StepHandler,
    StepHandlerResult,
    Worker,
    get_metrics,
    get_worker_config,
    log_info,
)
from tasker_core.registry import ResolverChain
from tasker_core.step_handler import step_handler


def handler(name: str, call: Any, **attributes: Any) -> type[StepHandler]:
    """A registered handler class with this `call`."""
    cls = type("Handler", (StepHandler,), {"handler_name": name, "call": call, **attributes})
    HandlerRegistry.instance(skip_bootstrap=True).register(name, cls)
    return cls


@pytest.fixture
def run(host: Any, event: Any) -> Any:
    """Runs one step of a handler on a worker and returns its end."""

    def run(name: str = "h", **kwargs: Any) -> dict[str, Any]:
        if Worker.instance() is None:
            Worker.start(max_concurrent_handlers=4)
        before = host.ended()
        sent = host.put(event(name, **kwargs))
        host.wait_ended(before + 1)
        ends = [row for row in host.completed + host.failed if row["event_id"] == sent]
        return ends[0] if ends else host.yielded[-1]

    return run


def test_steps_run_in_parallel(host: Any, event: Any) -> None:
    together = threading.Barrier(4)
    handler("h", lambda self, context: {"n": together.wait(5)})
    Worker.start(max_concurrent_handlers=4)
    for _ in range(4):
        host.put(event("h"))
    host.wait_ended(4)
    assert len(host.completed) == 4


def test_async_handlers_share_one_loop_and_run_concurrently(host: Any, event: Any) -> None:
    loops: set[int] = set()

    all_came = asyncio.Event()
    came: list[int] = []

    async def call(self: Any, context: Any) -> Any:
        loops.add(id(asyncio.get_running_loop()))
        came.append(context.get_input("n"))
        if len(came) == 100:
            all_came.set()
        await all_came.wait()  # Each one needs all the others beside it.
        return self.success({"n": context.get_input("n")})

    handler("h", call)
    Worker.start(max_concurrent_handlers=2, max_concurrent_async=100)
    for n in range(100):
        host.put(event("h", context={"n": n}))
    host.wait_ended(100, timeout_s=30)
    assert len(loops) == 1 and sorted(row["result"]["n"] for row in host.completed) == list(range(100))
    assert max(host.async_slots) >= 100 and max(host.slots) == 2
    assert host.handlers["h"] == ("1.0.0", 0, False, True)


def test_at_most_the_limit_of_async_handlers_runs_at_once(host: Any, event: Any) -> None:
    now = most = 0

    async def call(self: Any, context: Any) -> Any:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.01)
        now -= 1
        return {}

    handler("h", call)
    Worker.start(max_concurrent_async=3)
    for _ in range(12):
        host.put(event("h"))
    host.wait_ended(12)
    assert most == 3


def test_a_new_instance_handles_every_step(run: Any) -> None:
    made: list[Any] = []
    handler("h", lambda self, context: {}, __init__=lambda self: made.append(self))
    run()
    run()
    assert len(set(map(id, made))) == 2


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": 1}, {"a": 1}),
        ({"a": math.nan, "b": math.inf}, {"a": None, "b": None}),
        ({"a": b"text", "b": (1, 2), "c": {3}}, {"a": "text", "b": [1, 2], "c": [3]}),
        ({"a": {1: 2}}, {"a": {"1": 2}}),
        ({"a": datetime.date(2026, 1, 2), "b": uuid.UUID(int=1)}, {"a": "2026-01-02", "b": str(uuid.UUID(int=1))}),
        ({"a": "Grüße 🎉"}, {"a": "Grüße 🎉"}),
    ],
)
def test_a_dict_is_a_success_and_its_values_become_json(run: Any, value: Any, expected: Any) -> None:
    handler("h", lambda self, context: value)
    assert run()["result"] == expected


@pytest.mark.parametrize("value", [None, 5, "text", [1], object(), {1: 2}])
def test_any_other_value_is_a_clear_permanent_failure(run: Any, value: Any) -> None:
    handler("h", lambda self, context: value)
    end = run()
    assert end["error_type"] == "invalid_handler_result" and not end["retryable"]
    assert "handler 'h' returned" in end["message"]


def circular() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["self"] = value
    return value


@pytest.mark.parametrize("value", [object(), b"\xff", "\ud800", circular(), threading.Lock()])
def test_what_has_no_json_form_is_a_clear_permanent_failure(run: Any, value: Any) -> None:
    handler("h", lambda self, context: {"a": value})
    end = run()
    assert end["error_type"] == "FFI_SERIALIZATION_ERROR" and not end["retryable"]


def test_a_result_that_the_host_refuses_is_a_permanent_failure(host: Any, run: Any) -> None:
    host.refuse_json = True
    handler("h", lambda self, context: {"a": 10**400})
    assert "too large" in run()["message"]


def test_metadata_without_json_form_does_not_fail_the_step(run: Any) -> None:
    handler("h", lambda self, context: self.success({"ok": True}, metadata={"bad": object()}))
    end = run()
    assert end["result"] == {"ok": True} and "metadata_error" in end["metadata"]["custom"]


def test_metadata_and_version_arrive(run: Any) -> None:
    clash = {"context": "text", "completed_at": 3, "note": "kept"}
    handler("h", lambda self, context: self.success({}, metadata=clash), handler_version="2.5.0")
    end = run()
    assert end["metadata"]["custom"] == clash and end["metadata"]["handler_version"] == "2.5.0"
    assert end["metadata"]["execution_time_ms"] >= 0


def deep(n: int = 0) -> Any:
    return deep(n + 1)


@pytest.mark.parametrize("raised", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), BaseException("odd")])
def test_a_base_exception_fails_its_step_and_nothing_else(run: Any, raised: BaseException) -> None:
    def call(self: Any, context: Any) -> Any:
        if context.get_input("raise"):
            raise raised
        return {}

    handler("h", call)
    end = run(context={"raise": True})
    assert end["error_type"] == type(raised).__name__ and end["retryable"]
    for _ in range(8):
        assert run()["result"] == {}
    assert Worker.instance() is not None


def test_sys_exit_in_an_async_handler_fails_its_step_only(run: Any) -> None:
    async def call(self: Any, context: Any) -> Any:
        sys.exit("now")

    handler("h", call)
    assert run()["message"] == "now" and run()["error_type"] == "SystemExit"


def test_an_endless_recursion_fails_its_step(run: Any) -> None:
    handler("h", lambda self, context: deep())
    assert run()["error_type"] == "RecursionError"


def test_an_exception_with_a_defective_text_fails_its_step(run: Any) -> None:
    class Odd(Exception):
        def __str__(self) -> str:
            return "\ud800"

    def call(self: Any, context: Any) -> Any:
        raise Odd

    handler("h", call)
    assert run()["error_type"] == "Odd"


def raises(error: BaseException) -> Any:
    def call(self: Any, context: Any) -> Any:
        raise error

    return call


def test_an_exception_without_words_ends_its_step_and_no_thread(run: Any) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

        __repr__ = __str__

    async def later(self: Any, context: Any) -> Any:
        raise Mute

    handler("sync", raises(Mute()))
    handler("async", later)
    EventBridge.instance().subscribe(EventNames.HANDLER_ERROR, lambda event, error: sys.exit(1))
    for _ in range(5):
        assert run("sync")["error_type"] == run("async")["error_type"] == "Mute"
    worker = Worker.instance()
    assert worker is not None and worker._pool is not None and worker._pool.alive() == 4


def test_numbered_metadata_is_kept_and_numbers_out_of_range_are_not(run: Any) -> None:
    handler("h", raises(PermanentError("x", metadata={1: "a", "status_code": 10**12, "retry_after": 10**400})))
    end = run()
    assert (end["error_type"], end["message"], end["retryable"]) == ("PermanentError", "x", False)
    assert end["metadata"]["custom"]["1"] == "a" and end["http_status"] is None and end["retry_after_s"] is None


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -1, True])
def test_no_wait_is_made_of_what_is_no_number_of_seconds(run: Any, seconds: Any) -> None:
    handler("h", lambda self, context: self.failure("x", metadata={"retry_after": seconds}))
    assert run()["retry_after_s"] is None


def test_an_outcome_that_cannot_be_given_ends_as_a_plain_failure(host: Any, run: Any) -> None:
    def call(self: Any, context: Any) -> Any:
        result = self.failure("x")
        setattr(result, *context.get_input("spoil"))
        return result

    handler("h", call)
    assert run(context={"spoil": ["error_type", "half \udc80"]})["error_type"] == "half ?"
    for spoil in (["metadata", 5], ["error_message", 5], ["retryable", "perhaps"]):
        assert run(context={"spoil": spoil})["message"]
    assert not tasker_core._execution.attempt.running


def test_a_permanent_error_is_not_retried_in_either_style(run: Any) -> None:
    def declined(context: Any) -> Any:
        raise PermanentError("the card was declined", error_code="DECLINED", context={"card": 4})

    handler("class", lambda self, context: declined(context))
    function: Any = step_handler("dsl")(declined)
    HandlerRegistry.instance().register("dsl", function._handler_class)
    for style in ("class", "dsl"):
        end = run(style)
        assert not end["retryable"] and end["error_code"] == "DECLINED" and end["context"] == {"card": 4}
    assert end["message"] == "the card was declined"


def test_other_exceptions_are_retried_in_either_style(run: Any) -> None:
    def broken(context: Any) -> Any:
        raise ValueError("odd number")

    handler("class", lambda self, context: broken(context))
    function: Any = step_handler("dsl")(broken)
    HandlerRegistry.instance().register("dsl", function._handler_class)
    assert run("class")["retryable"] and run("dsl")["retryable"]
    assert "ValueError" in run("class")["backtrace"] and "ValueError" in run("dsl")["backtrace"]


def test_retry_after_reaches_the_back_off(run: Any) -> None:
    def limited(self: Any, context: Any) -> Any:
        raise RateLimitError("slow down", retry_after=12)

    handler("raises", limited)
    handler(
        "returns", lambda self, context: self.failure("no", metadata={"retry_after_seconds": 7, "status_code": 429})
    )
    assert run("raises")["retry_after_s"] == 12
    end = run("returns")
    assert end["retry_after_s"] == 7 and end["http_status"] == 429


def test_the_method_of_the_template_is_called_sync_or_async(run: Any) -> None:
    async def refund(self: Any, context: Any) -> Any:
        return {"invoked": "refund"}

    handler(
        "h", lambda self, context: {"invoked": "call"}, validate=lambda self, c: {"invoked": "validate"}, refund=refund
    )
    assert [run(method=m)["result"]["invoked"] for m in (None, "validate", "refund", "call")] == [
        "call",
        "validate",
        "refund",
        "call",
    ]


def test_a_method_that_is_missing_is_a_clear_failure(run: Any) -> None:
    handler("h", lambda self, context: {})
    end = run(method="capture")
    assert "has no method 'capture'" in end["message"] and end["error_type"] == "ResolutionError"


def test_a_function_is_called_whatever_the_method(run: Any) -> None:
    @step_handler("f")
    def f(context: Any) -> Any:
        return {"invoked": "function"}

    HandlerRegistry.instance(skip_bootstrap=True).register("f", f._handler_class)  # type: ignore[attr-defined]
    assert run("f", method="refund")["result"] == {"invoked": "function"}


class Payments(RegistryResolver):
    _name = "payments"
    prefix = "pay:"

    def resolve_handler(self, definition: Any, config: Any = None) -> Any:
        class Pay(StepHandler):
            def call(self, context: Any) -> Any:
                return {"by": definition.callable, "config": context.step_config}

        return Pay()


def test_the_resolver_of_the_template_is_asked(host: Any, run: Any) -> None:
    registry = HandlerRegistry.instance(skip_bootstrap=True)
    registry.resolver_chain.add_resolver(Payments())
    assert run("pay:visa", resolver="payments", initialization={"k": 1})["result"] == {
        "by": "pay:visa",
        "config": {"k": 1},
    }
    assert "Unknown resolver: 'nobody'" in run("pay:visa", resolver="nobody")["message"]
    assert host.resolver("pay:visa", None, "payments") and not host.resolver("x", None, "payments")
    assert host.resolver("pay:visa", None, None) and not host.resolver("visa", None, None)
    assert isinstance(registry.resolver_chain, ResolverChain)


def test_a_constructor_that_raises_is_named(run: Any) -> None:
    def broken(self: Any) -> None:
        raise TypeError("no database")

    handler("h", lambda self, context: {}, __init__=broken)
    assert "could not be made: TypeError: no database" in run()["message"]


def test_initialization_reaches_a_constructor_that_takes_config(run: Any) -> None:
    def init(self: Any, config: Any) -> None:
        self.config = config

    handler("h", lambda self, context: {"config": self.config}, __init__=init)
    assert run(initialization={"url": "x"})["result"] == {"config": {"url": "x"}}


def test_the_context_knows_its_attempt_and_deadline(run: Any) -> None:
    def call(self: Any, context: Any) -> Any:
        assert 0 < context.remaining_s <= 30
        return {
            "attempt": context.attempt,
            "timeout": context.timeout_s,
            "key": context.idempotency_key,
            "retry": context.is_retry(),
            "dep": context.get_dependency_field("cart", "total"),
        }

    handler("h", call)
    result = run(attempts=1, timeout_s=30, dependencies={"cart": {"total": 9}})["result"]
    assert result["key"].startswith("key-")
    assert (result["attempt"], result["timeout"], result["retry"], result["dep"]) == (2, 30, True, 9)


def test_a_handler_sees_its_time_pass_and_the_host_says_when_it_is_over(host: Any, run: Any) -> None:
    def call(self: Any, context: Any) -> Any:
        while context.remaining_s > 0:
            threading.Event().wait(0.005)
        before = context.cancelled
        host.cancel(context.event.event_id, "timeout")
        return {"before": before, "why": context.cancel_reason, "left": context.remaining_s}

    handler("h", call)
    assert run(timeout_s=0.05)["result"] == {"before": False, "why": "timeout", "left": 0.0}


def test_heartbeats_and_checkpoints_reach_the_host(host: Any, run: Any) -> None:
    def call(self: Any, context: Any) -> Any:
        first = context.heartbeat(0.5, "half")
        saved = context.save_checkpoint({"page": 2}, 50, {"sum": 1})
        host.heartbeat_answer = 1
        return {"go_on": first, "saved": saved, "then": context.heartbeat(0.6), "why": context.cancel_reason}

    handler("h", call)
    assert run()["result"] == {"go_on": True, "saved": True, "then": False, "why": "cancelled"}
    assert host.heartbeats[0][1:] == (0.5, "half") and '"page": 2' in host.checkpoints[0]


def test_a_cancel_interrupts_an_async_handler_and_shows_in_a_sync_one(host: Any, event: Any) -> None:
    entered = threading.Semaphore(0)
    seen: list[Any] = []

    async def sleeps(self: Any, context: Any) -> Any:
        entered.release()
        try:
            await asyncio.sleep(60)
        finally:
            seen.append(context.cancel_reason)

    def waits(self: Any, context: Any) -> Any:
        entered.release()
        while not context.cancelled:
            threading.Event().wait(0.005)
        seen.append(context.cancel_reason)
        return {}

    handler("sleeps", sleeps)
    handler("waits", waits)
    Worker.start()
    ids = [host.put(event(name)) for name in ("sleeps", "waits")]
    assert entered.acquire(timeout=5) and entered.acquire(timeout=5)
    for event_id in ids:
        host.cancel(event_id, "cancelled")
    host.wait_ended(2)
    assert seen == ["cancelled", "cancelled"]


def test_a_late_outcome_is_logged_and_forgotten(host: Any, run: Any) -> None:
    def call(self: Any, context: Any) -> Any:
        host.taken.clear()  # The host has ended the attempt.
        return {}

    handler("late", call)
    handler("h", lambda self, context: {})
    Worker.start()
    from conftest import make_event

    host.put(make_event("late"))
    run("h")
    assert any("after its attempt had ended" in message for _, message, _ in host.logs)


def test_a_checkpoint_yield_is_no_completion(host: Any, run: Any) -> None:
    from tasker_core import Batchable

    cls = type(
        "Y",
        (Batchable, StepHandler),
        {"handler_name": "y", "call": lambda self, c: self.checkpoint_yield(5, 5, {"s": 1})},
    )
    HandlerRegistry.instance(skip_bootstrap=True).register("y", cls)
    seen: list[Any] = []
    EventBridge.instance().subscribe(EventNames.STEP_CHECKPOINT_YIELD, seen.append)
    end = run("y")
    assert end["cursor"] == 5 and end["accumulated_results"] == {"s": 1} and not host.completed
    assert seen[0]["items_processed"] == 5


def test_log_lines_of_a_handler_carry_its_ids(host: Any, run: Any, event: Any) -> None:
    async def call(self: Any, context: Any) -> Any:
        log_info("from inside", {"extra": 1})
        return {"step": str(context.step_uuid)}

    handler("h", call)
    step = run()["result"]["step"]
    fields = next(fields for _, message, fields in host.logs if message == "from inside")
    assert fields["step_uuid"] == step and fields["extra"] == "1" and fields["correlation_id"]


def test_half_a_character_in_a_line_or_a_note_is_a_question_mark(host: Any, run: Any) -> None:
    class Mute:
        def __str__(self) -> str:
            raise RuntimeError("no words")

    def call(self: Any, context: Any) -> Any:
        log_info("file \udc80", {"name \udc80": "\udc80", "odd": Mute()})
        return {"on": context.heartbeat(note="file \udc80")}

    handler("h", call)
    assert run()["result"] == {"on": True} and host.heartbeats[-1][2] == "file ?"
    fields = next(fields for _, message, fields in host.logs if message == "file ?")
    assert fields["name ?"] == "?" and fields["odd"] == "Mute"


def test_context_variables_do_not_leak_between_steps(run: Any) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("v", default="none")

    async def call(self: Any, context: Any) -> Any:
        before = variable.get()
        variable.set("set")
        return {"before": before}

    handler("h", call)
    run()
    assert run()["result"] == {"before": "none"}


def test_listeners_hear_of_steps_errors_and_their_own_defects_do_no_harm(host: Any, run: Any) -> None:
    seen: list[str] = []
    bridge = EventBridge.instance()
    bridge.subscribe(EventNames.STEP_EXECUTION_RECEIVED, lambda e: seen.append(e.event_id))
    bridge.subscribe(EventNames.STEP_EXECUTION_RECEIVED, lambda e: 1 / 0)
    bridge.subscribe(EventNames.HANDLER_ERROR, lambda e, error: seen.append(str(error)))

    def call(self: Any, context: Any) -> Any:
        raise OSError("disk")

    handler("h", call)
    end = run()
    assert seen == [end["event_id"], "disk"]


def test_figures_are_true(host: Any, run: Any) -> None:
    def call(self: Any, context: Any) -> Any:
        if context.get_input("fail"):
            raise OSError
        return {}

    handler("counted", call)
    before = (0, 0)
    if Worker.instance() is None:
        Worker.start(max_concurrent_handlers=4)
    before = (get_metrics().steps_succeeded, get_metrics().steps_failed)
    run("counted")
    run("counted", context={"fail": True})
    metrics = get_metrics()
    assert (metrics.steps_succeeded - before[0], metrics.steps_failed - before[1]) == (1, 1)
    assert get_worker_config().max_concurrent_handlers == 4


def test_demand_follows_what_is_finished(host: Any, event: Any) -> None:
    handler("h", lambda self, context: {})
    Worker.start(max_concurrent_handlers=2)
    assert host.slots[0] == 2
    for _ in range(600):
        host.put(event("h"))
    host.wait_ended(600)
    deadline = time.monotonic() + 5
    while host.slots[-1] != 2 and time.monotonic() < deadline:
        threading.Event().wait(0.02)
    assert max(host.slots) > 2 and host.slots[-1] == 2


def test_a_child_of_a_handler_that_returns_ends_there(host: Any, run: Any) -> None:
    def call(self: Any, context: Any) -> Any:
        child = os.fork()
        if child == 0:
            return {"from": "child"}
        return {"from": "parent", "child": os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}

    handler("h", call)
    assert run()["result"] == {"from": "parent", "child": 70}


def test_a_result_object_passes_through(run: Any) -> None:
    handler("h", lambda self, context: StepHandlerResult.failure("no", "mine", retryable=False, error_code="E1"))
    end = run()
    assert (end["error_type"], end["retryable"], end["error_code"]) == ("mine", False, "E1")


def test_a_context_with_a_lone_surrogate_reaches_its_handler(run: Any) -> None:
    handler("h", lambda self, context: {"length": len(context.get_input("text"))})
    assert run(context={"text": "\ud800"})["result"] == {"length": 1}
