"""The client functions, with a worker in the process and without."""

from conftest import CLIENT, HANDLERS, template


def test_tasks_are_made_read_listed_and_cancelled_without_a_worker(program):
    program.write("driver.py", CLIENT)
    program.write("templates/chain.yaml", template("chain", ("a", "app.noop", []), ("b", "app.noop", ["a"])))
    ended = program.run("""
        import json
        from tasker_core import TaskerClient
        client = TaskerClient()
        made = [client.create_task("chain", namespace="app", context={"n": n}) for n in range(3)]
        read = client.get_task(made[1].task_uuid)
        page = client.list_tasks(limit=2, namespace="app")
        steps = client.list_task_steps(made[0].task_uuid)
        one = client.get_step(made[0].task_uuid, steps[1].step_uuid)
        audit = client.get_step_audit_history(made[0].task_uuid, steps[1].step_uuid)
        cancelled = client.cancel_task(made[2].task_uuid)
        print(json.dumps({
            "made": [task.status for task in made], "context": read.context, "initiator": read.initiator,
            "total_steps": read.total_steps, "page": len(page.tasks), "total": page.pagination.total_count,
            "next": page.pagination.has_next, "steps": [s.name for s in steps], "parents": one.total_parents,
            "audit": audit, "cancelled": cancelled, "after": client.get_task(made[2].task_uuid).status,
            "healthy": client.health_check().healthy}))
    """)
    assert ended.answer() == {
        "made": ["pending"] * 3, "context": {"n": 1}, "initiator": "tasker-core-python", "total_steps": 2, "page": 2,
        "total": 3, "next": True, "steps": ["a", "b"], "parents": 1, "audit": [], "cancelled": {"cancelled": True},
        "after": "cancelled", "healthy": True}


def test_the_same_with_a_worker(program):
    program.write("app/handlers.py", HANDLERS)
    program.write("driver.py", CLIENT)
    program.write("templates/slow.yaml", template("slow", ("a", "app.slow", []), ("b", "app.noop", ["a"])))
    ended = program.run("""
        import json
        from tasker_core import Worker
        from tasker_core import _tasker_core as native
        from driver import settled, steps, submit
        with Worker.start(handler_packages=["app.handlers"]):
            done = submit("slow", {"seconds": 0.01})
            state = settled(done)["status"]
            audit = native.client_get_step_audit_history(done, steps(done)["a"]["step_uuid"])
            cancelled = submit("slow", {"seconds": 1})
            native.client_cancel_task(cancelled)
            print(json.dumps([state, [(e["success"], e["step_name"]) for e in audit],
                              settled(cancelled)["status"], native.client_health_check()]))
    """)
    assert ended.answer() == ["complete", [[True, "a"]], "cancelled", {"healthy": True}]


def test_a_client_stays_with_the_store_of_the_worker_that_stopped(program):
    program.write("app/handlers.py", HANDLERS)
    program.write("templates/one.yaml", template("one", ("a", "app.noop", [])))
    ended = program.run("""
        import json, os
        from tasker_core import TaskerClient, Worker
        from tasker_core import _tasker_core as native
        client, said = TaskerClient(), []
        with Worker.start(handler_packages=["app.handlers"], overrides={"store.path": "mine/of_worker.db"}):
            task = client.create_task("one", namespace="app").task_uuid
            client.wait_for_task(task)
        said.append(client.get_task(task).status)
        native.client_open({"overrides": {"store.path": "mine/of_client.db"}})
        other = client.create_task("one", namespace="app").task_uuid
        with Worker.start(handler_packages=["app.handlers"], overrides={"store.path": "mine/of_client.db"}):
            said.append(client.wait_for_task(other).status)
        said.append(client.get_task(other).status)
        print(json.dumps([said, os.path.exists(".tasker")]))
    """)
    assert ended.answer() == [["complete"] * 3, False]


