"""A handler past its step's `timeout_seconds`: told so, ended as timed out, and never run twice at once."""

import collections
import json

import pytest
from conftest import CLIENT, template

# Each handler keeps its own record of when it ran; the first attempt lasts longer than its second of time.
HANDLERS = """
    import asyncio, json, threading, time
    from pathlib import Path
    from tasker_core import StepHandler

    def note(what, context, **more):
        step = context.event.task_sequence_step["workflow_step"]["name"]
        more.update(what=what, step=step, attempt=context.attempt, at=time.monotonic())
        with open("record.jsonl", "a") as record:
            record.write(json.dumps(more) + "\\n")

    class Waits(StepHandler):
        handler_name = "app.waits"
        def call(self, context):
            note("start", context, timeout=context.timeout_s, left=context.remaining_s)
            if context.attempt == 1:
                while not context.cancelled: threading.Event().wait(0.01)
            note("end", context, reason=context.cancel_reason, left=context.remaining_s)
            return self.success({"attempt": context.attempt})

    class Beats(StepHandler):
        handler_name = "app.beats"
        def call(self, context):
            note("start", context)
            if context.attempt == 1:
                while context.heartbeat(0.5): threading.Event().wait(0.01)
            note("end", context, reason=context.cancel_reason)
            return self.success({"attempt": context.attempt})

    class Sleeps(StepHandler):
        handler_name = "app.sleeps"
        async def call(self, context):
            note("start", context)
            try:
                if context.attempt == 1: await asyncio.sleep(60)
            except asyncio.CancelledError:
                note("interrupted", context, reason=context.cancel_reason)
                raise
            finally:
                note("end", context)
            return self.success({"attempt": context.attempt})

    class Stuck(StepHandler):
        handler_name = "app.stuck"
        def call(self, context):
            note("start", context)
            if context.attempt == 1:
                while not Path("release").exists(): threading.Event().wait(0.01)
            note("end", context)
            return self.success({"attempt": context.attempt})

    class Again(Stuck):
        handler_name = "app.again"
        idempotent = True
"""

LIMITED = """
retry: {retryable: true, max_attempts: 3, backoff: linear, backoff_base_ms: 10}
timeout_seconds: 1
"""
NEVER_AGAIN = LIMITED.replace("retryable: true", "retryable: false")

# Waits until all that can go on has gone on, then lets the stuck handlers return.
DRIVER = """
    import json, threading, time
    from pathlib import Path
    from tasker_core import _tasker_core as native
    from driver import settled, steps, submit

    def outcomes(task):
        found = {}
        for name, step in steps(task).items():
            history = native.client_get_step_audit_history(task, step["step_uuid"])
            found[name] = [row["to_state"] if row["success"] else row["result"]["type"] for row in history]
        return found

    def drive():
        task, once = submit("limits"), submit("once")
        until = time.monotonic() + 20
        while time.monotonic() < until:
            states = {name: step["current_state"] for name, step in steps(task).items()}
            if {states[name] for name in ("waits", "beats", "sleeps", "again")} == {"complete"}: break
            threading.Event().wait(0.05)
        record = Path("record.jsonl").read_text()
        Path("release").touch()
        print(json.dumps({
            "while_stuck": [json.loads(line) for line in record.splitlines()], "states": states,
            "task": settled(task)["status"], "once": settled(once)["status"],
            "outcomes": outcomes(task) | outcomes(once),
            "results": {name: step["results"] for name, step in steps(task).items()}}))
"""


def prepare(program):
    program.write("app/handlers.py", HANDLERS)
    program.write("driver.py", CLIENT)
    names = ("waits", "beats", "sleeps", "stuck", "again")
    program.write("templates/limits.yaml", template("limits", *[(n, f"app.{n}", []) for n in names], more=LIMITED))
    program.write("templates/once.yaml", template("once", ("only", "app.waits", []), more=NEVER_AGAIN))


def application(program, host):
    return program.run(DRIVER + """
    from tasker_core import Worker
    with Worker.start(handler_packages=["app.handlers"]):
        drive()
    """)


def embedded(program, host):
    host('packages = ["app.handlers"]')
    return program.run(DRIVER + "    drive()\n")


def both(program, host):
    host('packages = ["app.handlers"]')
    return application(program, host)


