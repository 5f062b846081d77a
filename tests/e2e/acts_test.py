#!/usr/bin/python3
"""A person acts on the work of a store from another process than the host's: cancel, retry, resolve, pause; and asks
why something does not run."""

import json
import os
import pathlib
import pwd
import signal
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from template_text import Step, chain, template_text  # noqa: E402
from workspace import Workspace  # noqa: E402

CONFIG = '[worker]\nthreads = 2\ndrain = "1s"\n'
BAD_INPUT, NOT_FOUND, REFUSED = 65, 66, 3
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


class RetryAndResolve(unittest.TestCase):
    def test_a_failed_step_has_a_dead_letter_until_a_person_retries_it(self):
        with Workspace(plugins=["hold"], config=CONFIG) as workspace:
            workspace.add_template("pay", template_text("pay", chain("hold.broken", "pay", "ship")))
            host = up(workspace.start_host())
            task = workspace.submit("pay")
            self.assertEqual(workspace.wait_settled(task)["state"], "blocked_by_failures")
            (letter,) = workspace.ask("dlq", "list")["dead_letters"]
            self.assertEqual((letter["task"], letter["step"], letter["reason"], letter["resolution"]),
                             (task, "pay", "permanent_error", "pending"))
            self.assertEqual(letter["snapshot"]["error"]["message"], "no such account")
            self.assertEqual(workspace.ask("status")["dead_letters"], 1)
            self.assertIn("no such account", workspace.client("dlq", "show", task, "pay").stdout)
            failed, blocked = workspace.ask("task", "explain", task)["steps"]
            self.assertEqual((failed["step"], failed["reason"]), ("pay", "failed"))
            self.assertEqual((blocked["reason"], blocked["waits_for"]), ("failed_ancestor", ["pay"]))
            (workspace.path / "mended").touch()
            answer = workspace.ask("task", "retry", task, "--actor", "ann", "--reason", "account made")
            self.assertEqual((answer["action"], answer["actor"]), ("retry", "ann"))
            shown = workspace.wait_settled(task)
            self.assertEqual(shown["state"], "complete")
            self.assertEqual([(action["kind"], action["step"], action["reason"]) for action in shown["actions"]],
                             [("retry", None, "account made")])
            self.assertEqual(workspace.ask("dlq", "list")["dead_letters"], [])
            (letter,) = workspace.ask("dlq", "list", "--all")["dead_letters"]
            self.assertEqual((letter["resolution"], letter["step_state"]), ("manually_resolved", "complete"))
            again = workspace.client("task", "retry", task)
            self.assertEqual((again.returncode, again.stdout), (REFUSED, ""))
            self.assertEqual(host.stop(), 0)

    def test_a_resolved_steps_result_is_what_a_person_says(self):
        with Workspace(plugins=["hold"], config=CONFIG) as workspace:
            workspace.add_template("pay", template_text("pay", [Step("pay", "hold.broken"),
                                                               Step("ship", "hold.quick", ("pay",))]))
            host = up(workspace.start_host())
            task = workspace.submit("pay")
            workspace.wait_settled(task)
            for arguments, status, words in (
                    (("pay", "--result", "{paid"), BAD_INPUT, "the step's result"),
                    (("pya",), NOT_FOUND, "has no step 'pya'; its steps are pay, ship"),
                    (("pay", "--actor", "a" * 2000), BAD_INPUT, "--actor has 2000 bytes")):
                ended = workspace.client("step", "resolve", task, *arguments)
                self.assertEqual((ended.returncode, ended.stdout), (status, ""), ended.stderr)
                self.assertIn(words, ended.stderr)
            result = {"paid": 12}
            answer = workspace.ask("step", "resolve", task[:20], "pay", "--result", json.dumps(result))
            self.assertEqual((answer["task"], answer["step_state"]), (task, "resolved_manually"))
            shown = workspace.wait_settled(task)
            self.assertEqual(states(shown), {"pay": "resolved_manually", "ship": "complete"})
            self.assertEqual(workspace.ask("task", "show", task, "--step", "pay", "--result"), result)
            self.assertEqual(host.stop(), 0)

    def test_retry_is_refused_while_the_timed_out_attempt_still_runs(self):
        with Workspace(plugins=["hold"], config=CONFIG) as workspace:
            retry = "{max_attempts: 1}"
            workspace.add_template("one", template_text("one", [Step("only", "hold.told", timeout_s=1, retry=retry)]))
            host = up(workspace.start_host())
            task = workspace.submit("one")
            self.assertEqual(workspace.wait_settled(task)["state"], "blocked_by_failures")
            ((worker,),) = workspace.store.query("SELECT id FROM worker")
            for command in (("task", "retry", task), ("step", "retry", task, "only")):
                refused = workspace.client(*command)
                self.assertEqual((refused.returncode, refused.stdout), (REFUSED, ""))
                self.assertIn(f"attempt 1 of step only still runs in worker {worker}; wait for its end", refused.stderr)
            (why,) = workspace.ask("task", "explain", task)["steps"]
            self.assertEqual((why["reason"], why["worker"], why["pid"]), ("stuck_attempt", worker, host.pid))
            self.assertIn(f"attempt 1 still runs in worker {worker} (pid {host.pid})", why["text"])
            workspace.open_gate()
            host.until("it has returned", lambda: workspace.store.query("SELECT revoked FROM step") == [(0,)])
            self.assertEqual(workspace.ask("step", "retry", task, "only")["step"], "only")
            self.assertEqual(workspace.wait_settled(task)["state"], "complete")
            self.assertEqual(host.stop(), 0)


