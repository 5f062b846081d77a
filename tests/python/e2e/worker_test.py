"""`Worker.start()` in a program of its own: steps run, and what is defective in the original is not here."""

from conftest import CLIENT, HANDLERS, template


def prepare(program, handlers=HANDLERS):
    program.write("app/handlers.py", handlers)
    program.write("driver.py", CLIENT)


def test_three_lines_run_a_step(program):
    prepare(program)
    program.write("templates/one.yaml", template("one", ("a", "app.noop", [])))
    ended = program.run("""
        import json
        from tasker_core import Worker
        from driver import settled, steps, submit
        worker = Worker.start(handler_packages=["app.handlers"])
        task = submit("one", {"x": 1})
        state = settled(task)["status"]
        result = steps(task)["a"]["results"]
        worker.stop()
        print(json.dumps([state, result, Worker.instance() is None, worker.is_running]))
    """)
    assert ended.answer() == ["complete", {"n": 1}, True, False]
    assert not ended.log("aborted")


def test_bootstrap_alone_claims_nothing(program):
    prepare(program)
    program.write("templates/one.yaml", template("one", ("a", "app.noop", [])))
    ended = program.run("""
        import json, threading
        from tasker_core import bootstrap_worker, get_health_check, stop_worker
        from driver import steps, submit
        bootstrap_worker()
        task = submit("one")
        threading.Event().wait(10)
        step = steps(task)["a"]
        health = get_health_check()
        stop_worker()
        print(json.dumps([step["current_state"], step["attempts"], health.status,
                          health.components["consumer"].status]))
    """)
    state, attempts, status, consumer = ended.answer()
    assert (state, attempts, status) == ("enqueued", 0, "degraded")
    assert consumer.startswith("no consumer")


def test_steps_run_side_by_side(program):
    prepare(program)
    fan = template("fan", *[(f"s{i}", "app.slow", []) for i in range(8)])
    program.write("templates/fan.yaml", fan)
    ended = program.run("""
        import json, time
        from tasker_core import Worker
        from driver import settled, submit
        with Worker.start(handler_packages=["app.handlers"]):
            began = time.monotonic()
            state = settled(submit("fan", {"seconds": 0.5}))["status"]
            print(json.dumps([state, time.monotonic() - began]))
    """)
    state, seconds = ended.answer()
    assert state == "complete"
    assert seconds < 2.5  # one after the other they take four seconds


def test_async_handlers_share_one_loop(program):
    prepare(program, HANDLERS + """
    import asyncio
    LOOPS = set()

    class Nap(StepHandler):
        handler_name = "app.nap"
        async def call(self, context):
            LOOPS.add(id(asyncio.get_running_loop()))
            await asyncio.sleep(0.2)
            return self.success({})
    """)
    program.write("templates/naps.yaml", template("naps", *[(f"s{i}", "app.nap", []) for i in range(50)]))
    ended = program.run("""
        import json, time
        from tasker_core import Worker
        import app.handlers
        from driver import settled, submit
        with Worker.start(handler_packages=["app.handlers"]):
            began = time.monotonic()
            state = settled(submit("naps"))["status"]
            print(json.dumps([state, time.monotonic() - began, len(app.handlers.LOOPS)]))
    """)
    state, seconds, loops = ended.answer()
    assert (state, loops) == ("complete", 1)
    assert seconds < 3  # one after the other they take ten seconds


def test_an_async_handler_waits_for_no_sync_one(program):
    program.write("driver.py", CLIENT)
    program.write("templates/both.yaml", template("both", ("blocks", "app.blocks", []), ("async", "app.async", [])))
    ended = program.run("""
        import asyncio, json, threading
        from tasker_core import HandlerRegistry, StepHandler, Worker
        from driver import settled, steps, submit
        blocked, go_on = threading.Event(), threading.Event()

        class Blocks(StepHandler):
            handler_name = "app.blocks"
            def call(self, context):
                blocked.set()
                return self.success({"met": go_on.wait(20)})

        class Async(StepHandler):
            handler_name = "app.async"
            async def call(self, context):
                while not blocked.is_set(): await asyncio.sleep(0.01)
                go_on.set()
                return self.success({})

        registry = HandlerRegistry.instance(skip_bootstrap=True)
        registry.register("app.blocks", Blocks)
        registry.register("app.async", Async)
        with Worker.start(max_concurrent_handlers=1):
            task = submit("both")
            settled(task)
            print(json.dumps(steps(task)["blocks"]["results"]))
    """)
    assert ended.answer() == {"met": True}


def test_starts_at_once_yield_one_worker(program):
    prepare(program)
    program.write("templates/one.yaml", template("one", ("a", "app.noop", [])))
    ended = program.run("""
        import json, threading
        from tasker_core import Worker
        from driver import settled, submit
        workers = []
        threads = [threading.Thread(target=lambda: workers.append(Worker.start(handler_packages=["app.handlers"])))
                   for _ in range(4)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        state = settled(submit("one"))["status"]
        workers[0].stop()
        print(json.dumps([len({id(worker) for worker in workers}), state]))
    """)
    assert ended.answer() == [1, "complete"]


def test_the_method_of_the_template_is_called(program):
    prepare(program, HANDLERS + """
    class Payment(StepHandler):
        handler_name = "app.payment"
        def call(self, context):
            return self.success({"invoked": "call"})
        def refund(self, context):
            return self.success({"invoked": "refund"})
    """)
    program.write("templates/refund.yaml", """
        name: refund
        namespace_name: app
        version: "1.0.0"
        steps:
          - name: a
            handler: {callable: app.payment, method: refund}
          - name: b
            handler: {callable: app.payment}
    """)
    ended = program.run("""
        import json
        from tasker_core import Worker
        from driver import settled, steps, submit
        with Worker.start(handler_packages=["app.handlers"]):
            task = submit("refund")
            settled(task)
            print(json.dumps({name: step["results"]["invoked"] for name, step in steps(task).items()}))
    """)
    assert ended.answer() == {"a": "refund", "b": "call"}


def test_a_resolver_of_the_program_is_asked_for_handlers_that_nobody_registered(program):
    prepare(program)
    program.write("templates/dotted.yaml", """
        name: dotted
        namespace_name: app
        version: "1.0.0"
        steps:
          - name: a
            handler: {callable: billing.charge, resolver: billing}
    """)
    ended = program.run("""
        import json
        from tasker_core import HandlerRegistry, StepHandler, Worker
        from tasker_core.registry import RegistryResolver
        from driver import settled, steps, submit

        class Charge(StepHandler):
            handler_name = "charge"
            def call(self, context):
                return self.success({"by": "resolver"})

        class Billing(RegistryResolver):
            _name = "billing"
            prefix = "billing."
            def resolve_handler(self, definition, config):
                return Charge()

        with Worker.start(handler_packages=["app.handlers"]) as worker:
            HandlerRegistry.instance().resolver_chain.add_resolver(Billing())
            HandlerRegistry.instance().register("other", Charge)  # asks again
            task = submit("dotted")
            state = settled(task)["status"]
            print(json.dumps([state, steps(task)["a"]["results"]]))
    """)
    assert ended.answer() == ["complete", {"by": "resolver"}]
