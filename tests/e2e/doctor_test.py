#!/usr/bin/python3
"""doctor: what it finds on a good machine, and that each thing that is wrong is found, with what to do about it."""

import contextlib
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from template_text import Step, template_text  # noqa: E402
from workspace import HOST, Workspace  # noqa: E402

NAMES = {"fsync", "file_system", "disk_space", "permissions", "store", "workers", "clock", "plugin_folders", "plugins",
         "second_sqlite", "handlers", "versions", "python_sqlite"}

SANITIZED = any(name.endswith("SAN_OPTIONS") for name in os.environ)


def doctor(workspace):
    """{name: finding}, the worst of each name, and the exit status."""
    ended = workspace.client("doctor", "--json")
    worst = {}
    for finding in json.loads(ended.stdout)["findings"]:
        rank = ("ok", "warning", "error").index(finding["severity"])
        if finding["name"] not in worst or rank > worst[finding["name"]][0]:
            worst[finding["name"]] = (rank, finding)
    return {name: finding for name, (_, finding) in worst.items()}, ended.returncode


def set_up(workspace):
    workspace.add_template("one", template_text("one", [Step("only", "hold.gate")]))
    host = workspace.start_host()
    host.until("it is up", lambda: host.log(" runs on "))
    return host


class Doctor(unittest.TestCase):
    def assert_found(self, workspace, name, severity, *texts):
        findings, status = doctor(workspace)
        finding = findings[name]
        self.assertEqual(finding["severity"], severity, findings)
        for text in texts:
            self.assertIn(text, finding["found"] + " | " + finding["mend"])
        self.assertTrue(finding["mend"])
        if severity == "error":
            self.assertEqual(status, 1)

    def test_a_good_machine_has_no_error(self):
        with Workspace(plugins=["hold"]) as workspace:
            host = set_up(workspace)
            findings, status = doctor(workspace)
            self.assertEqual(set(findings), NAMES)
            self.assertEqual([f for f in findings.values() if f["severity"] == "error"], [])
            self.assertEqual(status, 0)
            self.assertRegex(findings["versions"]["found"], r"tasker-host \S+, SQLite 3\.\S+, Boost 1\.\d+\.\d+")
            self.assertRegex(findings["fsync"]["found"], r"after [\d.]+ m?s")
            for finding in findings.values():
                self.assertEqual(finding["mend"] == "", finding["severity"] == "ok", finding)
            text = workspace.client("doctor")
            self.assertEqual(sum(line.startswith("ok ") for line in text.stdout.splitlines()),
                             sum(f["severity"] == "ok" for f in findings.values()))
            self.assertEqual(host.stop(), 0)

    def test_before_there_is_a_store(self):
        with Workspace(plugins=["hold"]) as workspace:
            findings, status = doctor(workspace)
            self.assertEqual((findings["store"]["severity"], status), ("ok", 0))
            self.assertIn("there is no store yet", findings["store"]["found"])
            self.assertFalse((workspace.path / ".tasker").exists())

    def test_folders_and_files_that_others_may_use(self):
        with Workspace(plugins=["hold"]) as workspace:
            host = set_up(workspace)
            workspace.plugins.chmod(0o777)
            self.assert_found(workspace, "plugin_folders", "error", "chmod o-w")
            workspace.plugins.chmod(0o775)
            self.assert_found(workspace, "plugin_folders", "warning", "chmod g-w")
            workspace.plugins.chmod(0o755)
            self.assertEqual(host.stop(), 0)
            folder = workspace.path / ".tasker"
            folder.chmod(0o777)
            self.assert_found(workspace, "permissions", "error", f"chmod o-w {folder}")

    def test_a_template_whose_handler_nobody_has(self):
        with Workspace(plugins=["hold"]) as workspace:
            workspace.add_template("lost", template_text("lost", [Step("only", "nobody.has")]))
            self.assert_found(workspace, "handlers", "warning", "nobody.has", "e2e/lost@1.0.0", "plugin folder")

    def test_a_broken_plugin_and_a_broken_template(self):
        with Workspace() as workspace:
            (workspace.plugins / "broken.so").write_bytes(b"no library")
            workspace.add_template("broken", "name: [")
            self.assert_found(workspace, "plugins", "error", "broken.so")
            self.assert_found(workspace, "templates", "error", "broken.yaml")

    def test_a_store_that_is_none(self):
        with Workspace(plugins=["hold"]) as workspace:
            (workspace.path / ".tasker").mkdir(mode=0o700)
            (workspace.path / ".tasker" / "tasker.db").write_bytes(b"this is no database" * 999)
            self.assert_found(workspace, "store", "error", "tasker.db")

    def test_a_clock_that_was_set_back(self):
        with Workspace(plugins=["hold"]) as workspace:
            host = set_up(workspace)
            workspace.submit("one")
            host.kill()
            with contextlib.closing(sqlite3.connect(workspace.store.path)) as connection, connection:
                connection.execute("UPDATE task SET created_us = created_us + 3600000000")
            self.assert_found(workspace, "clock", "error", "the clock was set back", "NTP")

    def test_hosts_that_are_stopped_or_dead(self):
        with Workspace(plugins=["hold"]) as workspace:
            host = set_up(workspace)
            # Its first turn announces its handlers; afterwards it is idle, and holds no turn.
            host.until("it has announced its handlers", lambda: workspace.store.query("SELECT 1 FROM worker_handler"))
            os.kill(host.pid, signal.SIGSTOP)
            self.assert_found(workspace, "workers", "warning", f"kill -CONT {host.pid}")
            os.kill(host.pid, signal.SIGCONT)
            host.kill()
            self.assert_found(workspace, "workers", "warning", "is dead")

    def test_a_process_that_is_stopped_inside_its_turn(self):
        with Workspace(plugins=["hold"]) as workspace:
            self.assertEqual(set_up(workspace).stop(), 0)
            program = "import fcntl, os, signal, sys; f = open(sys.argv[1], 'r+b'); fcntl.lockf(f, fcntl.LOCK_EX); " \
                      "print(flush=True); os.kill(os.getpid(), signal.SIGSTOP)"
            turn = workspace.store.path.with_name("tasker.db.d") / "turn"
            with subprocess.Popen([sys.executable, "-c", program, str(turn)], stdout=subprocess.PIPE) as holder:
                holder.stdout.readline()
                os.waitpid(holder.pid, os.WUNTRACED)
                try:
                    self.assert_found(workspace, "store", "error", f"process {holder.pid} is stopped", "kill -CONT")
                finally:
                    holder.kill()
            self.assertEqual(doctor(workspace)[0]["store"]["severity"], "ok")

    @unittest.skipIf(SANITIZED, "a sanitizer's runtime must come before every other library")
    def test_a_second_sqlite_in_the_process(self):
        with Workspace(plugins=["hold"]) as workspace:
            ldd = subprocess.run(["ldd", HOST], capture_output=True, text=True, check=True).stdout
            (library,) = [line.split()[2] for line in ldd.splitlines() if "libsqlite3.so.0" in line]
            # Under another soname, else the loader takes it for the one that it has.
            body = pathlib.Path(library).read_bytes().replace(b"libsqlite3.so.0\0", b"libsqlite3.so.9\0")
            copy = workspace.path / "libsqlite3.so.9"
            copy.write_bytes(body)
            ended = subprocess.run([HOST, "doctor", "--json"], cwd=workspace.path, capture_output=True, text=True,
                                   env=workspace.environment() | {"LD_PRELOAD": str(copy)}, check=False)
            (finding,) = [f for f in json.loads(ended.stdout)["findings"] if f["name"] == "second_sqlite"]
            self.assertEqual((finding["severity"], ended.returncode), ("error", 1))
            self.assertIn(str(copy), finding["found"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
