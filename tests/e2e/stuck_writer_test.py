#!/usr/bin/python3
"""A process that holds the store's turn and does not go on: nobody waits for it without end."""

import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from template_text import chain, template_text  # noqa: E402
from workspace import Workspace  # noqa: E402

UNAVAILABLE = 69
# As a host stopped inside its transaction has it: a lock on the whole file.
HOLDER = """
import fcntl, sys
turn = open(sys.argv[1], "r+b")
fcntl.lockf(turn, fcntl.LOCK_EX)
print("inside", flush=True)
sys.stdin.read()
"""


class StuckWriter(unittest.TestCase):
    def test_commands_name_its_pid_and_end(self):
        with Workspace() as workspace:
            workspace.add_template("quick", template_text("quick", chain("hold.quick", "a")))
            task = workspace.submit("quick")
            turn = workspace.path / ".tasker" / "tasker.db.d" / "turn"
            with subprocess.Popen([sys.executable, "-c", HOLDER, str(turn)], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True) as holder:
                self.assertEqual(holder.stdout.readline(), "inside\n")
                for command in (["submit", "quick"], ["task", "cancel", task]):
                    with self.subTest(command):
                        ended = workspace.client(*command)
                        self.assertEqual((ended.returncode, ended.stdout), (UNAVAILABLE, ""), ended.stderr)
                        self.assertIn(f"held by pid {holder.pid}", ended.stderr)
                # Who only looks needs no turn.
                self.assertEqual(workspace.ask("status")["steps"]["enqueued"], 1)
                self.assertEqual(workspace.ask("task", "show", task)["state"], "pending")
                holder.stdin.close()
            self.assertEqual(workspace.ask("status")["steps"]["enqueued"], 1)

    def test_a_host_with_an_end_to_store_ends_within_its_deadline(self):
        with Workspace(plugins=["hold"], config='[worker]\ndrain = "1s"\n') as workspace:
            workspace.add_template("held", template_text("held", chain("hold.gate", "a")))
            host = workspace.start_host()
            workspace.submit("held")
            workspace.record.wait_for(1, "hold")
            turn = workspace.path / ".tasker" / "tasker.db.d" / "turn"
            with subprocess.Popen([sys.executable, "-c", HOLDER, str(turn)], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True) as holder:
                self.assertEqual(holder.stdout.readline(), "inside\n")
                workspace.open_gate()
                host.terminate()
                host.process.wait(timeout=15)
                self.assertTrue(host.log(f"held by pid {holder.pid}"))
                holder.stdin.close()
            # Its end was not stored, so that its process counts as lost: the next host runs the step again.
            workspace.start_host()
            workspace.record.wait_for(2, "hold")

    def test_an_idle_host_ends_within_its_deadline(self):
        with Workspace(config='[worker]\ndrain = "1s"\n') as workspace:
            host = workspace.start_host()
            host.until("it is up", lambda: host.log("runs on"))
            turn = workspace.path / ".tasker" / "tasker.db.d" / "turn"
            with subprocess.Popen([sys.executable, "-c", HOLDER, str(turn)], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True) as holder:
                self.assertEqual(holder.stdout.readline(), "inside\n")
                host.terminate()
                self.assertEqual(host.process.wait(timeout=15), 0)
                self.assertTrue(host.log("cannot leave the store"))
                holder.stdin.close()
            # It has not left: who comes next finds its place free.
            self.assertEqual([worker["state"] for worker in workspace.ask("status")["workers"]], ["dead"])
            second = workspace.start_host()
            second.until("it took over", lambda: second.log("has died; its steps go on here"))
            self.assertEqual(second.stop(), 0)

    def test_a_host_that_starts_behind_it_ends_when_it_is_told_to(self):
        with Workspace() as workspace:
            workspace.add_template("quick", template_text("quick", chain("hold.quick", "a")))
            workspace.submit("quick")
            turn = workspace.path / ".tasker" / "tasker.db.d" / "turn"
            with subprocess.Popen([sys.executable, "-c", HOLDER, str(turn)], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True) as holder:
                self.assertEqual(holder.stdout.readline(), "inside\n")
                host = workspace.start_host()
                host.until("it says whom it waits for", lambda: host.log(f"held by pid {holder.pid}"))
                host.terminate()
                self.assertEqual(host.process.wait(timeout=15), 0)
                self.assertTrue(host.log("SIGTERM before it was up"))
                holder.stdin.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
