"""Starting and stopping again and again in one process under load: no hang, no leak, nothing lost.

`pytest restarts_test.py --restarts 1000` is the long run.
"""

import json
import random
import threading

import pytest
from conftest import CLIENT, template

HANDLERS = """
    import asyncio, collections, threading
    from tasker_core import StepHandler

    RUNS = collections.Counter()
    LOCK = threading.Lock()

    def count(context):
        with LOCK: RUNS[str(context.step_uuid)] += 1

    class Quick(StepHandler):
        handler_name = "app.quick"
        def call(self, context):
            count(context)
            return self.success({"n": 1})

    class Waits(StepHandler):
        handler_name = "app.waits"
        def call(self, context):
            count(context)
            threading.Event().wait(0.005)
            return self.success({"n": 2})

    class Naps(StepHandler):
        handler_name = "app.naps"
        async def call(self, context):
            count(context)
            await asyncio.sleep(0.005)
            return self.success({"n": 3})
"""

# A thread submits all the time, also while no worker runs, and keeps a backlog of about BACKLOG tasks.
LOAD = """
    import faulthandler, json, os, sys, threading
    from tasker_core import Worker
    from tasker_core import _tasker_core as native
    from driver import settled, submit
    WATCHDOG_S, BACKLOG = 5, 10
    made, room, ending = [], threading.Semaphore(BACKLOG), threading.Event()

    def load():
        while True:
            room.acquire()
            if ending.is_set(): return
            try:
                made.append(submit("load"))
                print("made", made[-1], flush=True)
            except RuntimeError as error:
                if "the host stops and takes nothing new" not in str(error): raise
                threading.Event().wait(0.001)
                room.release()

    def once():
        faulthandler.dump_traceback_later(WATCHDOG_S, exit=True)
        worker = Worker.start(handler_packages=["app.handlers"])
        faulthandler.dump_traceback_later(WATCHDOG_S, exit=True)
        before = len(made)
        for _ in range(2): room.release()
        while len(made) < before + 1: threading.Event().wait(0.001)
        worker.stop()
        assert worker.unfinished == [], worker.unfinished
        faulthandler.cancel_dump_traceback_later()

    loader = threading.Thread(target=load, daemon=True)
    loader.start()
"""

FINISH = """
    ending.set()
    room.release()
    loader.join()
    with Worker.start(handler_packages=["app.handlers"]):
        states = [settled(task, 60)["status"] for task in made]
"""


@pytest.fixture
def loaded(program):
    program.write("app/handlers.py", HANDLERS)
    program.write("driver.py", CLIENT)
    program.write("templates/load.yaml", template("load", ("a", "app.quick", []), ("b", "app.waits", ["a"]),
                                                  ("c", "app.naps", ["a"]), ("d", "app.quick", ["b", "c"])))
    return program


def test_a_thousand_starts_and_stops_leave_nothing_behind(loaded, restarts):
    ended = loaded.run(LOAD + f"""
    def figures():
        native.client_health_check()  # Without a worker the first call opens the store, be it the loader's.
        for _ in range(100):  # A thread that was joined may be there for a moment; this one and load() stay.
            if len(os.listdir("/proc/self/task")) <= 2: break
            threading.Event().wait(0.02)
        memory_kb = int(open("/proc/self/statm").read().split()[1]) * 4
        return [len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task")), len(os.listdir(".tasker")),
                memory_kb]

    for _ in range({restarts} // 4): once()
    before = figures()
    for _ in range({restarts} - {restarts} // 4): once()
    after = figures()
    {FINISH.lstrip()}
    import app.handlers
    print(json.dumps([before, after, len(made), sorted(set(states)), len(app.handlers.RUNS),
                      max(app.handlers.RUNS.values())]))
    """, timeout_s=60 + restarts)
    before, after, made, states, steps, most = ended.answer()
    descriptors, threads, files, memory_kb = (now - then for now, then in zip(after, before, strict=True))
    assert descriptors <= 1 and threads <= 1 and files <= 0
    assert memory_kb < 2048 + 4 * restarts
    # Each step that was taken was also ended, and each one that was not was handed back.
    assert made >= restarts and states == ["complete"]
    assert (steps, most) == (4 * made, 1)
    assert "Timeout (" not in ended.err


def test_a_kill_amid_starts_and_stops_loses_nothing(loaded):
    made = set()
    moment = random.Random(5)
    for _ in range(3):
        process = loaded.start(LOAD + "    while True: once()\n")
        first = process.stdout.readline()
        threading.Event().wait(moment.uniform(0.05, 0.4))
        process.kill()
        rest, _ = process.communicate()
        made |= {line.split()[1] for line in [first, *rest.splitlines(keepends=True)] if line.endswith("\n")}
    ended = loaded.run(f"""
    import json
    from tasker_core import Worker
    from driver import settled
    with Worker.start(handler_packages=["app.handlers"]):
        print(json.dumps(sorted({{settled(task)["status"] for task in json.loads({json.dumps(sorted(made))!r})}})))
    """)
    assert len(made) > 10 and ended.answer() == ["complete"]
