"""Whatever a handler returns, raises or does, its step ends and the worker goes on: in a program, wired by hand, and
under tasker-host."""

import collections
import textwrap

import pytest
from conftest import CLIENT, template, wired

HANDLERS = """
    import asyncio, math, os, sys
    from tasker_core import PermanentError, StepHandler

    def note(name):
        with open("tries", "a") as tries: tries.write(name + "\\n")

    def handler(name, body):
        def call(self, context):
            note(name)
            return body(self)
        return type(name, (StepHandler,), {"handler_name": "app." + name, "call": call})

    def async_handler(name, body):
        async def call(self, context):
            note(name)
            await asyncio.sleep(0)
            return body(self)
        return type(name, (StepHandler,), {"handler_name": "app." + name, "call": call})

    class Odd(BaseException):
        pass

    def raises(error):
        def body(self):
            raise error
        return body

    def deep(self):
        return deep(self)

    def forks(self):
        child = os.fork()
        if child == 0:
            return self.success({"child": True})
        return self.success({"status": os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])})

    Nothing = handler("nothing", lambda self: None)
    Number = handler("number", lambda self: 7)
    Dict = handler("dict", lambda self: {"d": 1})
    Keys = handler("keys", lambda self: {1: 2})
    Object = handler("object", lambda self: self.success({"o": object()}))
    NotANumber = handler("nan", lambda self: self.success({"x": math.nan}))
    Bytes = handler("bytes", lambda self: self.success({"b": b"abc"}))
    NoText = handler("no_text", lambda self: self.success({"b": b"\\xff\\xfe"}))
    Huge = handler("huge", lambda self: self.success({"i": 10 ** 400}))
    Surrogate = handler("surrogate", lambda self: self.success({"s": "\\ud800"}))
    Leaves = handler("leaves", raises(SystemExit(3)))
    Deep = handler("deep", deep)
    Base = handler("base", raises(Odd("odd")))
    Spoken = handler("spoken", raises(ValueError("\\ud800")))
    Permanent = handler("permanent", raises(PermanentError("declined", error_code="CARD")))
    Interrupt = handler("interrupt", raises(KeyboardInterrupt()))
    Forks = handler("forks", forks)
    AsyncNothing = async_handler("async_nothing", lambda self: None)
    AsyncLeaves = async_handler("async_leaves", raises(SystemExit(3)))
    AsyncBase = async_handler("async_base", raises(Odd("odd")))
    AsyncInterrupt = async_handler("async_interrupt", raises(KeyboardInterrupt()))
    AsyncCancelled = async_handler("async_cancelled", raises(asyncio.CancelledError()))
    class After(StepHandler):
        handler_name = "app.after"
        def call(self, context):
            note("after")
            return self.success({"same": context.get_dependency_result("huge") == {"i": 10 ** 400}})

    OddMetadata = handler("odd_metadata", lambda self: self.success({"odd": True}, {
        "context": 1, "custom": "x", "error_code": 7, "completed_at": "never", "retryable": "no", "retry_after": "x",
        "status_code": "y", "worker_id": object()}))
    class Mute(Exception):
        def __str__(self): raise RuntimeError("no words")
        __repr__ = __str__

    def failing(retryable=False, **metadata):
        return lambda self: self.failure("x", metadata=metadata, retryable=retryable)

    def half_a_type(self):
        failure = self.failure("x", retryable=False)
        failure.error_type = "half \\udc80"
        return failure

    MuteError = handler("mute", raises(Mute()))
    AsyncMuteError = async_handler("async_mute", raises(Mute()))
    NumberedMetadata = handler("numbered", raises(PermanentError("x", metadata={1: "a"})))
    BigStatus = handler("big_status", failing(status_code=10 ** 12))
    LongWait = handler("long_wait", failing(True, retry_after=10 ** 400))
    HalfType = handler("half_type", half_a_type)
    Good = handler("good", lambda self: self.success({"good": True}))
    AsyncGood = async_handler("async_good", lambda self: self.success({"good": True}))
"""

