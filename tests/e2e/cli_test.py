#!/usr/bin/python3
"""Every command of the real tasker-host: what it prints, in which shape, and how it exits.

Usage: cli_test.py PATH/tasker-host FOLDER_OF_PLUGINS, where the second has examples/hello's.
"""

import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import sys
import unittest

if __name__ == "__main__" and len(sys.argv) >= 3:
    os.environ["TASKER_HOST"], os.environ["TASKER_PLUGINS"] = map(os.path.abspath, sys.argv[1:3])
    os.environ.setdefault("TASKER_BUILD", str(pathlib.Path(os.environ["TASKER_PLUGINS"]).parent))
    del sys.argv[1:3]
TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "tests" / "support"))

from template_text import Step, template_text  # noqa: E402
from waiting import PATIENCE_S, until  # noqa: E402
from workspace import HOST, Workspace  # noqa: E402

HELLO_PLUGIN = pathlib.Path(os.environ["TASKER_PLUGINS"]) / "hello.so"
HELLO = TREE / "examples" / "hello" / "hello.yaml"
OK, FAILED, USAGE, BAD_INPUT, NOT_FOUND, INTERRUPTED = 0, 1, 64, 65, 66, 130
COMMANDS = (["run"], ["submit"], ["task", "list"], ["task", "show"], ["template", "list"], ["template", "show"],
            ["template", "validate"], ["plugin", "list"], ["config", "show"], ["status"],
            ["task", "explain"], ["task", "cancel"], ["task", "retry"], ["task", "resolve"], ["step", "cancel"],
            ["step", "retry"], ["step", "resolve"], ["handler", "list"], ["handler", "pause"], ["handler", "resume"],
            ["dlq", "list"], ["dlq", "show"])


def hello_workspace(config=""):
    """Has the plugin and the template of examples/hello."""
    workspace = Workspace(config=config)
    workspace.add_plugin(HELLO_PLUGIN)
    workspace.add_template("hello", HELLO.read_text(encoding="utf-8"))
    return workspace


class Cli(unittest.TestCase):
    def assert_refused(self, ended, status, *words):
        """One sentence on stderr with these words, nothing on stdout, this exit status."""
        self.assertEqual((ended.returncode, ended.stdout), (status, ""), ended.stderr)
        self.assertRegex(ended.stderr, r"\Atasker-host: [^\n]+\n\Z")
        for word in words:
            self.assertIn(word, ended.stderr)

    def assert_no_store(self, workspace):
        self.assertFalse((workspace.path / ".tasker").exists(), "a refused command left a store")


class CommandLine(Cli):
    def test_help_and_version_succeed(self):
        with Workspace() as workspace:
            whole = workspace.client("--help")
            self.assertEqual((whole.returncode, whole.stderr), (OK, ""))
            self.assertIn("Exit codes:", whole.stdout)
            for command in COMMANDS:
                self.assertIn(command[0], whole.stdout)
                ended = workspace.client(*command, "--help")
                self.assertEqual((ended.returncode, ended.stderr), (OK, ""), command)
                self.assertIn(command[-1], ended.stdout)
            version = workspace.client("--version")
            self.assertEqual(version.returncode, OK)
            self.assertRegex(version.stdout, r"\Atasker-host \d+\.\d+\.\d+\n\Z")

    def test_wrong_usage_is_one_sentence(self):
        wrong = {("submti",): ("'submti'", "did you mean 'submit'"),
                 ("task", "lst"): ("'task lst'", "'list'"),
                 ("task",): ("list", "show"), ("submit",): ("TEMPLATE",),
                 ("task", "list", "--limit", "0"): ("--limit",),
                 ("status", "--frobnicate"): ("--frobnicate",), ("status", "now"): ("'now'",),
                 ("task", "show", "x", "--result"): ("--step",), ("submit", "x", "--priority", "high"): ("--priority",)}
        with Workspace() as workspace:
            for arguments, words in wrong.items():
                with self.subTest(arguments):
                    self.assert_refused(workspace.client(*arguments), USAGE, *words, "--help")
            self.assert_no_store(workspace)

    def test_a_word_that_is_also_a_command_may_be_an_argument(self):
        with Workspace() as workspace:
            self.assert_refused(workspace.client("submit", "run"), NOT_FOUND, "run")

    def test_options_of_every_command_may_stand_behind_it(self):
        with Workspace() as workspace:
            other = workspace.path / "other.toml"
            other.write_text("[worker]\nid = \"other\"\n", encoding="utf-8")
            shown = workspace.ask("config", "show", "--config", str(other))
            self.assertEqual(shown["worker.id"]["value"], "other")

    def test_a_full_disk_is_an_error(self):
        with Workspace() as workspace, open("/dev/full", "wb") as full:
            ended = subprocess.run([HOST, "--help"], env=workspace.environment(), stdout=full, stderr=subprocess.PIPE,
                                   text=True, timeout=PATIENCE_S)
            self.assertEqual(ended.returncode, 70)
            self.assertIn("No space left", ended.stderr)