def test_what_is_wrong_is_told_by_kind(program):
    program.write("templates/one.yaml", template("one", ("a", "app.noop", [])))
    ended = program.run("""
        import json, uuid
        from tasker_core import _tasker_core as native
        said = []
        for call in (lambda: native.client_get_task("no uuid"),
                     lambda: native.client_get_task(str(uuid.uuid4())),
                     lambda: native.client_get_step(native.client_create_task({"name": "one"})["task_uuid"],
                                                    str(uuid.uuid4())),
                     lambda: native.client_create_task({"namespace": "app"}),
                     lambda: native.client_create_task({"name": "none", "namespace": "app"}),
                     lambda: native.client_list_tasks(status="odd"),
                     lambda: native._client_wait(native.client_create_task({"name": "one"})["task_uuid"], 0.05)):
            try:
                call()
                said.append("nothing")
            except Exception as error:
                said.append(type(error).__name__)
        print(json.dumps(said))
    """)
    assert ended.answer() == ["ValueError", "TaskNotFoundError", "TaskNotFoundError", "ValueError",
                              "TaskNotFoundError", "ValueError", "TimeoutError"]


def test_a_key_makes_a_task_once(program):
    program.write("templates/one.yaml", template("one", ("a", "app.noop", [])))
    ended = program.run("""
        import json
        from tasker_core import _tasker_core as native
        made = [native.client_create_task({"name": "one", "idempotency_key": "k"})["task_uuid"] for _ in range(2)]
        print(json.dumps(len(set(made))))
    """)
    assert ended.answer() == 1


def test_a_wait_goes_on_when_a_worker_starts_and_does_not_hold_it_up(program):
    program.write("app/handlers.py", HANDLERS)
    program.write("templates/one.yaml", template("one", ("a", "app.noop", [])))
    ended = program.run("""
        import json, threading
        from tasker_core import TaskerClient, Worker
        client = TaskerClient()
        task = client.create_task("one", namespace="app").task_uuid
        ends = []
        waiter = threading.Thread(target=lambda: ends.append(client.wait_for_task(task, 60).status))
        waiter.start()
        with Worker.start(handler_packages=["app.handlers"]):
            waiter.join()
        print(json.dumps(ends))
    """)
    assert ended.answer() == ["complete"]


def test_a_wait_does_not_hold_up_the_programs_end(program):
    program.write("templates/one.yaml", template("one", ("a", "app.nobody", [])))
    ended = program.run(
        """
        import json, threading
        from tasker_core import TaskerClient
        client = TaskerClient()
        task = client.create_task("one", namespace="app").task_uuid
        threading.Thread(target=client.wait_for_task, args=(task, 600), daemon=True).start()
        print(json.dumps(client.get_task(task).status))
    """,
        timeout_s=60,
    )
    assert ended.answer() == "pending"
    assert ended.status == 0, ended.err


def test_a_view_and_a_command_in_different_folders_find_one_store_by_a_configuration(program):
    program.write("app/handlers.py", HANDLERS)
    program.write("worker.toml", "")
    program.write("templates/one.yaml", template("one", ("a", "app.noop", [])))
    here = """
        import json, os
        from tasker_core import TaskerClient, Worker
        os.environ.setdefault("TASKER_CONFIG_PATH", os.path.abspath("worker.toml"))
        os.mkdir("{0}")
        os.chdir("{0}")
    """
    view = program.run(here.format("web") + """
        print(json.dumps(TaskerClient().create_task("one", namespace="app").task_uuid))
    """)
    command = program.run(here.format("jobs") + f"""
        with Worker.start(handler_packages=["app.handlers"]):
            print(json.dumps(TaskerClient().wait_for_task({view.answer()!r}, None).status))
    """)
    assert command.answer() == "complete"
    assert [path.parent.parent for path in program.path.rglob("tasker.db")] == [program.path]


EVERYTHING = {"tags": ["eu", "gold"], "correlation_id": "01920000-0000-7000-8000-00000000000a",
              "parent_correlation_id": "01920000-0000-7000-8000-00000000000b", "options": {"dry": True},
              "requested_at": "2026-01-31T09:30:00"}


