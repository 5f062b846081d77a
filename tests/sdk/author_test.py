#!/usr/bin/python3
"""What a plugin's author does who has the installed SDK and nothing of this tree: `plugin new` and the commands that it
names, and the examples of examples/plugins, each built and run under tasker-host."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "tests" / "support"))

import installed  # noqa: E402
from workspace import HOST, Workspace  # noqa: E402

EXAMPLES = TREE / "examples" / "plugins"


def run(*command, cwd):
    """With nothing of the caller's environment but the PATH."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(cwd), "CMAKE_PREFIX_PATH": str(PREFIX)}
    return installed.run(*command, cwd=cwd, env=environment)


def setUpModule():
    global FOLDER, PREFIX
    FOLDER = installed.install("dev")
    PREFIX = FOLDER / "prefix"


def build(project):
    """Builds a project with the installed SDK; warnings are errors."""
    flags = "-Wall -Wextra -Wpedantic -Werror"
    run("cmake", "-B", "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", f"-DCMAKE_C_FLAGS={flags}",
        f"-DCMAKE_CXX_FLAGS={flags}", cwd=project)
    run("cmake", "--build", "build", cwd=project)
    return project / "build"


def run_workflow(project, context, *libraries, config=""):
    """The results of a project's workflow, of the steps that nothing depends on, under a real host."""
    template = next(project.glob("*.yaml"))
    with Workspace(config=config) as workspace:
        for library in libraries:
            workspace.add_plugin(library)
        host = workspace.start_host()
        task = workspace.ask("submit", str(template), "--context", json.dumps(context), "--wait")
        host.stop()
    if task["state"] != "complete":
        raise AssertionError(f"the workflow of {project.name} ended as {json.dumps(task)}")
    return task["results"]


class PluginNew(unittest.TestCase):
    def make(self, name, *options):
        printed = run(HOST, "plugin", "new", name, *options, cwd=FOLDER)
        self.assertIn(f"cd {name}\n", printed)
        project = FOLDER / name
        built = build(project)
        run("ctest", "--test-dir", "build", "--output-on-failure", cwd=project)
        self.assertIn(name, run(HOST, "plugin", "list", "--config", "worker.toml", cwd=project))
        self.assertFalse([path for path in project.rglob("*") if path.is_file() and "build" not in path.parts
                          and "@" in path.read_text(encoding="utf-8")], "files with a mark that was not replaced")
        return project, built

    def test_a_new_cpp_plugin_builds_tests_itself_and_runs(self):
        project, built = self.make("billing")
        results = run_workflow(project, {"name": "you"}, built / "billing.so",
                               config='[plugin.billing]\ngreeting = "Good day"\n')
        self.assertEqual(results, {"count": {"bytes": len("Good day, you!")}})

    def test_a_new_c_plugin_with_an_odd_name_does_as_well(self):
        project, built = self.make("9.odd-name_", "--lang", "c")
        results = run_workflow(project, {"name": "you"}, built / "9.odd-name_.so")
        self.assertGreater(results["count"]["bytes"], len('{"greet":{"name":"you"}}'))

    def refusal(self, *arguments):
        done = subprocess.run([HOST, "plugin", "new", *arguments], cwd=FOLDER, capture_output=True, text=True,
                              timeout=60)
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        return done.returncode, done.stderr

    def test_what_is_no_name_is_refused(self):
        before = sorted(FOLDER.iterdir())
        for name in ("Billing", "a b", "../x", "a/b", ".hidden", "_x", "", "x" * 101, "é"):
            code, sentence = self.refusal(name)
            self.assertEqual(code, 65, name)
            self.assertIn("use 1 to 100 of a-z, 0-9, '_', '.' and '-'", sentence)
        for name in ("test", "clean", "all"):
            self.assertIn("has a target of that name", self.refusal(name)[1])
        self.assertEqual(self.refusal("x", "--lang", "cobol")[0], 64)
        self.assertEqual(sorted(FOLDER.iterdir()), before)

    def test_a_folder_that_exists_is_left_alone(self):
        (FOLDER / "taken").mkdir()
        code, sentence = self.refusal("taken")
        self.assertEqual(code, 69)
        self.assertIn("taken exists already in this folder; remove it or choose another name", sentence)
        self.assertEqual(list((FOLDER / "taken").iterdir()), [])


class Examples(unittest.TestCase):
    def build_copy(self, name):
        project = FOLDER / f"example_{name}"
        shutil.copytree(EXAMPLES / name, project)
        return project, build(project)

    def test_every_example_is_tested_here(self):
        self.assertEqual({path.name for path in EXAMPLES.iterdir() if path.is_dir()},
                         {"c", "cpp", "async", "private_library"})

    def test_c(self):
        project, built = self.build_copy("c")
        results = run_workflow(project, {"a": 1, "b": 2}, built / "c_example.so")
        self.assertEqual(results, {"measure": {"bytes": 16, "commas": 1}})

    def test_cpp(self):
        project, built = self.build_copy("cpp")
        outbox = FOLDER / "outbox.jsonl"
        context = {"lines": [{"price": 10, "count": 2}, {"price": 5}], "outbox": str(outbox)}
        results = run_workflow(project, context, built / "cpp_example.so", config="[plugin.cpp_example]\ntax = 0.5\n")
        self.assertEqual(results, {"send": {"sent": 2, "gross": 37.5}})
        lines = [json.loads(line) for line in outbox.read_text(encoding="utf-8").splitlines()]
        self.assertEqual([line["line"]["price"] for line in lines], [10, 5])

    def test_async(self):
        project, built = self.build_copy("async")
        results = run_workflow(project, {"text": "hello"}, built / "async_example.so")
        self.assertEqual(results, {"first": {"text": "HELLO"}, "second": {"text": "HELLO"}})

    def test_private_library(self):
        project, built = self.build_copy("private_library")
        results = run_workflow(project, {"km": 10}, built / "private_library_example.so", built / "libfares.so.1")
        self.assertEqual(results, {"price": {"cents": 460}})


if __name__ == "__main__":
    unittest.main(verbosity=2)