class Config(Cli):
    def test_an_error_has_file_and_line(self):
        with Workspace(config="[worker]\nid = \"a\"\nthreds = 4\n") as workspace:
            for command in (["config", "show"], ["status"], ["run"], []):
                with self.subTest(command):
                    self.assert_refused(workspace.client(*command), BAD_INPUT, "worker.toml:3", "threds", "threads")

    def test_a_file_that_is_not_there_is_named(self):
        with Workspace() as workspace:
            self.assert_refused(workspace.client("--config", "/nowhere/w.toml", "status"), NOT_FOUND, "/nowhere/w.toml")

    def test_show_tells_values_with_their_origin(self):
        with Workspace(config="[worker]\nthreads = 3\n") as workspace:
            threads = workspace.ask("config", "show")["worker.threads"]
            self.assertEqual(threads["value"], 3)
            self.assertRegex(threads["origin"], r"worker\.toml:2$")
            table = workspace.client("config", "show")
            self.assertEqual(table.returncode, OK)
            self.assertRegex(table.stdout, r"(?m)^worker\.threads +3 +\S*worker\.toml:2$")


class SubmitRefuses(Cli):
    def test_a_bad_template_with_its_line(self):
        with hello_workspace() as workspace:
            bad = workspace.path / "bad.yaml"
            bad.write_text(template_text("bad", [Step("a", "x"), Step("b", "y", parents=("c",))]), encoding="utf-8")
            self.assert_refused(workspace.client("submit", str(bad)), BAD_INPUT, "bad.yaml:", "'c'")
            self.assert_refused(workspace.client("submit", "none.yaml"), NOT_FOUND, "none.yaml")
            self.assert_no_store(workspace)

    def test_an_unknown_name_with_the_nearest_known_one(self):
        with hello_workspace() as workspace:
            self.assert_refused(workspace.client("submit", "examples/helo"), NOT_FOUND, "examples/hello")
            self.assert_no_store(workspace)

    def test_a_bad_context(self):
        contexts = {"{": (BAD_INPUT, "JSON"), "[1]": (BAD_INPUT, "object"), "{}": (BAD_INPUT, "name"),
                    '{"name": 3}': (BAD_INPUT, "/name"), "@none.json": (NOT_FOUND, "none.json")}
        with hello_workspace() as workspace:
            for context, (status, word) in contexts.items():
                with self.subTest(context):
                    self.assert_refused(workspace.client("submit", "hello", "--context", context), status, word)
            self.assert_no_store(workspace)

    def test_a_changed_text_of_a_version_under_strict(self):
        with hello_workspace() as workspace:
            workspace.submit("hello", {"name": "a"})
            before = workspace.ask("template", "list")["templates"][0]["sha256"]
            workspace.add_template("hello", HELLO.read_text(encoding="utf-8") + "# changed\n")
            (workspace.path / "worker.toml").write_text("[templates]\nstrict = true\n", encoding="utf-8")
            listed = workspace.ask("template", "list")["templates"][0]
            self.assertTrue(listed["changed"])
            ended = workspace.client("submit", "hello", "--context", '{"name": "a"}')
            self.assert_refused(ended, BAD_INPUT, before, listed["sha256"], "templates.strict")

            (workspace.path / "worker.toml").write_text("", encoding="utf-8")
            ended = workspace.client("submit", "hello", "--context", '{"name": "a"}')
            self.assertEqual(ended.returncode, OK, ended.stderr)
            self.assertRegex(ended.stderr, rf"note: .*{listed['sha256'][:12]} replaces {before[:12]}")
            self.assertFalse(workspace.ask("template", "list")["templates"][0]["changed"])


