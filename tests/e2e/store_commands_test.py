#!/usr/bin/python3
"""The commands that look after a store: store verify, also on stores that this test damages."""

import contextlib
import json
import pathlib
import shutil
import sqlite3
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from template_text import Step, chain, template_text  # noqa: E402
from workspace import Workspace  # noqa: E402

COMPLETE, PENDING, IN_PROGRESS, ERROR = 4, 0, 2, 5

# invariant: (what breaks it, whether a step is named). :done, :failed, :held and :waits are ids of tasks: complete;
# blocked by its step 0; its step 0 held by a worker that was killed; the same task's step 1 waits for that.
DAMAGES = {
    "task_counters": ("UPDATE task SET open_steps = 7 WHERE id = :done", False),
    "task_state": ("UPDATE task SET state = 2 WHERE id = :failed", False),
    "terminal_task": ("UPDATE step SET state = 1 WHERE task_id = :done AND n = 0", True),
    "task_times": ("UPDATE task SET ended_us = NULL WHERE id = :done", False),
    "complete_step": ("UPDATE step SET claim_id = claim_id + 1 WHERE task_id = :done AND n = 0", True),
    "early_result": ("INSERT INTO payload VALUES(:waits, 1, 3, 'null')", True),
    "resolved_step": ("UPDATE step SET state = 7 WHERE task_id = :failed", True),
    "live_claim": ("UPDATE worker SET ended_us = 1 WHERE id = (SELECT claim_id >> 40 FROM step "
                   "WHERE task_id = :held AND n = 0)", True),
    "ended_claim": ("INSERT INTO attempt SELECT task_id, n, claim_id, 1, 1, 1, 1, 1, NULL FROM step "
                    "WHERE task_id = :held AND n = 0", True),
    "revoked_claim": ("UPDATE step SET revoked = 1 WHERE task_id = :held AND n = 0", True),
    "stray_claim": ("UPDATE step SET claim_id = 5 WHERE task_id = :waits AND n = 1", True),
    "step_times": ("UPDATE step SET due_us = 5 WHERE task_id = :done AND n = 1", True),
    "attempt_counts": ("UPDATE step SET attempts = 2 WHERE task_id = :done AND n = 0", True),
    "dead_letter": ("DELETE FROM dead_letter WHERE task_id = :failed", True),
    "dangling_id": ("DELETE FROM handler WHERE id = (SELECT handler_id FROM step WHERE task_id = :done AND n = 0)",
                    True),
    "shared_claim": ("UPDATE step SET state = 2, claim_id = (SELECT claim_id FROM step WHERE task_id = :held "
                     "AND n = 0) WHERE task_id = :waits AND n = 1", True),
    "graph": ("DELETE FROM step WHERE task_id = :done AND n = 1", False),
    "waiting_for": ("UPDATE step SET waiting_for = 0 WHERE task_id = :waits AND n = 1", True),
    "max_attempts": ("UPDATE step SET attempts = 99 WHERE task_id = :failed AND n = 0", True),
}


def run_to_rest(workspace):
    """A store that nobody has open, with a task of each kind: {name: id of the task}."""
    workspace.add_template("done", template_text("done", chain("hold.quick", "first", "second")))
    workspace.add_template("failed", template_text("failed", [Step("only", "flaky.twice", retry="{max_attempts: 1}")]))
    often = Step("only", "flaky.twice", retry="{max_attempts: 9}")
    workspace.add_template("retried", template_text("retried", [often]))
    workspace.add_template("held", template_text("held", chain("hold.gate", "first", "second")))
    host = workspace.start_host()
    uuids = {name: workspace.submit(name) for name in ("done", "failed", "retried")}
    for task in uuids.values():
        workspace.wait_settled(task)
    workspace.submit("held")
    workspace.record.wait_for(1, "hold")
    host.kill()
    rows = workspace.store.query("SELECT name, task.id FROM task JOIN template ON template.id = template_id")
    return {name: task for name, task in rows}


def damage(workspace, sql, tasks):
    with contextlib.closing(sqlite3.connect(workspace.store.path)) as connection, connection:
        changed = connection.execute(sql, {**tasks, "waits": tasks["held"]}).rowcount
    if changed < 1:
        raise AssertionError(f"nothing was damaged: {sql}")


@contextlib.contextmanager
def restored(path):
    """Whatever is done to a store that nobody has open, it is as before afterwards."""
    kept = path.with_suffix(".kept")
    shutil.copyfile(path, kept)
    try:
        yield
    finally:
        for log in ("-wal", "-shm"):
            path.with_name(path.name + log).unlink(missing_ok=True)
        shutil.copyfile(kept, path)


