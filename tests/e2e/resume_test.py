#!/usr/bin/python3
"""A plugin that ends steps from a thread of its own: it resumes from its checkpoint when its host was killed, yields,
ends a step twice, and returns what is no JSON. What it did, it records itself."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from template_text import Step, template_text  # noqa: E402
from workspace import Workspace  # noqa: E402

YIELD_MS = 700  # As in plugins/resume.cc.


def workspace_for(handler):
    workspace = Workspace(plugins=["resume"])
    workspace.add_template("one", template_text("one", [Step("only", handler)]))
    return workspace


class Resume(unittest.TestCase):
    def test_the_next_host_resumes_from_the_checkpoint_of_a_killed_one(self):
        with workspace_for("resume.thread") as workspace:
            first = workspace.start_host()
            task = workspace.submit("one")
            checkpointed = workspace.record.wait_for(1, "resume.thread", "checkpointed")
            first.kill()
            self.assertEqual(checkpointed, [["resume.thread", "checkpointed", "0"]])

            second = workspace.start_host()
            shown = workspace.wait_settled(task)
            self.assertEqual(shown["state"], "complete")
            result = workspace.ask("task", "show", task, "--step", "only", "--result")
            self.assertEqual(result, {"resumed_from": {"position": 41}, "own_thread": True})
            self.assertEqual(workspace.record.lines("resume.thread", "starts"),
                             [["resume.thread", "starts", "null"], ["resume.thread", "starts", '{"position":41}']])
            self.assertEqual([attempt["outcome"] for attempt in shown["attempts"]], ["worker_lost", "complete"])
            self.assertEqual((shown["steps"][0]["attempts"], shown["steps"][0]["crashes"]), (0, 1))
            self.assertEqual(second.stop(), 0)

    def test_a_step_that_yields_runs_again_after_its_delay(self):
        with workspace_for("resume.yield") as workspace:
            host = workspace.start_host()
            task = workspace.submit("one")
            shown = workspace.wait_settled(task)
            self.assertEqual(shown["state"], "complete")
            starts = workspace.record.lines("resume.yield", "starts")
            self.assertEqual([words[3] for words in starts], ["null", '{"round":1}'])
            self.assertGreaterEqual(int(starts[1][2]) - int(starts[0][2]), YIELD_MS)
            self.assertEqual(workspace.ask("task", "show", task, "--step", "only", "--result"), {"round": 1})
            self.assertEqual([attempt["outcome"] for attempt in shown["attempts"]], ["yielded", "complete"])
            self.assertEqual((shown["steps"][0]["attempts"], shown["steps"][0]["crashes"]), (0, 0))
            self.assertEqual(host.stop(), 0)

    def test_the_second_end_of_an_attempt_is_stale(self):
        with workspace_for("resume.twice") as workspace:
            host = workspace.start_host()
            task = workspace.submit("one")
            # TASKER_OK, then TASKER_E_STALE.
            self.assertEqual(workspace.record.wait_for(1, "resume.twice"), [["resume.twice", "completed", "0", "7"]])
            shown = workspace.wait_settled(task)
            self.assertEqual(workspace.ask("task", "show", task, "--step", "only", "--result"), "first")
            self.assertEqual([attempt["outcome"] for attempt in shown["attempts"]], ["complete"])
            self.assertEqual(host.stop(), 0)

    def test_a_result_that_is_no_json_fails_for_good_and_names_the_handler(self):
        with workspace_for("resume.no_json") as workspace:
            host = workspace.start_host()
            ended = workspace.client("submit", "one", "--wait")
            self.assertEqual(ended.returncode, 1, ended.stderr)
            self.assertIn("'resume.no_json' is no JSON", ended.stderr)
            (task,) = workspace.store.tasks()
            shown = workspace.ask("task", "show", task)
            self.assertEqual(shown["state"], "blocked_by_failures")
            self.assertEqual(shown["steps"][0]["state"], "error")
            (attempt,) = shown["attempts"]  # Not tried again, though three attempts are allowed.
            self.assertEqual(attempt["outcome"], "error")
            self.assertFalse(attempt["error"]["retryable"])
            self.assertIn("resume.no_json", attempt["error"]["message"])
            self.assertEqual(host.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