class Submit(Cli):
    def test_prints_the_uuid_and_nothing_else(self):
        with hello_workspace() as workspace:
            ended = workspace.client("submit", "hello", "--context", '{"name": "a"}')
            self.assertEqual((ended.returncode, ended.stderr), (OK, ""))
            self.assertRegex(ended.stdout, r"\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\n\Z")

    def test_reads_the_context_from_a_file_or_standard_input(self):
        with hello_workspace() as workspace:
            (workspace.path / "c.json").write_text('{"name": "file"}', encoding="utf-8")
            task = workspace.ask("submit", "hello", "--context", "@c.json")["task"]
            self.assertEqual(workspace.ask("task", "show", task)["context"], {"name": "file"})
            ended = subprocess.run([HOST, "submit", str(HELLO), "--context", "-"], cwd=workspace.path, text=True,
                                   env=workspace.environment(), input='{"name": "in"}', capture_output=True,
                                   timeout=PATIENCE_S)
            self.assertEqual(ended.returncode, OK, ended.stderr)
            self.assertEqual(workspace.ask("task", "show", ended.stdout.strip())["context"], {"name": "in"})

    def test_the_same_key_is_the_same_task(self):
        with hello_workspace() as workspace:
            arguments = ("submit", "hello", "--context", '{"name": "a"}', "--key", "order-1")
            first, again = workspace.client(*arguments), workspace.client(*arguments)
            self.assertEqual((first.returncode, again.returncode), (OK, OK))
            self.assertEqual(first.stdout, again.stdout)
            self.assertEqual(first.stderr, "")
            self.assertIn("order-1", again.stderr)
            self.assertTrue(workspace.ask(*arguments)["duplicate"])
            self.assertEqual(len(workspace.ask("task", "list")["tasks"]), 1)

    def test_tags_and_a_correlation_id_stay_with_the_task(self):
        with hello_workspace() as workspace:
            order = "01920000-0000-7000-8000-00000000000a"
            given = ("submit", "hello", "--context", '{"name": "a"}', "--correlation-id")
            task = workspace.ask(*given, order, "--tag", "eu", "--tag", "gold")["task"]
            request = workspace.ask("task", "show", task)["request"]
            self.assertEqual((request["tags"], request["correlation_id"]), (["eu", "gold"], order))
            self.assert_refused(workspace.client(*given, "order-1"), BAD_INPUT, "--correlation-id", "'order-1'")

    def test_a_template_that_only_the_store_knows_may_be_named(self):
        with hello_workspace() as workspace:
            workspace.submit("hello", {"name": "a"})
            (workspace.templates / "hello.yaml").unlink()
            task = workspace.submit("examples/hello@1.0.0", {"name": "b"})
            self.assertEqual(workspace.ask("task", "show", task)["name"], "hello")
            self.assert_refused(workspace.client("submit", "hello", "--context", "{}"), BAD_INPUT, "name")
            self.assert_refused(workspace.client("submit", "helo"), NOT_FOUND, "hello")