@pytest.mark.parametrize("world", [application, embedded, both])
def test_what_takes_too_long_times_out_and_runs_again_after_its_return(program, host, world):
    prepare(program)
    answer = world(program, host).answer()
    record = [json.loads(line) for line in (program.path / "record.jsonl").read_text().splitlines()]
    at = collections.defaultdict(dict)
    for line in record:
        at[line["step"]][line["what"], line["attempt"]] = line

    # Nothing is lost, and nothing counts twice.
    assert answer["task"] == "complete"
    twice = {step: sorted(outcomes) for step, outcomes in answer["outcomes"].items() if step != "only"}
    assert twice == dict.fromkeys(("waits", "beats", "sleeps", "stuck", "again"), ["complete", "handler_timeout"])
    assert all(result == {"attempt": 2} for result in answer["results"].values())

    # The handler knows its time, and is told when it is over.
    first = at["waits"]["start", 1]
    assert 0 < first["left"] <= first["timeout"] <= 1
    assert at["waits"]["end", 1]["reason"] == "timeout" and at["waits"]["end", 1]["left"] == 0
    assert at["beats"]["end", 1]["reason"] in ("timeout", "cancelled", "resolved")
    assert at["sleeps"]["interrupted", 1]["reason"] == "timeout"
    for step in ("waits", "beats", "sleeps"):
        assert 0.9 < at[step]["end", 1]["at"] - at[step]["start", 1]["at"] < 10

    # Only who is idempotent runs again while the first attempt has not returned.
    assert answer["states"]["stuck"] != "complete"
    started = [line["step"] for line in answer["while_stuck"] if line["what"] == "start"]
    assert started.count("stuck") == 1 and started.count("again") == 2
    for step in ("waits", "beats", "sleeps", "stuck"):
        assert at[step]["start", 2]["at"] >= at[step]["end", 1]["at"]
    assert at["again"]["start", 2]["at"] < at["again"]["end", 1]["at"]

    # Retryable unless the template says otherwise.
    assert answer["once"] == "blocked_by_failures"
    assert answer["outcomes"]["only"] == ["handler_timeout"]
    assert ("start", 2) not in at["only"]


def test_steps_of_sync_handlers_are_not_hoarded_beside_async_ones(program):
    program.write("driver.py", CLIENT)
    names = [f"s{n}" for n in range(16)]
    program.write("templates/many.yaml", template("many", *[(n, "app.slow", []) for n in names], more=LIMITED
                                                  .replace("timeout_seconds: 1", "timeout_seconds: 2")))
    answer = program.run("""
    import json, threading
    from tasker_core import HandlerRegistry, StepHandler, Worker
    from driver import native, settled, steps, submit

    most = 0

    class Slow(StepHandler):
        handler_name = "app.slow"
        def call(self, context):
            global most
            status = native._status()
            most = max(most, status["waiting"] + len(status["attempts"]))
            threading.Event().wait(0.4)
            return self.success({})

    class Async(StepHandler):
        handler_name = "app.async"
        async def call(self, context): return self.success({})

    registry = HandlerRegistry.instance(skip_bootstrap=True)
    registry.register("app.slow", Slow)
    registry.register("app.async", Async)
    with Worker.start(max_concurrent_handlers=2):
        task = submit("many")
        status = settled(task)["status"]
        ends = [row["to_state"] for step in steps(task).values()
                for row in native.client_get_step_audit_history(task, step["step_uuid"])]
    print(json.dumps([status, ends, most]))
    """).answer()
    assert answer[:2] == ["complete", ["complete"] * 16]
    assert answer[2] <= 6


def test_the_figures_tell_of_what_is_stuck(program):
    program.write("app/handlers.py", HANDLERS)
    program.write("driver.py", CLIENT)
    program.write("templates/once.yaml", template("once", ("only", "app.stuck", []), more=NEVER_AGAIN))
    answer = program.run("""
    import json, threading, time
    from pathlib import Path
    from tasker_core import Worker, get_metrics, get_worker_config
    from driver import settled, submit

    def until(health):
        end = time.monotonic() + 20
        while worker.health().status != health and time.monotonic() < end: threading.Event().wait(0.02)
        return worker.health().status

    with Worker.start(handler_packages=["app.handlers"], max_concurrent_handlers=1) as worker:
        said = [worker.health().status, get_metrics().oldest_pending_age_ms]
        settled(submit("once"))
        said.append(until("degraded"))
        metrics = get_metrics()
        said += [metrics.oldest_pending_age_ms >= 900, metrics.newest_pending_age_ms >= 900,
                 metrics.dispatch_channel_pending, metrics.starvation_detected]
        Path("release").touch()
        said += [until("healthy"), get_worker_config().handler_timeout_ms]
    print(json.dumps(said))
    """).answer()
    assert answer == ["healthy", None, "degraded", True, True, 1, False, "healthy", 0]
