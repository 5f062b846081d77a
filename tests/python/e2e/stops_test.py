"""`stop()` from wherever it is called: the steps that run end, the call returns, the next start works."""

import pytest
from conftest import CLIENT, template

HANDLERS = """
    import asyncio, os, threading, time
    from tasker_core import StepHandler, Worker
    ENTERED, STOPPED = threading.Event(), threading.Event()

    class Slow(StepHandler):
        handler_name = "app.slow"
        def call(self, context):
            ENTERED.set()
            threading.Event().wait(0 if os.path.exists("quick") else context.get_input_or("seconds", 0.2))
            return self.success({"slept": True})

    class Stops(StepHandler):
        handler_name = "app.stops"
        def call(self, context):
            Worker.instance().stop()
            return self.success({"slept": True})

    class AsyncStops(StepHandler):
        handler_name = "app.async_stops"
        async def call(self, context):
            Worker.instance().stop()
            await asyncio.sleep(0.1)
            return self.success({"slept": True})

    class Holds(StepHandler):
        handler_name = "app.holds"
        async def call(self, context):
            ENTERED.set()
            seconds = 0 if os.path.exists("quick") else context.get_input_or("seconds", 0.2)
            threading.Event().wait(seconds)  # Holds the loop of all of them.
            return self.success({"slept": True})

    class Refuses(StepHandler):
        handler_name = "app.refuses"
        async def call(self, context):
            ENTERED.set()
            seconds = 0 if os.path.exists("quick") else context.get_input_or("seconds", 0.2)
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                try: await asyncio.sleep(until - time.monotonic())
                except asyncio.CancelledError: pass
            return self.success({"slept": True})
"""
NAMES = ("slow", "stops", "async_stops", "holds", "refuses")

BEGIN = """
    import json, os, signal, threading, time
    from tasker_core import Worker, WorkerBootstrapError, is_worker_running
    from app.handlers import ENTERED, STOPPED
    from driver import settled, steps, submit
    def start():
        worker = Worker.start(handler_packages=["app.handlers"])
        worker.on_shutdown(STOPPED.set)
        return worker
"""

# The step that ran at the stop has ended with it, and another worker of the process works.
END = """
    assert STOPPED.wait(10)
    assert not is_worker_running() and Worker.instance() is None
    state = steps(task)["a"]["current_state"]
    with Worker.start(handler_packages=["app.handlers"]):
        print(json.dumps([state, settled(submit("slow", {"seconds": 0}))["status"]]))
"""


@pytest.fixture
def stopping(program):
    program.write("app/handlers.py", HANDLERS)
    program.write("driver.py", CLIENT)
    for name in NAMES:
        program.write(f"templates/{name}.yaml", template(name, ("a", f"app.{name}", [])))
    return program


@pytest.mark.parametrize("name", ["slow", "holds", "refuses"])
def test_stop_waits_for_a_handler_that_runs(stopping, name):
    ended = stopping.run(BEGIN + f"""
    worker = start()
    task = submit({name!r})
    assert ENTERED.wait(10)
    worker.stop()
    assert worker.unfinished == []
    """ + END)
    assert ended.answer() == ["complete", "complete"]


@pytest.mark.parametrize("name", ["stops", "async_stops"])
def test_stop_in_a_handler_lets_it_end_first(stopping, name):
    ended = stopping.run(BEGIN + f"""
    worker = start()
    task = submit({name!r})
    """ + END)
    assert ended.answer() == ["complete", "complete"]


def test_stop_in_a_hook_a_signal_handler_and_another_thread(stopping):
    ended = stopping.run(BEGIN + """
    worker = start()
    worker.on_shutdown(worker.stop)
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    task = submit("slow")
    assert ENTERED.wait(10)
    threads = [threading.Thread(target=worker.stop) for _ in range(3)]
    for thread in threads: thread.start()
    os.kill(os.getpid(), signal.SIGTERM)
    worker.stop()
    for thread in threads: thread.join(10)
    assert not any(thread.is_alive() for thread in threads)
    """ + END)
    assert ended.answer() == ["complete", "complete"]


def test_stop_in_another_thread_breaks_a_start_off(stopping):
    stopping.write("app/waits.py", """
        import threading, __main__
        from tasker_core import Worker
        __main__.importing.set()
        while not Worker._starting._abort: threading.Event().wait(0.001)
    """)
    ended = stopping.run(BEGIN + """
    importing = threading.Event()
    def stops():
        importing.wait(10)
        Worker.reset_instance()
    thread = threading.Thread(target=stops)
    thread.start()
    try:
        Worker.start(handler_packages=["app.handlers", "app.waits"])
        said = "nothing"
    except WorkerBootstrapError as error:
        said = str(error)
    thread.join(10)
    running = [thread.is_alive(), is_worker_running(), threading.active_count()]
    with start():
        print(json.dumps([said, running, settled(submit("slow"))["status"]]))
    """)
    said, running, state = ended.answer()
    assert "stop() was called meanwhile" in said
    assert (running, state) == ([False, False, 1], "complete")


@pytest.mark.parametrize("name", ["slow", "holds", "refuses"])
def test_stop_under_a_stuck_handler_returns_at_its_deadline_and_names_it(stopping, name):
    ended = stopping.run(BEGIN + f"""
    worker = start()
    submit({name!r}, {{"seconds": 60}})
    assert ENTERED.wait(10)
    began = time.monotonic()
    worker.stop(drain_s=0.3)
    print(json.dumps([time.monotonic() - began, worker.unfinished]), flush=True)
    """)
    seconds, unfinished = ended.answer()
    assert 0.2 < seconds < 1.3
    assert unfinished == [f"app.{name}"]
    assert ended.log(f"app.{name}")

    # Its step is not lost: the next program runs it.
    stopping.write("quick", "")
    ended = stopping.run(BEGIN + """
    from tasker_core import _tasker_core as native
    with start():
        print(json.dumps([settled(task["task_uuid"])["status"] for task in native.client_list_tasks()["tasks"]]))
    """)
    assert ended.answer() == ["complete"]
