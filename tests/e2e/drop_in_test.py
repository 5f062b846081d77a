#!/usr/bin/python3
"""A ten-line plugin in C++ and one in C, compiled outside the tree by the plain compilers, dropped into a folder, and
run by a template written on the spot."""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "tests" / "support"))

from template_text import Step, template_text  # noqa: E402
from workspace import Workspace  # noqa: E402

IN_CPP = r"""#include <tasker/plugin.hpp>
TASKER_PLUGIN("measure", "0.1.0", p) {
  p.handler("measure.length", [](const tasker_step& step, tasker::Call&) {
    if (tasker::view(step.context) == "{}") throw tasker::PermanentError("there is nothing to measure");
    return std::to_string(tasker::view(step.context).size());
  });
}
"""

IN_C = r"""#include <tasker/plugin.h>
static const tasker_host *host;

static tasker_status pass_on(void *self, const tasker_step *step, tasker_call *call, tasker_error *error) {
  (void)self, (void)error;
  tasker_success end = {.size = sizeof end, .result = step->dependencies};
  end.result.release = NULL; /* The text is the host's own. */
  host->complete(call, &end);
  host->release(call);
  return TASKER_OK;
}

static const tasker_handler_ops ops = {.size = sizeof ops, .start = pass_on};
static const tasker_handler handler = {.size = sizeof handler, .id = {"relay.pass_on", 13}, .ops = &ops};

static tasker_status init(const tasker_host *h, tasker_plugin *p, tasker_bytes config, void **state, tasker_error *e) {
  (void)config, (void)state;
  host = h;
  return h->register_handler(p, &handler, e);
}

static const tasker_plugin_entry entry = {.size = sizeof entry, .name = {"relay", 5}, .init = init};
const tasker_plugin_entry *tasker_plugin_v1(void) { return &entry; }
"""

TEMPLATE = template_text("dropped", [Step("measure", "measure.length"), Step("relay", "relay.pass_on", ("measure",))])


def compile_plugin(folder, name, text, *compiler):
    """The library, made where nothing of the tree is but the SDK's headers."""
    source, library = folder / name, (folder / name).with_suffix(".so")
    source.write_text(text, encoding="utf-8")
    command = [*compiler, "-shared", "-fPIC", "-I", TREE / "sdk" / "include", source, "-o", library]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0 or done.stderr:
        raise AssertionError(f"{name} does not compile without a word: {done.stderr}")
    return library


class DropIn(unittest.TestCase):
    def test_the_plugins_are_short(self):
        self.assertLessEqual(len(IN_CPP.splitlines()), 10)
        self.assertLessEqual(len(IN_C.splitlines()), 25)

    def test_dropped_libraries_run_a_template_written_on_the_spot(self):
        with tempfile.TemporaryDirectory(prefix="tasker_outside_") as name, Workspace() as workspace:
            outside = pathlib.Path(name)
            workspace.add_plugin(compile_plugin(outside, "measure.cc", IN_CPP, "g++", "-std=c++17", "-Wall", "-Wextra"))
            workspace.add_plugin(compile_plugin(outside, "relay.c", IN_C, "gcc", "-std=c11", "-Wall", "-Wextra"))
            workspace.add_template("dropped", TEMPLATE)
            host = workspace.start_host()
            task = workspace.ask("submit", "dropped", "--wait", "--context", '{"word":"durable"}')
            self.assertEqual(task["state"], "complete")
            # 18 is what {"word":"durable"} measures; the C plugin passes on all that it was given.
            measured = task["results"]["relay"]["measure"]
            self.assertEqual(measured["result"], 18)
            self.assertTrue(measured["success"])
            self.assertEqual(host.stop(), 0)

    def test_a_failure_of_a_dropped_handler_blocks_its_task(self):
        with tempfile.TemporaryDirectory(prefix="tasker_outside_") as name, Workspace() as workspace:
            workspace.add_plugin(compile_plugin(pathlib.Path(name), "measure.cc", IN_CPP, "g++", "-std=c++17"))
            workspace.add_template("dropped", TEMPLATE)
            workspace.start_host()
            ended = workspace.client("submit", "dropped", "--wait", "--context", "{}")
            self.assertEqual(ended.returncode, 1, ended.stderr)
            self.assertIn("there is nothing to measure", ended.stderr)


    def test_the_readmes_plugin_and_workflow_do_what_it_says(self):
        readme = (TREE / "README.md").read_text(encoding="utf-8")
        plugin, workflow = (re.search(rf"```{kind}\n(.*?)```", readme, re.DOTALL)[1] for kind in ("cpp", "yaml"))
        with tempfile.TemporaryDirectory(prefix="tasker_outside_") as name, Workspace() as workspace:
            workspace.add_plugin(compile_plugin(pathlib.Path(name), "greetings.cc", plugin, "g++", "-std=c++17"))
            workspace.add_template("welcome", workflow)
            workspace.start_host()
            task = workspace.ask("submit", "welcome", "--wait", "--context", '{"name":"you"}')
            self.assertEqual(task["results"], {"again": {"hello": "you"}})


if __name__ == "__main__":
    unittest.main(verbosity=2)
