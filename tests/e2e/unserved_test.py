#!/usr/bin/python3
"""A step whose handler no plugin has waits and says so; a step that fails is tried again after its back-off."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from template_text import Step, template_text  # noqa: E402
from waiting import until  # noqa: E402
from workspace import E2E_PLUGINS, Workspace  # noqa: E402

BASE_MS = 200
JITTER = 0.15


class Unserved(unittest.TestCase):
    def test_a_step_without_a_handler_stays_enqueued_and_says_so(self):
        with Workspace() as workspace:
            workspace.add_template("quick", template_text("quick", [Step("only", "hold.quick")]))
            host = workspace.start_host()
            task = workspace.submit("quick")
            (line,) = host.until("the log names the handler", lambda: host.log("hold.quick"))
            self.assertEqual(line["level"], "warning")
            step = workspace.ask("task", "show", task)["steps"][0]
            self.assertEqual((step["state"], step["attempts"], step["served"]), ("enqueued", 0, False))
            shown = workspace.client("task", "show", task)
            self.assertIn("no running host has handler 'hold.quick'", shown.stdout)
            self.assertEqual(host.stop(), 0)

            workspace.add_plugin(E2E_PLUGINS / "hold.so")
            second = workspace.start_host()
            shown = workspace.wait_settled(task)
            self.assertEqual(shown["state"], "complete")
            self.assertEqual([attempt["outcome"] for attempt in shown["attempts"]], ["complete"])
            self.assertEqual(second.log("hold.quick"), [])
            self.assertEqual(second.stop(), 0)

    def test_whoever_waits_for_such_a_step_is_told_what_to_start(self):
        with Workspace(plugins=["hold"]) as workspace:
            workspace.add_template("quick", template_text("quick", [Step("only", "hold.quick")]))
            submit, output = workspace.client_begins("submit", "quick", "--wait")
            until("the handler is named", lambda: "no running host has handler 'hold.quick'" in output.read_text())
            host = workspace.start_host()
            self.assertEqual(submit.wait(timeout=60), 0)
            self.assertEqual(host.stop(), 0)


class Retry(unittest.TestCase):
    def test_a_failing_step_is_tried_again_after_its_back_off(self):
        with Workspace(plugins=["flaky"]) as workspace:
            retry = f"{{max_attempts: 5, backoff: exponential, backoff_base_ms: {BASE_MS}}}"
            workspace.add_template("flaky", template_text("flaky", [Step("only", "flaky.twice", retry=retry)]))
            host = workspace.start_host()
            task = workspace.submit("flaky")
            shown = workspace.wait_settled(task)
            self.assertEqual(shown["state"], "complete")
            self.assertEqual([attempt["outcome"] for attempt in shown["attempts"]], ["error", "error", "complete"])
            self.assertEqual([attempt["error"] and attempt["error"]["message"] for attempt in shown["attempts"]],
                             ["attempt 1 fails by design", "attempt 2 fails by design", None])
            self.assertEqual(shown["steps"][0]["attempts"], 2)
            lines = workspace.record.lines("flaky")
            self.assertEqual([words[1] for words in lines], ["1", "2", "3"])
            at_ms = [int(words[2]) for words in lines]
            self.assertGreaterEqual(at_ms[1] - at_ms[0], int(BASE_MS * (1 - JITTER)))
            self.assertGreaterEqual(at_ms[2] - at_ms[1], int(2 * BASE_MS * (1 - JITTER)))
            self.assertEqual(host.stop(), 0)

    def test_a_step_whose_attempts_are_used_up_blocks_its_task(self):
        with Workspace(plugins=["flaky"]) as workspace:
            retry = "{max_attempts: 2, backoff: none}"
            workspace.add_template("flaky", template_text("flaky", [Step("only", "flaky.twice", retry=retry)]))
            host = workspace.start_host()
            ended = workspace.client("submit", "flaky", "--wait")
            self.assertEqual(ended.returncode, 1, ended.stderr)
            self.assertIn("attempt 2 fails by design", ended.stderr)
            self.assertEqual(workspace.record.count("flaky"), 2)
            self.assertEqual(host.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
