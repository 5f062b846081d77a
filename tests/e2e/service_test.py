#!/usr/bin/python3
"""The host as a service: what it tells systemd over its socket (this test stands in for systemd), and its status at
SIGUSR1."""

import contextlib
import fcntl
import os
import pathlib
import signal
import socket
import sqlite3
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from template_text import Step, template_text  # noqa: E402
from waiting import PATIENCE_S  # noqa: E402
from workspace import Workspace  # noqa: E402

UNIT = pathlib.Path(__file__).resolve().parents[2] / "packaging" / "tasker-host.service"
WATCHDOG_S = 3


class StandIn:
    """A service manager's end of the socket."""

    def __init__(self, workspace):
        self.path = str(workspace.path / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._socket.settimeout(PATIENCE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def next(self, patience_s=PATIENCE_S):
        """The next message as {key: value}; None when none came in time."""
        self._socket.settimeout(patience_s)
        try:
            text = self._socket.recv(4096).decode()
        except TimeoutError:
            return None
        return dict(line.split("=", 1) for line in text.splitlines())

    def next_with(self, key):
        while (message := self.next()) is not None:
            if key in message:
                return message
        raise AssertionError(f"no {key} came")


def environment(manager, **more):
    return {"NOTIFY_SOCKET": manager.path, **more}


class Systemd(unittest.TestCase):
    def test_it_says_when_it_is_up_and_when_it_stops(self):
        with Workspace(plugins=["hold"]) as workspace, StandIn(workspace) as manager:
            host = workspace.start_host(**environment(manager))
            ready = manager.next()
            self.assertEqual(ready["READY"], "1")
            self.assertIn("worker 1 runs on", ready["STATUS"])
            self.assertEqual(len(workspace.ask("status")["workers"]), 1)  # It is up when it says so.
            host.terminate()
            self.assertEqual(manager.next(), {"STOPPING": "1"})
            self.assertEqual(host.wait(), 0)

    def test_a_host_that_does_not_start_is_never_ready(self):
        with Workspace(config="[store]\npath = \"/proc/no/store.db\"\n") as workspace, StandIn(workspace) as manager:
            host = workspace.start_host(**environment(manager))
            self.assertNotEqual(host.wait(), 0)
            self.assertIsNone(manager.next(patience_s=0.01))

    def test_the_watchdog_is_fed_while_the_host_is_idle_busy_and_stopping(self):
        with Workspace(plugins=["hold"], config='[worker]\nthreads = 1\ndrain = "60s"\n') as workspace, \
                StandIn(workspace) as manager:
            workspace.add_template("one", template_text("one", [Step("only", "hold.gate")]))
            host = workspace.start_host(**environment(manager, WATCHDOG_USEC=str(WATCHDOG_S * 1_000_000)))
            manager.next_with("READY")
            times = []
            for _ in range(3):
                manager.next_with("WATCHDOG")
                times.append(time.monotonic())
            self.assertLess(max(b - a for a, b in zip(times, times[1:])), WATCHDOG_S)
            workspace.submit("one")
            workspace.record.wait_for(1, "hold")
            manager.next_with("WATCHDOG")
            host.terminate()
            manager.next_with("STOPPING")
            manager.next_with("WATCHDOG")
            manager.next_with("WATCHDOG")
            workspace.open_gate()
            self.assertEqual(host.wait(), 0)

    def test_the_watchdog_starves_while_the_turn_thread_stands_still(self):
        with Workspace(plugins=["hold"]) as workspace, StandIn(workspace) as manager:
            workspace.add_template("one", template_text("one", [Step("only", "hold.gate")]))
            host = workspace.start_host(**environment(manager, WATCHDOG_USEC="2000000"))
            task = workspace.submit("one")
            workspace.record.wait_for(1, "hold")
            with contextlib.closing(sqlite3.connect(workspace.store.path, isolation_level=None)) as rude:
                # Past the turnstile: SQLite lets the turn thread wait for 5 s in one call.
                rude.execute("BEGIN IMMEDIATE")
                workspace.open_gate()
                while manager.next(patience_s=2.5) is not None:
                    pass
                self.assertIsNone(host.process.poll())
                rude.execute("ROLLBACK")
            manager.next_with("WATCHDOG")
            self.assertEqual(workspace.wait_settled(task)["state"], "complete")
            self.assertEqual(host.stop(), 0)

    def test_the_watchdog_is_fed_while_another_process_has_the_turn(self):
        with Workspace(plugins=["hold"]) as workspace, StandIn(workspace) as manager:
            workspace.add_template("one", template_text("one", [Step("only", "hold.gate")]))
            host = workspace.start_host(**environment(manager, WATCHDOG_USEC=str(WATCHDOG_S * 1_000_000)))
            task = workspace.submit("one")
            workspace.record.wait_for(1, "hold")
            with open(workspace.store.path.with_name("tasker.db.d") / "turn", "r+b") as turn:
                fcntl.lockf(turn, fcntl.LOCK_EX)
                workspace.open_gate()
                for _ in range(4):
                    self.assertIsNotNone(manager.next(patience_s=WATCHDOG_S))
                states = [state for state, _ in workspace.store.tasks().values()]
                self.assertEqual(states, ["steps_in_process"])
                fcntl.lockf(turn, fcntl.LOCK_UN)
            self.assertEqual(workspace.wait_settled(task)["state"], "complete")
            self.assertEqual(host.stop(), 0)

    def test_the_watchdog_of_another_process_is_not_fed(self):
        with Workspace(plugins=["hold"]) as workspace, StandIn(workspace) as manager:
            host = workspace.start_host(**environment(manager, WATCHDOG_USEC="200000", WATCHDOG_PID="1"))
            manager.next_with("READY")
            self.assertIsNone(manager.next(patience_s=1))
            self.assertEqual(host.stop(), 0)

    def test_the_unit_starts_the_host_as_systemd_has_to_know_it(self):
        lines = UNIT.read_text(encoding="utf-8").splitlines()
        unit = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
        self.assertEqual((unit["Type"], unit["NotifyAccess"], unit["Restart"]), ("notify", "main", "on-failure"))
        # Half of it is fed; the turn thread beats at least once a second.
        self.assertGreater(int(unit["WatchdogSec"].removesuffix("s")), 4)
        self.assertTrue(unit["ExecStart"].endswith("tasker-host run"))


class Dump(unittest.TestCase):
    def test_sigusr1_writes_one_line_and_changes_nothing(self):
        with Workspace(plugins=["hold"]) as workspace:
            workspace.add_template("one", template_text("one", [Step("only", "hold.gate")]))
            host = workspace.start_host()
            task = workspace.submit("one")
            workspace.record.wait_for(1, "hold")
            os.kill(host.pid, signal.SIGUSR1)
            (line,) = host.until("the status is in the log",
                                 lambda: [line for line in host.log() if line["message"] == "status"])
            self.assertEqual((line["worker"], line["ready"], line["running_count"]), (1, "true", 1))
            self.assertIn("hold.gate (step only", line["running"])
            self.assertGreater(line["turns"], 0)
            self.assertEqual(line["claimed"], 1)
            self.assertEqual((line["steps_in_progress"], line["steps_enqueued"], line["dead_letters"]), (1, 0, 0))
            self.assertEqual(line["tasks_steps_in_process"], 1)
            self.assertGreater(line["file_bytes"], 0)
            workspace.open_gate()
            self.assertEqual(workspace.wait_settled(task)["state"], "complete")
            self.assertEqual(host.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
