#!/usr/bin/python3
"""Several hosts on one store: they share the work, take over from one that died, wait for one that was stopped, and
never run a step twice at the same time."""

import datetime
import os
import pathlib
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from template_text import Step, template_text  # noqa: E402
from workspace import Workspace  # noqa: E402

SANITIZED = any(name.endswith("SAN_OPTIONS") for name in os.environ)
TAKEOVER_S = 10 if SANITIZED else 1
START_S = 5 if SANITIZED else 0.1
CONFIG = '[worker]\nthreads = 2\ndrain = "1s"\n'


def up(host):
    host.until("it is up", lambda: host.log(" runs on "))
    return host


def one_step(workspace, handler, **rest):
    workspace.add_template("one", template_text("one", [Step("only", handler, **rest)]))


class SeveralHosts(unittest.TestCase):
    def test_both_hosts_run_steps_of_one_store(self):
        with Workspace(plugins=["hold"], config=CONFIG) as workspace:
            workspace.add_template("wide", template_text("wide", [Step(f"s{i}", "hold.gate") for i in range(4)]))
            hosts = [up(workspace.start_host()), up(workspace.start_host())]
            task = workspace.submit("wide")
            # Two threads each: all four run at the same time only when both hosts work.
            workspace.record.wait_for(4, "hold")
            workspace.open_gate()
            self.assertEqual(workspace.wait_settled(task)["state"], "complete")
            self.assertEqual(workspace.record.count("hold"), 4)
            for host in hosts:
                self.assertEqual(host.stop(), 0)

    def test_a_peer_takes_over_from_a_killed_host_whose_child_lives_on(self):
        with Workspace(plugins=["hold"], config=CONFIG) as workspace:
            one_step(workspace, "hold.fork")
            first = up(workspace.start_host())
            task = workspace.submit("one")
            ((_, child),) = workspace.record.wait_for(1, "child")
            try:
                second = up(workspace.start_host())
                killed = time.monotonic()
                first.kill()
                workspace.record.wait_for(1, "fork", "1")
                self.assertLess(time.monotonic() - killed, TAKEOVER_S)
                os.kill(int(child), 0)  # It is still there, with every descriptor of the first host.
            finally:
                os.kill(int(child), signal.SIGKILL)
            shown = workspace.wait_settled(task)
            self.assertEqual(shown["state"], "complete")
            self.assertEqual([attempt.outcome for attempt in workspace.store.attempts()], ["worker_lost", "complete"])
            self.assertEqual(second.stop(), 0)

    def test_a_stopped_host_is_reported_and_keeps_its_steps(self):
        with Workspace(plugins=["hold"], config=CONFIG) as workspace:
            one_step(workspace, "hold.gate")
            first = up(workspace.start_host())
            task = workspace.submit("one")
            workspace.record.wait_for(1, "hold")
            second = up(workspace.start_host())
            os.kill(first.pid, signal.SIGSTOP)
            (said,) = second.until("the stopped host is reported", lambda: second.log("unresponsive"))
            self.assertIn(f"pid {first.pid}", said["message"])
            self.assertEqual([step.state for step in workspace.store.steps()], ["in_progress"])
            os.kill(first.pid, signal.SIGCONT)
            second.until("it is reported to respond again", lambda: second.log("responds again"))
            workspace.open_gate()
            self.assertEqual(workspace.wait_settled(task)["state"], "complete")
            self.assertEqual(workspace.record.count("hold"), 1)
            self.assertEqual([attempt.outcome for attempt in workspace.store.attempts()], ["complete"])

    def test_a_timed_out_step_waits_for_the_return_of_its_handler_on_every_host(self):
        with Workspace(plugins=["hold"], config=CONFIG) as workspace:
            retry = "{max_attempts: 2, backoff: none, backoff_base_ms: 1}"
            one_step(workspace, "hold.gate", timeout_s=1, retry=retry)
            first = up(workspace.start_host())
            task = workspace.submit("one")
            workspace.record.wait_for(1, "hold")
            second = up(workspace.start_host())
            second.until("the attempt has timed out", workspace.store.attempts)
            # A second host has looked at the store since, and found nothing to run.
            turns = second.log()
            self.assertEqual(workspace.record.count("hold"), 1, turns)
            ((state, revoked, due),) = workspace.store.query("SELECT state, revoked, due_us FROM step")
            self.assertEqual((state, revoked, due), (3, 1, None))
            opened_us = time.time_ns() // 1000
            workspace.open_gate()
            self.assertEqual(workspace.wait_settled(task)["state"], "complete")
            self.assertEqual(workspace.record.count("hold"), 2)
            late, complete = workspace.store.attempts()
            self.assertEqual((late.outcome, complete.outcome), ("timeout", "complete"))
            self.assertGreaterEqual(complete.started_us, opened_us)  # the first handler returned after that
            self.assertIn('"late"', late.error)
            self.assertIn("held", late.error)
            for host in (first, second):
                self.assertEqual(host.stop(), 0)

    def test_an_idempotent_handlers_next_attempt_starts_while_the_first_still_runs(self):
        with Workspace(plugins=["hold"], config=CONFIG) as workspace:
            retry = "{max_attempts: 2, backoff: none, backoff_base_ms: 1}"
            one_step(workspace, "hold.idempotent", timeout_s=1, retry=retry)
            for _ in range(2):
                up(workspace.start_host())
            task = workspace.submit("one")
            workspace.record.wait_for(1, "idempotent", "2")
            self.assertEqual(workspace.wait_settled(task)["state"], "complete")
            first, second = workspace.store.attempts()
            self.assertLess(second.started_us - first.ended_us, TAKEOVER_S * 1e6)
            workspace.open_gate()

    def test_a_host_ends_within_its_deadline_with_a_timed_out_handler_that_does_not_return(self):
        with Workspace(plugins=["hold"], config=CONFIG) as workspace:
            retry = "{max_attempts: 2, backoff: none, backoff_base_ms: 1}"
            one_step(workspace, "hold.gate", timeout_s=1, retry=retry)
            first = up(workspace.start_host())
            task = workspace.submit("one")
            first.until("the attempt has timed out", workspace.store.attempts)
            begun = time.monotonic()
            self.assertEqual(first.stop(), 75)
            self.assertLess(time.monotonic() - begun, 3 + (10 if SANITIZED else 0))
            (said,) = first.log("still ran")
            self.assertIn("hold.gate", said["message"])
            # Its process is gone, so its handler is: the next host goes on.
            up(workspace.start_host())
            workspace.record.wait_for(2, "hold")
            workspace.open_gate()
            self.assertEqual(workspace.wait_settled(task)["state"], "complete")

    def test_steps_that_only_the_other_host_can_run_start_at_once_when_it_does(self):
        with Workspace(config=CONFIG) as workspace:
            without = workspace.path / "without"
            without.mkdir()
            workspace.add_plugin(pathlib.Path(os.environ["TASKER_BUILD"]) / "plugins_e2e" / "hold.so")
            one_step(workspace, "hold.gate")
            first = up(workspace.start_host(TASKER_PLUGIN_PATH=str(without)))
            task = workspace.submit("one")
            first.until("it says which handler is missing", lambda: first.log("no live worker has handler"))
            second = workspace.start_host()
            started = second.until("it is up", lambda: second.log(" runs on "))[0]["ts"]
            workspace.record.wait_for(1, "hold")
            ((claimed,),) = workspace.store.query("SELECT claimed_us FROM step")
            started_us = time_us(started)
            self.assertLess(claimed - started_us, START_S * 1e6)
            workspace.open_gate()
            self.assertEqual(workspace.wait_settled(task)["state"], "complete")


def time_us(stamp):
    """Microseconds since the epoch of a time in a log line."""
    return datetime.datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp() * 1e6


if __name__ == "__main__":
    unittest.main(verbosity=2)
