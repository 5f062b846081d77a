#!/usr/bin/python3
"""How a host ends: it drains on SIGTERM, gives up what runs too long, hurries on a second signal, and is
buried by the next one when it was killed."""

import os
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from template_text import Step, template_text  # noqa: E402
from workspace import Workspace  # noqa: E402

THREADS = 2
QUICK = 8
HELD = 8
LEFT_BEHIND = 75  # an exit code
ZOO = pathlib.Path(os.environ["TASKER_BUILD"]) / "tests" / "plugins" / "zoo"


def config(drain):
    return f'[worker]\nthreads = {THREADS}\ndrain = "{drain}"\n'


def workspace_with_held_steps(drain):
    """Each quick step lets the host claim one more in that second: so it claims more of the held steps than it has
    threads for."""
    workspace = Workspace(plugins=["hold"], config=config(drain))
    steps = [Step(f"quick{i}", "hold.quick") for i in range(QUICK)]
    steps += [Step(f"held{i}", "hold.gate") for i in range(HELD)]
    workspace.add_template("held", template_text("held", steps))
    return workspace


def held_steps(workspace):
    return [step for step in workspace.store.steps() if step.n >= QUICK]


def claimed(workspace):
    """How many of the held steps are."""
    return sum(step.state == "in_progress" for step in held_steps(workspace))


def host_that_holds(workspace):
    """A host with as many handlers at the gate as it has threads, and more claims than that."""
    task = workspace.submit("held")
    host = workspace.start_host()
    workspace.record.wait_for(THREADS, "hold")
    host.until("steps are claimed that cannot start", lambda: claimed(workspace) > THREADS)
    return host, task


def attempts_of_held(workspace):
    return [attempt for attempt in workspace.store.attempts() if attempt.n >= QUICK]


class Shutdown(unittest.TestCase):
    def test_sigterm_lets_running_steps_end_and_hands_the_others_back_uncounted(self):
        with workspace_with_held_steps(drain="60s") as workspace:
            host, _ = host_that_holds(workspace)
            host.terminate()
            host.until("what had not started is handed back", lambda: claimed(workspace) == THREADS)
            workspace.open_gate()
            self.assertEqual(host.wait(), 0)

            steps = workspace.store.steps()
            self.assertEqual(sum(step.state == "complete" for step in steps), QUICK + THREADS)
            self.assertEqual(workspace.record.count("hold"), THREADS)
            waiting = [step for step in steps if step.state != "complete"]
            self.assertEqual([(step.state, step.attempts, step.crashes) for step in waiting],
                             [("enqueued", 0, 0)] * (HELD - THREADS))
            self.assertEqual([attempt.outcome for attempt in attempts_of_held(workspace)], ["complete"] * THREADS)
            (worker,) = workspace.store.workers()
            self.assertIsNotNone(worker.ended_us)

    def test_what_was_handed_back_runs_in_the_next_host(self):
        with workspace_with_held_steps(drain="60s") as workspace:
            host, task = host_that_holds(workspace)
            host.terminate()
            host.until("what had not started is handed back", lambda: claimed(workspace) == THREADS)
            workspace.open_gate()
            self.assertEqual(host.wait(), 0)
            second = workspace.start_host()
            shown = workspace.wait_settled(task)
            self.assertEqual(shown["state"], "complete")
            self.assertEqual(workspace.record.count("hold"), HELD)
            self.assertEqual({attempt["outcome"] for attempt in shown["attempts"]}, {"complete"})
            self.assertEqual(second.stop(), 0)

    def test_a_handler_that_outlives_the_deadline_is_named_and_its_step_handed_back(self):
        with workspace_with_held_steps(drain="1s") as workspace:
            host, _ = host_that_holds(workspace)
            began = time.monotonic()
            host.terminate()
            self.assertEqual(host.wait(), LEFT_BEHIND)
            self.assertLess(time.monotonic() - began, 1 + 2)
            self.assert_handed_back(workspace, host)

    def test_a_second_sigterm_ends_the_drain_at_once(self):
        with workspace_with_held_steps(drain="300s") as workspace:
            host, _ = host_that_holds(workspace)
            host.terminate()
            host.until("what had not started is handed back", lambda: claimed(workspace) == THREADS)
            began = time.monotonic()
            host.terminate()
            self.assertEqual(host.wait(), LEFT_BEHIND)
            self.assertLess(time.monotonic() - began, 3)
            self.assert_handed_back(workspace, host)

    def assert_handed_back(self, workspace, host):
        sentences = [line["message"] for line in host.log("hold.gate") if line["level"] == "error"]
        self.assertTrue(sentences, "no error in the log names the handler that still ran")
        self.assertEqual([(step.state, step.attempts, step.crashes) for step in held_steps(workspace)],
                         [("enqueued", 0, 0)] * HELD)
        self.assertEqual([attempt.outcome for attempt in attempts_of_held(workspace)], ["handed_back"] * THREADS)

    def test_the_next_host_buries_a_killed_one(self):
        with workspace_with_held_steps(drain="60s") as workspace:
            first, task = host_that_holds(workspace)
            first.kill()
            second = workspace.start_host()
            workspace.open_gate()
            shown = workspace.wait_settled(task)
            self.assertEqual(shown["state"], "complete")
            # What had started counts as lost with its process; what had only been claimed counts as nothing.
            lost = [attempt for attempt in attempts_of_held(workspace) if attempt.outcome == "worker_lost"]
            self.assertEqual(len(lost), THREADS)
            self.assertEqual(workspace.record.count("hold"), HELD + THREADS)
            self.assertEqual(sum(step.crashes for step in held_steps(workspace)), THREADS)
            dead, alive = workspace.store.workers()
            self.assertEqual((dead.pid, alive.pid), (first.pid, second.pid))
            self.assertIsNotNone(dead.ended_us)
            self.assertIn("died", dead.end_reason)
            self.assertIsNone(alive.ended_us)
            self.assertEqual(second.stop(), 0)


class Start(unittest.TestCase):
    def test_a_signal_ends_a_start_that_a_plugin_holds_up(self):
        with Workspace() as workspace:
            workspace.add_plugin(ZOO / "zoo_hangs_in_init.so")
            host = workspace.start_host()
            host.until("it takes signals", lambda: host.log("starts"))
            self.assertEqual(host.stop(), LEFT_BEHIND)
            self.assertTrue(host.log("a plugin's init may hang"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
