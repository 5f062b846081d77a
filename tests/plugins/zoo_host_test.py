#!/usr/bin/python3
"""A host beside the zoo: every plugin of which zoo_table.py says that a host contains it lies in its plugin folder."""

import pathlib
import sys
import unittest

TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TREE / "tests" / "support"), str(TREE / "tests" / "plugins")]

from template_text import Step, template_text  # noqa: E402
from workspace import Workspace  # noqa: E402
from zoo_table import HERE, PLUGINS, ROWS  # noqa: E402

ABANDONED = 75
# Handler -> the type of its error; None: it completes. What never ends or never releases has to wait for the end.
ENDS = {"ends.twice": None, "ends.after_release": None, "ends.released_twice": None, "ends.from_thread": None,
        "ends.never": "tasker.dropped", "ends.no_json": "InvalidResult", "ends.no_utf8": "InvalidResult",
        "ends.refuses": "tasker.refused", "zoo_start_throws.works": "tasker.refused", "throws.other": "Exception",
        "throws.no_exception": "Exception"}


class HostBesideTheZoo(unittest.TestCase):
    def test_it_serves_the_good_plugins_and_answers_for_the_bad_ones(self):
        zoo = sorted({row.plugin for row in ROWS if row.contained == HERE and not row.spoil})
        with Workspace(config="[worker]\ndrain = \"1s\"\n") as workspace:
            for plugin in zoo:
                workspace.add_plugin(PLUGINS / "zoo" / f"{plugin}.so")
            workspace.add_plugin(PLUGINS / "hello_c.so")
            once = "{max_attempts: 1}"
            steps = [Step(f"step_{n}", handler, retry=once) for n, handler in enumerate(ENDS)]
            workspace.add_template("zoo", template_text("zoo", steps + [Step("hello", "hello.c_greet")]))
            host = workspace.start_host()
            shown = workspace.wait_settled(workspace.submit("zoo"))
            handlers = {step["name"]: step["handler"] for step in shown["steps"]}
            errors = {handlers[attempt["step"]]: attempt["error"] and attempt["error"]["type"]
                      for attempt in shown["attempts"]}
            self.assertEqual(errors, ENDS | {"hello.c_greet": None})
            logged = [line["message"] for line in host.log() if line["level"] in ("warning", "error")]
            refused = {row.plugin for row in ROWS if row.plugin in zoo and "its init failed" in row.answer
                       and "second" not in row.defect}
            for plugin in refused | {"zoo_no_entry", "zoo_size_zero", "zoo_undefined_symbol"}:
                about = [message for message in logged if f"/{plugin}.so: " in message]
                self.assertEqual(len(about), 1, (plugin, about))
            # Drains that hang are left behind, and named.
            self.assertEqual(host.stop(), ABANDONED)
            self.assertTrue(host.log("its drain has not returned"))


if __name__ == "__main__":
    unittest.main()