class Pause(unittest.TestCase):
    def test_steps_of_a_paused_handler_wait_until_it_is_resumed(self):
        with Workspace(plugins=["hold"], config=CONFIG) as workspace:
            workspace.add_template("quick", template_text("quick", [Step("only", "hold.quick")]))
            workspace.add_template("gate", template_text("gate", [Step("only", "hold.gate")]))
            host = up(workspace.start_host())
            (paused,) = workspace.ask("handler", "pause", "hold.quick", "--reason", "bank is down")["handlers"]
            self.assertEqual((paused["handler"], paused["paused"]), ("hold.quick", True))
            task = workspace.submit("quick")
            gate = workspace.submit("gate")
            workspace.record.wait_for(1, "hold")  # The host has looked for work since, and left the other.
            (why,) = workspace.ask("task", "explain", task)["steps"]
            self.assertEqual((why["state"], why["reason"]), ("enqueued", "handler_paused"))
            self.assertIn(f"is paused by {LOGIN} since", why["text"])
            self.assertIn("(bank is down)", why["text"])
            listed = {handler["handler"]: handler for handler in workspace.ask("handler", "list")["handlers"]}
            quick = listed["hold.quick"]
            self.assertEqual((quick["paused"], quick["pause"]["reason"], quick["enqueued"]), (True, "bank is down", 1))
            self.assertEqual([server["running"] for server in listed["hold.gate"]["workers"]], [1])
            self.assertEqual(workspace.ask("status")["paused_handlers"][0]["handler"], "hold.quick")
            self.assertIn("paused", workspace.client("handler", "list").stdout)
            workspace.ask("handler", "resume", "hold.quick")
            self.assertEqual(workspace.wait_settled(task)["state"], "complete")
            workspace.open_gate()
            self.assertEqual(workspace.wait_settled(gate)["state"], "complete")
            unknown = workspace.client("handler", "pause", "hold.quik")
            self.assertEqual((unknown.returncode, unknown.stdout), (NOT_FOUND, ""))
            self.assertIn("did you mean 'hold.quick'?", unknown.stderr)
            self.assertEqual(host.stop(), 0)


class Explain(unittest.TestCase):
    def why(self, workspace, task):
        """{step: reason}"""
        return {step["step"]: step for step in workspace.ask("task", "explain", task)["steps"]}

    def test_it_says_what_a_step_waits_for(self):
        with Workspace(plugins=["hold"], config='[worker]\nthreads = 1\ndrain = "1s"\n') as workspace:
            workspace.add_template("all", template_text("all", [
                Step("runs", "hold.gate"), Step("after", "hold.quick", ("runs",)), Step("alien", "no.plugin"),
                Step("ready", "hold.gate")]))
            task = workspace.submit("all")
            answer = workspace.ask("task", "explain", task)
            self.assertEqual([reason["reason"] for reason in answer["reasons"]], ["no_host"])
            self.assertEqual({step["step"]: step["reason"] for step in answer["steps"]},
                             {"runs": "no_host", "after": "waits_for_parents", "alien": "no_host", "ready": "no_host"})
            host = up(workspace.start_host())
            workspace.record.wait_for(1, "hold")
            ((worker,),) = workspace.store.query("SELECT id FROM worker")
            why = self.why(workspace, task)
            (runs,) = {"runs", "ready"} - set(why)
            waits = "ready" if runs == "runs" else "runs"
            self.assertIn(why[waits]["reason"], ("no_free_place", "not_started"))
            self.assertEqual(why["after"]["waits_for"], ["runs"])
            self.assertEqual(why["alien"]["reason"], "no_handler")
            self.assertIn(f"live are worker {worker} (pid {host.pid})", why["alien"]["text"])
            text = workspace.client("task", "explain", task).stdout
            self.assertIn("alien (enqueued): no live worker has handler 'no.plugin'", text)
            os.kill(host.pid, signal.SIGSTOP)
            host.until("it is seen to be stopped",
                       lambda: self.why(workspace, task).get(runs, {}).get("reason") == "worker_stopped")
            status = workspace.ask("status")
            self.assertEqual([(w["state"], w["stopped"], w["running"], w["pid"]) for w in status["workers"]],
                             [("stopped", True, 1, host.pid)])
            self.assertIn(f"kill -CONT {host.pid}", workspace.client("status").stdout)
            host.kill()
            why = self.why(workspace, task)
            self.assertEqual((why[runs]["reason"], why[runs]["pid"]), ("worker_dead", host.pid))
            status = workspace.ask("status")
            self.assertEqual([w["state"] for w in status["workers"]], ["dead"])
            self.assertEqual(status["steps"]["oldest_ready_step"]["task"], task)

    def test_it_says_when_a_retry_is_due(self):
        with Workspace(plugins=["flaky"], config=CONFIG) as workspace:
            retry = "{max_attempts: 3, backoff: exponential, backoff_base_ms: 60000}"
            workspace.add_template("flaky", template_text("flaky", [Step("only", "flaky.twice", retry=retry)]))
            host = up(workspace.start_host())
            task = workspace.submit("flaky")
            host.until("it has failed once", workspace.store.attempts)
            why = self.why(workspace, task)["only"]
            self.assertEqual(why["reason"], "due_later")
            self.assertEqual(why["at"], workspace.ask("task", "show", task)["steps"][0]["due"])
            self.assertIn("attempt 1 fails by design", why["text"])
            self.assertEqual(host.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