class Wait(Cli):
    def test_without_a_host_says_what_to_start_and_may_be_left(self):
        with hello_workspace() as workspace:
            process, output = workspace.client_begins("submit", "hello", "--context", '{"name": "a"}', "--wait")
            hint = "no running host has handler 'hello.greet' (step greet)"
            until("the hint", lambda: hint in output.read_text(encoding="utf-8"))
            self.assertIn("tasker-host run", output.read_text(encoding="utf-8"))
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(PATIENCE_S), INTERRUPTED)
            task = workspace.ask("task", "list")["tasks"][0]["task"]
            self.assertIn(f"task show {task}", output.read_text(encoding="utf-8"))
            host = workspace.start_host()
            self.assertEqual(workspace.wait_settled(task)["state"], "complete")
            self.assertEqual(host.stop(), OK)

    def test_prints_the_steps_and_the_results_of_the_last_ones(self):
        with hello_workspace() as workspace:
            host = workspace.start_host()
            ended = workspace.client("submit", "hello", "--context", '{"name": "you"}', "--wait")
            self.assertEqual((ended.returncode, ended.stderr), (OK, ""))
            self.assertRegex(ended.stdout, r"(?m)^greet: complete in ")
            self.assertRegex(ended.stdout, r"(?m)^shout: complete in ")
            self.assertTrue(ended.stdout.endswith('\nshout: "HELLO, YOU!"\n'), ended.stdout)

            waited = workspace.ask("submit", "hello", "--context", '{"name": "you"}', "--wait")
            self.assertEqual(waited["results"], {"shout": "HELLO, YOU!"})
            self.assertEqual(waited["state"], "complete")
            self.assertEqual(host.stop(), OK)

    def test_a_failed_step_is_named_with_its_error_and_what_to_do(self):
        with hello_workspace() as workspace:
            retry = "{max_attempts: 2, backoff: none}"
            steps = [Step("greet", "hello.greet", retry=retry), Step("shout", "hello.shout", parents=("greet",))]
            workspace.add_template("nameless", template_text("nameless", steps))
            host = workspace.start_host()
            ended = workspace.client("submit", "nameless", "--wait")
            self.assertEqual(ended.returncode, FAILED, ended.stderr)
            task = re.match(r"task (\S+)\n", ended.stdout)[1]
            self.assertRegex(ended.stderr, r"step 'greet' failed after 2 attempts: \S")
            self.assertIn(f"tasker-host task show {task}", ended.stderr)
            shown = workspace.client("task", "show", task)
            self.assertEqual(shown.returncode, OK)
            self.assertIn("blocked_by_failures", shown.stdout)
            self.assertRegex(shown.stdout, r"(?m)^Errors\ngreet: \S")
            result = workspace.client("task", "show", task, "--step", "greet", "--result")
            self.assert_refused(result, NOT_FOUND, "error")
            self.assertEqual(host.stop(), OK)

    def test_draws_on_a_terminal(self):
        with hello_workspace() as workspace:
            host = workspace.start_host()
            main, terminal = pty.openpty()
            environment = workspace.environment() | {"TERM": "xterm", "LANG": "C.UTF-8"}
            process = subprocess.Popen([HOST, "submit", "hello", "--context", '{"name": "you"}', "--wait"],
                                       cwd=workspace.path, env=environment, stdin=terminal, stdout=terminal,
                                       stderr=terminal)
            os.close(terminal)
            text = b""
            try:
                while part := os.read(main, 65536):
                    text += part
            except OSError:  # What a terminal says whose other end is closed.
                pass
            os.close(main)
            self.assertEqual(process.wait(PATIENCE_S), OK)
            picture = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text.decode("utf-8").replace("\r", ""))
            self.assertRegex(picture, r"examples/hello@1\.0\.0  complete  2 of 2 steps")
            self.assertRegex(picture, r"(?m)^✓  greet  complete  1/3  ")
            self.assertIn(b"\x1b[32m", text)
            self.assertEqual(host.stop(), OK)