COMPLETE = {
    "dict": {"d": 1}, "nan": {"x": None}, "bytes": {"b": "abc"},
    "forks": {"status": 70}, "after": {"same": True}, "odd_metadata": {"odd": True},
    "good": {"good": True}, "async_good": {"good": True},
}
# Of what failed: how the attempt's error is called, and how many of two attempts were made.
FAILED = {
    "nothing": ("invalid_handler_result", 1), "number": ("invalid_handler_result", 1),
    "keys": ("invalid_handler_result", 1), "object": ("FFI_SERIALIZATION_ERROR", 1),
    "no_text": ("FFI_SERIALIZATION_ERROR", 1), "surrogate": ("FFI_SERIALIZATION_ERROR", 1), "leaves": ("SystemExit", 2),
    "deep": ("RecursionError", 2), "base": ("Odd", 2), "spoken": ("ValueError", 2), "permanent": ("PermanentError", 1),
    "interrupt": ("KeyboardInterrupt", 2), "async_nothing": ("invalid_handler_result", 1),
    "async_leaves": ("SystemExit", 2), "async_base": ("Odd", 2), "async_interrupt": ("KeyboardInterrupt", 2),
    "async_cancelled": ("CancelledError", 2), "mute": ("Mute", 2), "async_mute": ("Mute", 2),
    "numbered": ("PermanentError", 1), "big_status": ("handler_error", 1), "long_wait": ("handler_error", 2),
    "half_type": ("half ?", 1),
}
TWO_TRIES = "retry: {retryable: true, max_attempts: 2, backoff: linear, backoff_base_ms: 10}"

DRIVER = """
    import json
    from tasker_core import _tasker_core as native
    from driver import settled, steps, submit

    def drive():
        task = submit("all")
        state = settled(task)["status"]
        found = steps(task)
        errors = {}
        for name, step in found.items():
            rows = native.client_get_step_audit_history(task, step["step_uuid"])
            errors[name] = [row["result"]["type"] for row in rows if not row["success"]]
        print(json.dumps([state, {name: step["results"] for name, step in found.items()
                                  if step["current_state"] == "complete"}, errors, settled(submit("one"))["status"]]))
"""


def application(program, host):
    return program.run(DRIVER + """
    from tasker_core import Worker
    with Worker.start(handler_packages=["app.handlers"]) as worker:
        drive()
        assert worker.is_running
    """)


def hand_wired(program, host):
    return program.run(textwrap.dedent(DRIVER) + wired("""
        drive()
        assert poller.is_running
    """))


def embedded(program, host):
    running = host('packages = ["app.handlers"]')
    ended = program.run(DRIVER + "    drive()\n")
    assert running.poll() is None
    return ended


@pytest.mark.parametrize("world", [application, hand_wired, embedded])
def test_whatever_a_handler_does_its_step_ends_and_the_worker_goes_on(program, host, world):
    program.write("app/handlers.py", HANDLERS)
    program.write("driver.py", CLIENT)
    each = [(name, f"app.{name}", ["huge"] if name == "after" else []) for name in ["huge", *COMPLETE, *FAILED]]
    program.write("templates/all.yaml", template("all", *each, more=TWO_TRIES))
    program.write("templates/one.yaml", template("one", ("a", "app.good", [])))
    state, results, errors, afterwards = world(program, host).answer()
    assert (state, afterwards) == ("blocked_by_failures", "complete")
    del results["huge"]  # The next step sees the number as it is; the client's JSON has no such numbers.
    assert results == COMPLETE
    assert errors == dict.fromkeys(("huge", *COMPLETE), []) | {name: [word] * n for name, (word, n) in FAILED.items()}
    tries = collections.Counter((program.path / "tries").read_text().split())
    assert tries["good"] == 2 and {name: tries[name] for name in FAILED} == {n: k for n, (_, k) in FAILED.items()}
