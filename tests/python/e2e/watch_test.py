"""TaskerClient.watch_task: every change of a task, from whatever process, without asking again and again."""

import statistics

from conftest import HANDLERS, template

OTHERS_WORKER = """
    import sys
    from tasker_core import Worker
    with Worker.start(handler_packages=["app.handlers"]):
        print("ready", flush=True)
        sys.stdin.readline()
"""


def test_the_worker_of_this_process_is_watched(program):
    program.write("app/handlers.py", HANDLERS)
    program.write("templates/chain.yaml", template("chain", ("a", "app.slow", []), ("b", "app.slow", ["a"])))
    ended = program.run("""
        import asyncio, json
        from tasker_core import TaskerClient, Worker
        client = TaskerClient()
        def states(task):
            return {step["name"]: step["current_state"] for step in task.steps}
        async def watch(task):
            return [states(seen) async for seen in client.watch_task_async(task)]
        def late(task):
            try:
                return [seen.status for seen in client.watch_task(task, timeout_s=0.01)]
            except TimeoutError as error:
                return str(error)
        with Worker.start(handler_packages=["app.handlers"]):
            tasks = [client.create_task("chain", namespace="app", context={"seconds": 0.1}).task_uuid for _ in "12"]
            seen = [(task.settled, states(task), task.steps[1]["dependencies"]) for task in client.watch_task(tasks[0])]
            slow = client.create_task("chain", namespace="app", context={"seconds": 1}).task_uuid
            print(json.dumps([seen, asyncio.run(watch(tasks[1])), late(slow), slow]))
    """)
    seen, by_loop, late, slow = ended.answer()
    assert [settled for settled, _, _ in seen] == [False] * (len(seen) - 1) + [True]
    assert len(seen) >= 3 and all(after == ["a"] for _, _, after in seen)
    assert {"a": "complete", "b": "in_progress"} in [states for _, states, _ in seen]
    assert seen[-1][1] == {"a": "complete", "b": "complete"} == by_loop[-1]
    assert late == f"task {slow} was not settled in 0.01 seconds"


def test_what_nobody_has_to_do_anything_about_is_told_to_other_processes(program):
    """Ends of steps without children: no host needs to hear of them, so they ring only for who listens."""
    program.write("app/handlers.py", """
        import threading
        from tasker_core import StepHandler

        class Nap(StepHandler):
            handler_name = "app.nap"
            def call(self, context):
                number = int(context.event.task_sequence_step["workflow_step"]["name"].removeprefix("s"))
                threading.Event().wait(0.5 + 0.13 * number)
                return self.success({})
    """)
    steps = [(f"s{number}", "app.nap", []) for number in range(9)]
    program.write("templates/wide.yaml", template("wide", *steps))
    other = program.start(OTHERS_WORKER, stdin=True)
    assert other.stdout is not None and other.stdout.readline() == "ready\n"
    delays = {}
    for how in ("with a worker", "without"):
        ended = program.run(f"""
            import contextlib, datetime, json, time
            from tasker_core import TaskerClient, Worker
            from tasker_core.client import _Watch
            _Watch.LOOK_S = 30
            client = TaskerClient()
            known, delays = set(), []
            worker = Worker.start(auto_discover=False) if {how!r} == "with a worker" else contextlib.nullcontext()
            with worker:
                for task in client.watch_task(client.create_task("wide", namespace="app").task_uuid, timeout_s=25):
                    for step in task.steps:
                        if step["current_state"] == "complete" and step["name"] not in known:
                            known.add(step["name"])
                            end = datetime.datetime.fromisoformat(step["updated_at"].replace("Z", "+00:00"))
                            delays.append(time.time() - end.timestamp())
            print(json.dumps(delays))
        """, name="watcher.py")
        delays[how] = ended.answer()
    assert other.communicate("stop\n", timeout=30)[1] is not None and other.returncode == 0
    assert all(len(found) == 9 for found in delays.values())
    # A host looks once a second without a bell, which would be half a second on average.
    assert statistics.median(delays["with a worker"]) < 0.25, delays


def test_watches_without_a_worker_hold_up_nobody_and_see_it_start(program):
    program.write("app/handlers.py", HANDLERS)
    program.write("templates/chain.yaml", template("chain", ("a", "app.noop", []), ("b", "app.noop", ["a"])))
    ended = program.run("""
        import json, threading, time
        from tasker_core import TaskerClient, Worker
        from tasker_core.client import _Watch
        client = TaskerClient()
        tasks = [client.create_task("chain", namespace="app").task_uuid for _ in range(4)]
        looking, ends = threading.Semaphore(0), []
        def watch(task):
            for seen in client.watch_task(task):
                looking.release()
            ends.append(seen.status)
        _Watch.LOOK_S = 2
        watchers = [threading.Thread(target=watch, args=(task,)) for task in tasks]
        for watcher in watchers:
            watcher.start()
        for _ in watchers:
            looking.acquire()
        began = time.monotonic()
        for task in tasks * 5:
            client.get_task(task)
        took = time.monotonic() - began
        with Worker.start(handler_packages=["app.handlers"]):
            for watcher in watchers:
                watcher.join()
        print(json.dumps([took, ends]))
    """)
    took, ends = ended.answer()
    assert ends == ["complete"] * 4
    assert took < 2, "reads waited until the watches looked again"


def test_what_is_not_there_cannot_be_watched(program):
    ended = program.run("""
        import json, uuid
        from tasker_core import TaskerClient
        from tasker_core.client import TaskNotFoundError
        said = []
        for task in (str(uuid.uuid4()), "nonsense"):
            try:
                next(TaskerClient().watch_task(task))
            except (TaskNotFoundError, ValueError) as error:
                said.append(type(error).__name__)
        print(json.dumps(said))
    """)
    assert ended.answer() == ["TaskNotFoundError", "ValueError"]


def test_a_watch_may_be_left(program):
    program.write("templates/one.yaml", template("one", ("a", "app.nobody", [])))
    ended = program.run("""
        import asyncio, json
        from tasker_core import TaskerClient
        client = TaskerClient()
        async def leave():
            watch = client.watch_task_async(client.create_task("one", namespace="app").task_uuid)
            first = await anext(watch)
            second = asyncio.ensure_future(anext(watch))
            await asyncio.sleep(0)
            second.cancel()
            await asyncio.wait([second])
            await watch.aclose()
            return [first.status, second.cancelled()]
        print(json.dumps(asyncio.run(leave())))
    """)
    assert ended.answer() == ["pending", True]