def test_a_task_keeps_all_that_its_request_said(program):
    program.write("app/handlers.py", """
        from tasker_core import StepHandler

        SEEN = []

        class Look(StepHandler):
            handler_name = "app.look"

            def call(self, context):
                SEEN.append((context, dict(context.event.task_sequence_step["task"]["task"])))
                return self.success({})
    """)
    program.write("templates/two.yaml", template("two", ("a", "app.look", []), ("b", "app.look", ["a"])))
    ended = program.run(f"""
        import json
        from tasker_core import TaskerClient, Worker
        from tasker_core import _tasker_core as native
        client, asked = TaskerClient(), {EVERYTHING!r}
        early = client.create_task("two", namespace="app", **asked)
        plain = client.create_task("two", namespace="app")
        with Worker.start(handler_packages=["app.handlers"]):
            late = client.create_task("two", namespace="app", **asked)
            for task in (early, plain, late):
                client.wait_for_task(task.task_uuid)
        from app.handlers import SEEN
        names = {list(EVERYTHING)!r}
        step = client.list_task_steps(late.task_uuid)[0].step_uuid
        print(json.dumps({{
            "rows": [{{name: row.get(name) for name in names}} for context, row in SEEN
                     if str(context.task_uuid) != plain.task_uuid],
            "seen": sorted({{(str(context.correlation_id), context.event.parent_correlation_id or "")
                             for context, row in SEEN if str(context.task_uuid) != plain.task_uuid}}),
            "plain": [[row["tags"], row["requested_at"] == row["created_at"], row["parent_correlation_id"],
                       row["correlation_id"] == plain.task_uuid, row["initiator"]] for context, row in SEEN
                      if str(context.task_uuid) == plain.task_uuid],
            "read": [[task.tags, task.correlation_id, task.parent_correlation_id]
                     for task in (early, client.get_task(late.task_uuid), *client.list_tasks(limit=1).tasks)],
            "native": {{name: native.client_get_task(late.task_uuid)[name] for name in names}},
            "audit": [entry.correlation_id for entry in client.get_step_audit_history(late.task_uuid, step)]}}))
    """).answer()
    own, parent = EVERYTHING["correlation_id"], EVERYTHING["parent_correlation_id"]
    assert ended["seen"] == [[own, parent]]
    assert ended["rows"] == [{**EVERYTHING, "options": None, "requested_at": "2026-01-31T09:30:00.000000"}] * 4
    assert ended["plain"] == [[None, True, None, True, "tasker-core-python"]] * 2
    assert ended["read"] == [[["eu", "gold"], own, parent]] * 3
    assert ended["native"] == {**EVERYTHING, "requested_at": "2026-01-31T09:30:00.000000Z"}
    assert ended["audit"] == [own]


def test_a_request_that_is_wrong_is_refused_in_one_sentence(program):
    program.write("templates/one.yaml", template("one", ("a", "app.nobody", [])))
    ended = program.run("""
        import json
        from tasker_core import TaskerClient
        client, said = TaskerClient(), []
        for wrong in ({"correlation_id": "c"}, {"parent_correlation_id": ""}, {"tags": "eu"}, {"tags": [1]},
                      {"requested_at": "yesterday"}, {"options": [1]}, {"context": {"a": "\\udc80"}}):
            try:
                said.append(client.create_task("one", namespace="app", **wrong).task_uuid)
            except ValueError as error:
                said.append(str(error))
        print(json.dumps([said, client.list_tasks().pagination.total_count]))
    """)
    said, made = ended.answer()
    assert made == 0
    for sentence, words in zip(said, ("correlation_id: 'c' is no UUID", "parent_correlation_id: '' is no UUID",
                                      "list of texts", "list of texts", "'yesterday' is no time",
                                      "options is no JSON object", "half a character"), strict=True):
        assert words in sentence
