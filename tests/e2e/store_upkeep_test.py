#!/usr/bin/python3
"""store stats, store backup, store prune, and what [store] keep_finished deletes by itself."""

import contextlib
import pathlib
import sqlite3
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from template_text import Step, chain, template_text  # noqa: E402
from workspace import Workspace  # noqa: E402


def add_templates(workspace):
    workspace.add_template("done", template_text("done", chain("hold.quick", "first", "second")))
    workspace.add_template("failed", template_text("failed", [Step("only", "flaky.twice", retry="{max_attempts: 1}")]))
    workspace.add_template("held", template_text("held", chain("hold.gate", "first", "second")))


def run_tasks(workspace, done=3):
    """A host that has run these, with one failed task and one whose handler still runs."""
    add_templates(workspace)
    host = workspace.start_host()
    for name in ["done"] * done + ["failed"]:
        workspace.wait_settled(workspace.submit(name))
    held = workspace.submit("held")
    workspace.record.wait_for(1, "hold")
    return host, held


def states(workspace):
    return sorted(state for state, _ in workspace.store.tasks().values())


class Stats(unittest.TestCase):
    def test_it_counts_pages_and_rows(self):
        with Workspace(plugins=["hold", "flaky"]) as workspace:
            host, _ = run_tasks(workspace)
            stats = workspace.ask("store", "stats")
            rows = stats["rows"]
            self.assertEqual((rows["task"], rows["step"], rows["task_input"], rows["dead_letter"]), (5, 9, 5, 1))
            self.assertEqual(len(rows), 11)
            self.assertGreater(stats["wal_bytes"], 0)
            self.assertEqual(stats["page_bytes"] * stats["pages"] % 4096, 0)
            self.assertLessEqual(stats["oldest_task"], stats["oldest_open_task"])
            for key in ("oldest_ended_task", "oldest_dead_letter"):
                self.assertRegex(stats[key], r"^\d{4}-")
            text = workspace.client("store", "stats")
            self.assertRegex(text.stdout, r"(?m)^\s*9 +step$")
            host.kill()


class Backup(unittest.TestCase):
    def test_a_copy_made_beside_a_host_is_a_store_of_its_own(self):
        with Workspace(plugins=["hold", "flaky"]) as workspace:
            host, held = run_tasks(workspace)
            copy = workspace.path / "copy" / "tasker.db"
            missing = workspace.client("store", "backup", str(copy))
            self.assertEqual((missing.returncode, "make its folder first" in missing.stderr), (66, True))
            copy.parent.mkdir(mode=0o700)
            report = workspace.ask("store", "backup", str(copy))
            self.assertEqual((report["tasks"], report["bytes"]), (5, copy.stat().st_size))
            self.assertEqual(copy.stat().st_mode & 0o777, 0o600)
            self.assertEqual([path.name for path in copy.parent.iterdir()], ["tasker.db"])

            again = workspace.client("store", "backup", str(copy))
            self.assertEqual(again.returncode, 69)
            self.assertIn("not overwritten", again.stderr)
            host.kill()

            # The copy takes the store's place: the host of that time is dead there, and its step runs again.
            (workspace.path / "worker.toml").write_text(f'[store]\npath = "{copy}"\n', encoding="utf-8")
            verified = workspace.client("store", "verify")
            self.assertEqual(verified.returncode, 0, verified.stdout)
            workspace.open_gate()
            second = workspace.start_host()
            self.assertEqual(workspace.wait_settled(held)["state"], "complete")
            self.assertEqual(second.stop(), 0)


class Prune(unittest.TestCase):
    def test_it_deletes_what_has_ended_and_nothing_else(self):
        with Workspace(plugins=["hold", "flaky"]) as workspace:
            host, held = run_tasks(workspace)
            refused = workspace.client("store", "prune")
            self.assertEqual((refused.returncode, "--older-than" in refused.stderr), (65, True))
            wrong = workspace.client("store", "prune", "--older-than", "7 parsecs")
            self.assertEqual((wrong.returncode, "--older-than is" in wrong.stderr), (65, True))

            self.assertEqual(workspace.ask("store", "prune", "--older-than", "1d", "--dry-run")["tasks"], 0)
            counted = workspace.ask("store", "prune", "--older-than", "0", "--dry-run")
            self.assertEqual((counted["tasks"], counted["steps"]), (3, 6))
            self.assertEqual(len(workspace.store.tasks()), 5)

            pruned = workspace.ask("store", "prune", "--older-than", "0")
            self.assertEqual((pruned["tasks"], pruned["steps"]), (3, 6))
            self.assertEqual(states(workspace), ["blocked_by_failures", "steps_in_process"])
            self.assertEqual(workspace.client("store", "verify").returncode, 0)
            rows = workspace.ask("store", "stats")["rows"]
            self.assertEqual((rows["task"], rows["task_input"], rows["step"], rows["dead_letter"]), (2, 2, 3, 1))

            # The host goes on as if nothing had been.
            workspace.open_gate()
            self.assertEqual(workspace.wait_settled(held)["state"], "complete")
            self.assertEqual(host.stop(), 0)

    def test_it_leaves_what_waits_for_a_person_or_may_still_run(self):
        with Workspace(plugins=["hold", "flaky"]) as workspace:
            host, _ = run_tasks(workspace)
            host.kill()
            ids = [row[0] for row in workspace.store.query("SELECT id FROM task WHERE state = 4 ORDER BY id")]
            with contextlib.closing(sqlite3.connect(workspace.store.path)) as connection, connection:
                connection.execute("INSERT INTO dead_letter VALUES(99, ?, 0, 'why', 1, '{}', 'pending', '')", ids[:1])
                connection.execute("UPDATE step SET revoked = 1 WHERE task_id = ? AND n = 1", ids[1:2])
            self.assertEqual(workspace.ask("store", "prune", "--older-than", "0")["tasks"], 1)
            self.assertEqual([row[0] for row in workspace.store.query("SELECT id FROM task WHERE state = 4")], ids[:2])

    def test_it_works_in_slices_and_gives_pages_back(self):
        with Workspace(plugins=["hold"]) as workspace:
            # 2,400 steps are several slices.
            workspace.add_template("wide", template_text("wide", [Step(f"s{i}", "hold.quick") for i in range(40)]))
            host = workspace.start_host()
            tasks = [workspace.submit("wide", {"text": "x" * 4000}) for _ in range(60)]
            for task in tasks:
                workspace.wait_settled(task)
            self.assertEqual(host.stop(), 0)
            before = workspace.ask("store", "stats")
            pruned = workspace.ask("store", "prune", "--older-than", "0")
            self.assertEqual((pruned["tasks"], pruned["steps"]), (60, 2400))
            after = workspace.ask("store", "stats")
            self.assertEqual((after["rows"]["step"], after["rows"]["payload"], after["free_pages"]), (0, 0, 0))
            self.assertEqual(before["pages"] - after["pages"], pruned["pages"])
            self.assertGreater(pruned["pages"], 60)

    def test_an_idle_host_deletes_by_itself_what_ended_long_ago(self):
        with Workspace(plugins=["hold", "flaky"], config='[store]\nkeep_finished = "1s"\n') as workspace:
            host, held = run_tasks(workspace)
            host.until("the old tasks are gone", lambda: states(workspace) ==
                       ["blocked_by_failures", "steps_in_process"])
            host.until("it says so", lambda: host.log("store.keep_finished"))
            workspace.open_gate()
            host.until("the last one is gone too", lambda: states(workspace) == ["blocked_by_failures"])
            self.assertEqual(workspace.client("store", "verify").returncode, 0)
            self.assertEqual(host.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