def checkpoint(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def pretend_index(workspace, is_now, should_be):
    """Changes what SQLite takes the index step_ready for, not what is in it."""
    with contextlib.closing(sqlite3.connect(workspace.store.path)) as connection:
        ((version,),) = connection.execute("PRAGMA schema_version").fetchall()
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE name = 'step_ready'",
                           (is_now, should_be))
        connection.execute(f"PRAGMA schema_version = {version + 1}")
        connection.commit()


class Verify(unittest.TestCase):
    def verify(self, workspace, *options):
        ended = workspace.client("store", "verify", "--json", *options)
        self.assertIn(ended.returncode, (0, 1), ended.stderr)
        report = json.loads(ended.stdout)
        self.assertEqual(ended.returncode, 1 if report["violations"] else 0)
        return report

    def test_each_invariant_is_missed_when_it_is_broken(self):
        with Workspace(plugins=["hold", "flaky"]) as workspace:
            tasks = run_to_rest(workspace)
            report = self.verify(workspace)
            self.assertEqual((report["violations"], report["tasks"], report["steps"], report["complete"]),
                             ([], 4, 6, True))
            checkpoint(workspace.store.path)
            for invariant, (sql, of_step) in DAMAGES.items():
                with self.subTest(invariant), restored(workspace.store.path):
                    damage(workspace, sql, tasks)
                    found = [v for v in self.verify(workspace)["violations"] if v["invariant"] == invariant]
                    self.assertTrue(found, self.verify(workspace))
                    self.assertEqual(found[0]["n"] is not None, of_step)
                    self.assertRegex(found[0]["task"], r"^[0-9a-f-]{36}$")
                    text = workspace.client("store", "verify")
                    self.assertIn(found[0]["task"], text.stdout)
            self.assertEqual(self.verify(workspace)["violations"], [])

    def test_orphans_and_torn_pages_are_found(self):
        with Workspace(plugins=["hold", "flaky"]) as workspace:
            tasks = run_to_rest(workspace)
            checkpoint(workspace.store.path)
            with restored(workspace.store.path):
                damage(workspace, "DELETE FROM task WHERE id = :held", tasks)
                found = self.verify(workspace, "--rows-only")["violations"]
                self.assertIn(("dangling_id", tasks["held"], None),
                              {(v["invariant"], v["task_id"], v["task"]) for v in found})
            with restored(workspace.store.path):
                ((root,),) = workspace.store.query("SELECT rootpage FROM sqlite_schema WHERE name = 'dead_letter'")
                ((size,),) = workspace.store.query("PRAGMA page_size")
                with open(workspace.store.path, "r+b") as file:
                    file.seek((root - 1) * size)
                    file.write(b"\xa5" * 64)
                ended = workspace.client("store", "verify", "--json")
                self.assertNotEqual(ended.returncode, 0)
                self.assertIn("dead_letter", ended.stdout + ended.stderr)

    def test_a_row_that_an_index_lacks_is_found(self):
        with Workspace(plugins=["hold", "flaky"]) as workspace:
            run_to_rest(workspace)
            checkpoint(workspace.store.path)
            with restored(workspace.store.path):
                # As after a write that never reached the index: the index is another one for a moment.
                pretend_index(workspace, "state = 1", "state = 99")
                with contextlib.closing(sqlite3.connect(workspace.store.path)) as connection, connection:
                    connection.execute("UPDATE step SET state = 1 WHERE state = 0")
                pretend_index(workspace, "state = 99", "state = 1")
                found = [v for v in self.verify(workspace)["violations"] if v["invariant"] == "pages"]
                self.assertIn("step_ready", str(found))

    def test_it_finds_nothing_beside_a_host_at_work(self):
        with Workspace(plugins=["hold", "flaky"]) as workspace:
            workspace.add_template("chain", template_text("chain", chain("hold.quick", *"abcdef")))
            workspace.add_template("flaky", template_text("flaky", [Step("only", "flaky.twice")]))
            host = workspace.start_host()
            tasks = []
            for _ in range(5):
                tasks += [workspace.submit("chain"), workspace.submit("flaky")]
                self.assertEqual(self.verify(workspace)["violations"], [])
            for task in tasks:
                workspace.wait_settled(task)
            self.assertEqual(self.verify(workspace)["tasks"], 10)
            self.assertEqual(host.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
