#!/usr/bin/python3
"""A person acts on the work of a store from another process than the host's: cancel, retry, resolve, pause; and asks
why something does not run."""

import os
import pathlib
import pwd
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from template_text import Step, chain, template_text  # noqa: E402
from workspace import Workspace  # noqa: E402

CONFIG = '[worker]\nthreads = 2\ndrain = "1s"\n'
REFUSED = 3
CANCELLED = "2"  # TASKER_CANCEL_CANCELLED
LOGIN = pwd.getpwuid(os.getuid()).pw_name


def up(host):
    host.until("it is up", lambda: host.log(" runs on "))
    return host


def states(shown):
    return {step["name"]: step["state"] for step in shown["steps"]}


class Cancel(unittest.TestCase):
    def test_cancel_reaches_the_handler_and_its_late_success_is_kept(self):
        with Workspace(plugins=["hold"], config=CONFIG) as workspace:
            workspace.add_template("pay", template_text("pay", chain("hold.told", "pay", "ship")))
            host = up(workspace.start_host())
            task = workspace.submit("pay")
            workspace.record.wait_for(1, "runs")
            answer = workspace.ask("task", "cancel", task, "--reason", "ordered twice")
            self.assertEqual((answer["task_state"], answer["actor"], answer["reason"]),
                             ("cancelled", LOGIN, "ordered twice"))
            ((worker,),) = workspace.store.query("SELECT id FROM worker")
            self.assertEqual(answer["still_running"], [{"step": "pay", "worker": worker}])
            ((_, reason),) = workspace.record.wait_for(1, "told")
            self.assertEqual(reason, CANCELLED)
            workspace.open_gate()
            workspace.record.wait_for(1, "stopped")
            host.until("what it returned is kept", lambda: workspace.store.attempts()[0].error)
            shown = workspace.ask("task", "show", task)
            self.assertEqual(states(shown), {"pay": "cancelled", "ship": "cancelled"})
            (attempt,) = shown["attempts"]
            self.assertEqual((attempt["outcome"], attempt["error"]["late"]["result"]), ("cancelled", "paid"))
            (action,) = shown["actions"]
            self.assertEqual((action["kind"], action["actor"], action["reason"]), ("cancel", LOGIN, "ordered twice"))
            self.assertIn('late: its handler succeeded with "paid"', workspace.client("task", "show", task).stdout)
            again = workspace.client("task", "cancel", task)
            self.assertEqual(again.returncode, REFUSED)
            self.assertIn(f"cancel task {task}: the task is cancelled", again.stderr)
            self.assertEqual(host.stop(), 0)

    def test_a_cancelled_step_blocks_what_comes_after_it_until_a_person_resolves(self):
        with Workspace(plugins=["hold"], config=CONFIG) as workspace:
            workspace.add_template("two", template_text("two", [Step("held", "hold.told"), Step("free", "hold.quick"),
                                                               Step("after", "hold.quick", ("held",))]))
            host = up(workspace.start_host())
            task = workspace.submit("two")
            workspace.record.wait_for(1, "runs")
            answer = workspace.ask("step", "cancel", task, "held")
            self.assertEqual((answer["step"], answer["step_state"]), ("held", "cancelled"))
            workspace.record.wait_for(1, "told")
            workspace.open_gate()
            shown = workspace.wait_settled(task)
            self.assertEqual(states(shown), {"held": "cancelled", "free": "complete", "after": "pending"})
            self.assertEqual(shown["state"], "blocked_by_failures")
            self.assertEqual(workspace.ask("task", "resolve", task)["task_state"], "resolved_manually")
            self.assertEqual(host.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
