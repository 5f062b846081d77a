"""The public parts wired by hand, word for word as upstream's documentation has it."""

from conftest import CLIENT, HANDLERS, template, wired


def test_the_parts_wired_by_hand_run_steps(program):
    program.write("app/handlers.py", HANDLERS)
    program.write("driver.py", CLIENT)
    program.write("templates/chain.yaml", template("chain", ("a", "app.noop", []), ("b", "app.noop", ["a"])))
    ended = program.run(wired("""
        import json
        from driver import settled, submit
        states = [settled(submit("chain"))["status"] for _ in range(5)]
        print(json.dumps([result.success, states]))
    """))
    assert ended.answer() == [True, ["complete"] * 5]


def test_a_bare_poll_gets_steps_of_every_handler_that_the_templates_name(program):
    program.write("driver.py", CLIENT)
    program.write("templates/mixed.yaml", template("mixed", ("a", "app.noop", []), ("b", "Unknown::Handler", ["a"]),
                                                   ("c", "odd name", ["b"])))
    ended = program.run("""
        import json, threading, time
        from tasker_core import bootstrap_worker, complete_step_event, poll_step_events, stop_worker
        from tasker_core import _tasker_core as native
        from driver import submit
        bootstrap_worker()
        task = submit("mixed")
        handlers = []
        until = time.monotonic() + 20
        while len(handlers) < 3 and time.monotonic() < until:
            event = poll_step_events()
            if event is None:
                threading.Event().wait(0.01)
                continue
            handlers.append(event["task_sequence_step"]["step_definition"]["handler"]["callable"])
            assert complete_step_event(event["event_id"], {"success": True, "result": {"n": len(handlers)}})
        state = native._client_wait(task, 10)["status"]
        stop_worker()
        print(json.dumps([handlers, state]))
    """)
    assert ended.answer() == [["app.noop", "Unknown::Handler", "odd name"], "complete"]


def test_a_registry_that_comes_later_takes_only_its_own_handlers(program):
    program.write("app/handlers.py", HANDLERS)
    program.write("driver.py", CLIENT)
    program.write("templates/one.yaml", template("one", ("a", "app.noop", [])))
    program.write("templates/other.yaml", template("other", ("a", "app.elsewhere", [])))
    ended = program.run("""
        import json, threading
        from tasker_core import (EventBridge, EventPoller, HandlerRegistry, StepExecutionSubscriber,
                                 bootstrap_worker, stop_worker)
        from tasker_core import _tasker_core as native
        from driver import settled, steps, submit
        result = bootstrap_worker()
        registry = HandlerRegistry.instance(skip_bootstrap=True)
        bridge = EventBridge.instance(); bridge.start()
        poller = EventPoller()
        poller.on_step_event(lambda event: bridge.publish("step.execution.received", event))
        poller.start()
        while "app.elsewhere" not in json.dumps(native._status()["handlers"]): threading.Event().wait(0.01)
        registry.discover_handlers("app.handlers")
        subscriber = StepExecutionSubscriber(event_bridge=bridge, handler_registry=registry, worker_id=result.worker_id)
        subscriber.start()
        other = submit("other")
        states = [settled(submit("one"))["status"] for _ in range(3)]
        step = steps(other)["a"]
        poller.stop(); subscriber.stop(); bridge.stop(); stop_worker()
        print(json.dumps([states, step["current_state"], step["attempts"]]))
    """)
    assert ended.answer() == [["complete"] * 3, "enqueued", 0]


def test_an_async_handler_past_its_time_is_interrupted_and_holds_up_nobody(program):
    program.write("app/handlers.py", """
        import asyncio
        from tasker_core import StepHandler
        SEEN = []

        class Sleeps(StepHandler):
            handler_name = "app.sleeps"
            async def call(self, context):
                try:
                    if context.attempt == 1: await asyncio.sleep(60)
                except asyncio.CancelledError:
                    SEEN.append(context.cancel_reason)
                    raise
                return {"attempt": context.attempt}
    """)
    program.write("driver.py", CLIENT)
    program.write("templates/one.yaml", template("one", ("a", "app.sleeps", []), more="""\
retry: {retryable: true, max_attempts: 2, backoff: linear, backoff_base_ms: 10}
timeout_seconds: 1"""))
    ended = program.run(wired("""
        import json
        from driver import settled, steps, submit
        task = submit("one")
        state = settled(task)["status"]
        from app.handlers import SEEN
        print(json.dumps([state, steps(task)["a"]["results"], SEEN]))
    """))
    assert ended.answer() == ["complete", {"attempt": 2}, ["timeout"]]


def test_an_event_that_nobody_takes_goes_back_uncounted(program):
    program.write("app/handlers.py", HANDLERS)
    program.write("driver.py", CLIENT)
    program.write("templates/one.yaml", template("one", ("a", "app.noop", [])))
    ended = program.run("""
        import json, threading
        from tasker_core import _tasker_core as native
        from driver import steps, submit
        native.bootstrap_worker()
        native._register_handlers([("app.noop", "1", 0, False, False)])
        assert native.poll_step_events() is None
        task = submit("one")
        seen = []
        for _ in range(80):
            threading.Event().wait(0.1)
            seen.append(steps(task)["a"]["current_state"])
        step = steps(task)["a"]
        event = None
        while event is None: event = native.poll_step_events()
        ended = native.complete_step_event(event["event_id"], {"success": True, "result": {"late": 1}})
        again = native.complete_step_event(event["event_id"], {"success": True, "result": {}})
        state = native._client_wait(task, 10)["status"]
        native.stop_worker()
        print(json.dumps([seen[5], seen[-1], step["attempts"], ended, again, state]))
    """)
    assert ended.answer() == ["in_progress", "enqueued", 0, True, False, "complete"]


def test_a_step_has_one_idempotency_key_by_hand_and_on_a_worker(program):
    program.write("app/handlers.py", """
        from tasker_core import RetryableError, StepHandler
        seen = []
        class Twice(StepHandler):
            handler_name = "app.twice"
            def call(self, context):
                seen.append([context.attempt, context.idempotency_key])
                if context.attempt == 1: raise RetryableError("again")
                return self.success({})
    """)
    program.write("driver.py", CLIENT)
    retry = "retry: {retryable: true, max_attempts: 3, backoff: linear, backoff_base_ms: 1500}"
    program.write("templates/one.yaml", template("one", ("a", "app.twice", []), more=retry))
    ended = program.run("""
        import json, threading
        from tasker_core import (EventBridge, EventPoller, HandlerRegistry, StepExecutionSubscriber, Worker,
                                 bootstrap_worker, stop_worker)
        from app.handlers import seen
        from driver import settled, submit
        result = bootstrap_worker()
        registry = HandlerRegistry.instance(skip_bootstrap=True); registry.discover_handlers("app.handlers")
        bridge = EventBridge.instance(); bridge.start()
        subscriber = StepExecutionSubscriber(event_bridge=bridge, handler_registry=registry, worker_id=result.worker_id)
        subscriber.start()
        ran = threading.Event()
        poller = EventPoller()
        poller.on_step_event(lambda event: (bridge.publish("step.execution.received", event), ran.set()))
        poller.start()
        task = submit("one")
        ran.wait(20)
        poller.stop(); subscriber.stop(); bridge.stop(); stop_worker()
        with Worker.start("app.handlers"):
            state = settled(task)["status"]
        print(json.dumps([state, task, seen]))
    """)
    state, task, seen = ended.answer()
    assert state == "complete" and seen == [[1, f"{task}:a"], [2, f"{task}:a"]]
