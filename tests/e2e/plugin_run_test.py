#!/usr/bin/python3
"""tasker-host plugin run and plugin check, as the author of a plugin types them."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import unittest

TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "tests" / "support"))

from waiting import PATIENCE_S, until  # noqa: E402
from workspace import HOST, Workspace  # noqa: E402

OK, FAILED, USAGE, BAD_INPUT, NOT_FOUND, ABANDONED, INTERRUPTED = 0, 1, 64, 65, 66, 75, 130


class PluginRun(unittest.TestCase):
    def setUp(self):
        self.workspace = self.enterContext(Workspace(plugins=["echo"], config='[plugin.echo]\nunit = "kg"\n'))
        self.file = str(self.workspace.plugins / "echo.so")

    def run_step(self, handler, *arguments, json_too=True):
        """The exit status and the answer."""
        ended = self.workspace.client("plugin", "run", self.file, "--handler", handler, *arguments,
                                      *(["--json"] if json_too else []))
        return ended.returncode, json.loads(ended.stdout) if json_too else ended.stdout

    def test_the_handler_is_given_what_the_options_say(self):
        (self.workspace.path / "context.json").write_text('{"order": 7}', encoding="utf-8")
        status, answer = self.run_step(
            "echo.step", "--context", "@context.json", "--dependencies", '{"first": {"result": 1}}',
            "--initialization", '{"url": "x"}', "--checkpoint", "[3]", "--method", "call", "--attempt", "2",
            "--timeout", "60")
        self.assertEqual((status, answer["outcome"]), (OK, "complete"))
        self.assertEqual(answer["result"], {
            "context": {"order": 7}, "dependencies": {"first": {"result": 1}}, "initialization": {"url": "x"},
            "checkpoint": [3], "method": "call", "attempt": 2, "deadline": True, "config": {"unit": "kg"}})

    def test_defaults_are_those_of_a_first_attempt(self):
        _, answer = self.run_step("echo.step")
        self.assertEqual(answer["result"], {
            "context": {}, "dependencies": {}, "initialization": {}, "checkpoint": None, "method": "", "attempt": 1,
            "deadline": False, "config": {"unit": "kg"}})

    def test_people_read_the_outcome(self):
        status, text = self.run_step("echo.checkpoint", json_too=False)
        self.assertEqual(status, OK)
        self.assertRegex(text, r"\Ahandler 'echo\.checkpoint' of plugin echo: yielded in [\d.]+ ms\n"
                               r"checkpoint saved: \{\"row\": 1\}\na host runs it again after 5\.0 s\n"
                               r"checkpoint: \{\"row\": 2\}\n\Z")
        status, text = self.run_step("echo.fails", json_too=False)
        self.assertEqual(status, FAILED)
        self.assertIn("error: PermanentError: no such customer\na host does not try again\n", text)

    def test_scripts_read_the_outcome(self):
        status, answer = self.run_step("echo.fails")
        self.assertEqual((status, answer["outcome"]), (FAILED, "failed"))
        self.assertEqual((answer["error"]["type"], answer["error"]["error_code"], answer["error"]["retryable"]),
                         ("PermanentError", "E42", False))
        status, answer = self.run_step("echo.checkpoint")
        self.assertEqual((status, answer["checkpoints"], answer["checkpoint"]), (OK, [{"row": 1}], {"row": 2}))

    def test_it_leaves_no_store(self):
        self.run_step("echo.step")
        self.assertFalse((self.workspace.path / ".tasker").exists())

    def test_bad_input_is_one_sentence(self):
        for arguments, status, words in (
                (["--handler", "echo.none"], NOT_FOUND, "has no handler 'echo.none' that takes a step; it has echo."),
                (["--handler", "echo.step", "--context", "{"], BAD_INPUT, "the context is no JSON: "),
                (["--handler", "echo.step", "--context", "@none"], NOT_FOUND, "No such file"),
                (["--handler", "echo.step", "--timeout", "soon"], USAGE, "--timeout"),
                ([], USAGE, "--handler is required")):
            ended = self.workspace.client("plugin", "run", self.file, *arguments)
            self.assertEqual((ended.returncode, ended.stdout), (status, ""), (arguments, ended.stderr))
            self.assertRegex(ended.stderr, r"\Atasker-host: [^\n]+\n\Z")
            self.assertIn(words, ended.stderr)
        ended = self.workspace.client("plugin", "run", "none.so", "--handler", "x")
        self.assertEqual(ended.returncode, NOT_FOUND, ended.stderr)

    def test_a_timeout_cancels(self):
        status, answer = self.run_step("echo.waits", "--timeout", "0.1")
        self.assertEqual((status, answer["outcome"], answer["error"]["message"]), (FAILED, "timeout", "cancelled"))

    def begin(self, handler):
        """A plugin run whose handler waits."""
        err = self.workspace.path / "err"
        with open(err, "wb") as file:
            process = subprocess.Popen([HOST, "plugin", "run", self.file, "--handler", handler, "--json"],
                                       cwd=self.workspace.path, env=self.workspace.environment(),
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=file, text=True)
        self.addCleanup(process.kill)
        until("the handler waits", lambda: "it waits" in err.read_text(encoding="utf-8"))
        return process, err

    def test_ctrl_c_cancels(self):
        process, _ = self.begin("echo.waits")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE_S)
        answer = json.loads(out)
        self.assertEqual((process.returncode, answer["outcome"], answer["error"]["message"], answer["interrupted"]),
                         (INTERRUPTED, "failed", "cancelled", True))

    def test_ctrl_c_ends_an_init_that_hangs(self):
        zoo = pathlib.Path(os.environ["TASKER_BUILD"]) / "tests" / "plugins" / "zoo"
        self.workspace.add_plugin(zoo / "zoo_hangs_in_init.so")
        process = subprocess.Popen([HOST, "plugin", "run", "plugins/zoo_hangs_in_init.so", "--handler", "x"],
                                   cwd=self.workspace.path, env=self.workspace.environment(),
                                   stdin=subprocess.DEVNULL)
        self.addCleanup(process.kill)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=PATIENCE_S), -signal.SIGINT)

    def test_what_does_not_heed_cancel_is_left_behind(self):
        process, err = self.begin("echo.stuck")
        process.send_signal(signal.SIGINT)
        until("it is told", lambda: "Ctrl-C again leaves it behind" in err.read_text(encoding="utf-8"))
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE_S)
        self.assertEqual((process.returncode, json.loads(out)["outcome"]), (INTERRUPTED, "abandoned"))
        self.assertIn("1 unfinished attempt of handler 'echo.stuck'", err.read_text(encoding="utf-8"))
        (self.workspace.path / "worker.toml").write_text('[worker]\ndrain = "100ms"\n', encoding="utf-8")
        status, answer = self.run_step("echo.stuck", "--timeout", "0.05")
        self.assertEqual((status, answer["outcome"]), (ABANDONED, "timeout"))


class PluginCheck(unittest.TestCase):
    def setUp(self):
        self.workspace = self.enterContext(Workspace(plugins=["echo"]))
        self.file = str(self.workspace.plugins / "echo.so")

    def test_a_good_plugin_fits(self):
        ended = self.workspace.client("plugin", "check", self.file)
        self.assertEqual(ended.returncode, OK, ended.stdout)
        self.assertRegex(ended.stdout, r"\A(ok       [^\n]+\n)+\S+/echo\.so fits: 0 errors, 0 warnings\n\Z")
        self.assertNotIn("ends its step", ended.stdout)

    def test_a_step_runs_only_when_it_is_named(self):
        report = self.workspace.ask("plugin", "check", self.file, "--handler", "echo.step", "--context", "{}")
        self.assertTrue(report["fits"])
        names = [finding["name"] for finding in report["findings"]]
        self.assertTrue({"permissions", "entry", "init", "step", "cancel", "end", "threads", "restart", "process",
                         "tokens", "stdout"} <= set(names), names)

    def test_strict_counts_warnings(self):
        step = ("--handler", "echo.fails", "--context", "{}")
        self.assertEqual(self.workspace.client("plugin", "check", self.file, *step).returncode, OK)
        self.assertEqual(self.workspace.client("plugin", "check", self.file, *step, "--strict").returncode, FAILED)

    def test_bad_input_is_one_sentence(self):
        for arguments, status, words in (
                (["none.so"], NOT_FOUND, "it cannot be found"),
                ([self.file, "--context", "{}"], USAGE, "--context requires --handler"),
                ([self.file, "--handler", "echo.step", "--context", "-"], BAD_INPUT, "not from standard input"),
                ([self.file, "--handler", "echo.step", "--context", "nul"], BAD_INPUT, "the context is no JSON")):
            ended = self.workspace.client("plugin", "check", *arguments)
            self.assertEqual((ended.returncode, ended.stdout), (status, ""), ended.stderr)
            self.assertIn(words, ended.stderr)

    def test_a_configuration_reaches_the_plugin(self):
        (self.workspace.path / "other.toml").write_text('[plugin.echo]\nunit = "kg"\n', encoding="utf-8")
        report = self.workspace.ask("--config", "other.toml", "plugin", "check", self.file, "--handler", "echo.step")
        self.assertTrue(report["fits"])


if __name__ == "__main__":
    unittest.main()