class Tasks(Cli):
    def test_list_filters_and_pages(self):
        with hello_workspace() as workspace:
            workspace.add_template("other", template_text("other", [Step("a", "none")]))
            tasks = [workspace.submit(name, {"name": "a"}) for name in ("hello", "other", "hello")]

            def listed(*arguments):
                return [task["task"] for task in workspace.ask("task", "list", *arguments)["tasks"]]

            self.assertEqual(listed(), tasks[::-1])
            self.assertEqual(listed("--name", "other"), [tasks[1]])
            self.assertEqual(listed("--namespace", "examples"), [tasks[2], tasks[0]])
            self.assertEqual(listed("--state", "pending", "--limit", "2"), tasks[:0:-1])
            self.assertEqual(listed("--state", "complete"), [])
            page = workspace.ask("task", "list", "--limit", "2")
            self.assertEqual(listed("--before", page["next_before"]), [tasks[0]])
            self.assertIsNone(workspace.ask("task", "list")["next_before"])
            self.assert_refused(workspace.client("task", "list", "--state", "done"), BAD_INPUT, "blocked_by_failures")
            table = workspace.client("task", "list")
            self.assertEqual(table.returncode, OK)
            self.assertRegex(table.stdout, rf"(?m)^{tasks[1]}  pending  0/1 .* e2e/other@1\.0\.0$")

    def test_show_has_the_shape_that_scripts_rely_on(self):
        with hello_workspace() as workspace:
            host = workspace.start_host()
            task = workspace.submit("hello", {"name": "you"})
            shown = workspace.wait_settled(task)
            self.assertEqual({key: shown[key] for key in ("task", "namespace", "name", "version", "state", "priority")},
                             {"task": task, "namespace": "examples", "name": "hello", "version": "1.0.0",
                              "state": "complete", "priority": 0})
            greet, shout = shown["steps"]
            self.assertEqual((greet["name"], greet["handler"], greet["parents"]), ("greet", "hello.greet", []))
            self.assertEqual((shout["state"], shout["parents"], shout["served"]), ("complete", ["greet"], True))
            attempt = shown["attempts"][0]
            self.assertEqual((attempt["step"], attempt["outcome"], attempt["error"]), ("greet", "complete", None))
            self.assertRegex(attempt["started"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
            self.assertEqual(shown["actions"], [])
            self.assertEqual(workspace.ask("task", "show", task[:35], "--step", "shout")["steps"], [shout])
            result = workspace.client("task", "show", task, "--step", "shout", "--result")
            self.assertEqual((result.returncode, result.stdout), (OK, '"HELLO, YOU!"\n'))
            text = workspace.client("task", "show", task).stdout
            for section in ("Timeline", "Results"):
                self.assertIn(f"\n{section}\n", text)
            self.assertRegex(text, r'(?m)^shout +\d+ B +"HELLO, YOU!"$')
            self.assertEqual(host.stop(), OK)

    def test_what_is_not_there_is_named(self):
        with hello_workspace() as workspace:
            self.assert_refused(workspace.client("task", "list"), NOT_FOUND, "tasker.db")
            task = workspace.submit("hello", {"name": "a"})
            absent = "01234567-0000-7000-8000-000000000000"
            self.assert_refused(workspace.client("task", "show", absent), NOT_FOUND, absent)
            self.assert_refused(workspace.client("task", "show", task, "--step", "gret"), NOT_FOUND, "gret", "greet")
            self.assert_refused(workspace.client("task", "show", "0"), BAD_INPUT, "8")


class Templates(Cli):
    def test_validate_reports_every_file(self):
        with Workspace() as workspace:
            good, odd, bad = (workspace.path / f"{name}.yaml" for name in ("good", "odd", "bad"))
            good.write_text(template_text("good", [Step("a", "x")]), encoding="utf-8")
            odd.write_text(template_text("odd", [Step("a", "x")]) + "    result_schema: {type: object}\nnotse: 1\n",
                           encoding="utf-8")
            bad.write_text(template_text("bad", [Step("a", "x"), Step("a", "y")]), encoding="utf-8")
            ended = workspace.client("template", "validate", str(good), str(odd), str(bad))
            self.assertEqual((ended.returncode, ended.stderr), (BAD_INPUT, ""))
            self.assertIn(f"{good}: ok, e2e/good@1.0.0, 1 step\n", ended.stdout)
            self.assertRegex(ended.stdout, r"odd\.yaml:8: warning: .*notse")
            self.assertRegex(ended.stdout, r"odd\.yaml: note: .*result_schema")
            self.assertRegex(ended.stdout, r"bad\.yaml:\d+: ")
            self.assertEqual(workspace.client("template", "validate", str(odd)).returncode, OK)
            self.assertEqual(workspace.client("template", "validate", "--strict", str(odd)).returncode, BAD_INPUT)
            for name in (good, odd):
                workspace.add_template(name.stem, name.read_text(encoding="utf-8"))
            for named in ([str(workspace.templates)], []):  # a folder; the configured ones
                listed = [pathlib.Path(file["file"]).name for file in workspace.ask("template", "validate", *named)]
                self.assertEqual(listed, ["good.yaml", "odd.yaml"])
            checked = workspace.ask("template", "validate", str(odd))
            self.assertEqual(checked[0]["warnings"][0]["line"], 8)
            self.assertEqual(checked[0]["no_effect"], ["result_schema"])

    def test_show_and_list(self):
        with hello_workspace() as workspace:
            shown = workspace.client("template", "show", "hello")
            self.assertEqual(shown.returncode, OK, shown.stderr)
            self.assertRegex(shown.stdout, r"(?m)^\.  shout  hello\.shout  3 +greet$")
            self.assertEqual(workspace.ask("template", "show", "hello")["steps"][1]["dependencies"], ["greet"])
            text = workspace.client("template", "show", "hello", "--yaml").stdout
            self.assertEqual(text, HELLO.read_text(encoding="utf-8"))
            (listed,) = workspace.ask("template", "list")["templates"]
            self.assertEqual((listed["name"], listed["in_store"], listed["changed"]), ("hello", False, False))
            self.assertIn("examples/hello", workspace.client("template", "list").stdout)
            self.assert_no_store(workspace)
            workspace.add_template("broken", "name: [\n")
            ended = workspace.client("template", "list")
            self.assertEqual(ended.returncode, BAD_INPUT)
            self.assertIn("broken.yaml", ended.stderr)
            self.assertIn("examples/hello", ended.stdout)


class Plugins(Cli):
    def test_list_has_the_handlers_of_each_file(self):
        with hello_workspace() as workspace:
            (plugin,) = workspace.ask("plugin", "list")["plugins"]
            self.assertEqual((plugin["name"], plugin["version"]), ("hello", "1.0.0"))
            self.assertEqual(plugin["file"], str((workspace.plugins / "hello.so").resolve()))
            self.assertEqual([handler["id"] for handler in plugin["handlers"]], ["hello.greet", "hello.shout"])
            self.assertRegex(workspace.client("plugin", "list").stdout, r"(?m)^hello 1\.0\.0 +hello\.greet ")

    def test_a_broken_plugin_fails_and_hides_no_other(self):
        with hello_workspace() as workspace:
            broken = workspace.plugins / "broken.so"
            broken.write_text("no library", encoding="utf-8")
            broken.chmod(0o755)
            ended = workspace.client("plugin", "list")
            self.assertEqual(ended.returncode, FAILED)
            self.assertIn("broken.so", ended.stderr)
            self.assertIn("hello.greet", ended.stdout)
            (error,) = json.loads(workspace.client("plugin", "list", "--json").stdout)["errors"]
            self.assertIn("broken.so", error)


class Status(Cli):
    def test_names_what_runs_and_what_is_missing(self):
        with hello_workspace() as workspace:
            self.assert_refused(workspace.client("status"), NOT_FOUND, "tasker.db")
            workspace.add_template("other", template_text("other", [Step("a", "none.such")]))
            workspace.submit("other")
            idle = workspace.client("status")
            self.assertEqual(idle.returncode, OK, idle.stderr)
            self.assertIn("No host runs", idle.stdout)
            host = workspace.start_host()
            host.until("the host is up", lambda: workspace.ask("status")["workers"])
            status = workspace.ask("status")
            (worker,) = status["workers"]
            self.assertEqual((worker["pid"], worker["alive"]), (host.pid, True))
            self.assertEqual(status["tasks"]["pending"], 1)
            self.assertEqual(status["steps"]["enqueued"], 1)
            (missing,) = status["missing_handlers"]
            self.assertEqual((missing["handler"], missing["steps"]), ("none.such", 1))
            self.assertEqual(status["store"]["path"], str((workspace.path / ".tasker" / "tasker.db").resolve()))
            self.assertGreater(status["store"]["file_bytes"], 0)
            # One step of another template runs to its end: the host's own counts move.
            before = (worker["turns"], worker["ended"])
            workspace.wait_settled(workspace.submit("hello", {"name": "x"}))
            (worker,) = workspace.ask("status")["workers"]
            self.assertGreater(worker["turns"], before[0])
            self.assertGreater(worker["ended"], before[1])
            self.assertEqual((worker["in_flight"], worker["not_ready"], worker["last_error"]), (0, "", ""))
            self.assertIsNone(worker["last_error_at"])
            self.assertGreater(worker["places"], 0)
            text = workspace.client("status").stdout
            self.assertIn("No running host has handler 'none.such'", text)
            self.assertRegex(text, rf"(?m)^\d+ +{host.pid} +running ")
            self.assertEqual(host.stop(), OK)


if __name__ == "__main__":
    unittest.main(verbosity=2)
