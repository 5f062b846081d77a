"""What lies around a test of a user's project does not reach its worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tasker_core import HandlerRegistry, StepHandler
from tasker_core.testing import WorkerForTests


def test_nothing_around_a_test_changes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration file, variables and templates of the user's project, all of which would hold the task up."""
    (tmp_path / "worker.toml").write_text('[worker]\nnamespaces = ["elsewhere"]\n')
    (tmp_path / "stray_of_the_project.py").write_text("raise SystemExit('imported')\n")
    (tmp_path / "config" / "tasks").mkdir(parents=True)
    (tmp_path / "config" / "tasks" / "stray.yaml").write_text(
        "{name: stray, namespace_name: golden, version: '1.0.0',"
        " steps: [{name: a, handler: {callable: stray_of_the_project.Handler}}]}"
    )
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "broken.so").write_text("no plugin")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("TASKER_CONFIG_PATH", str(tmp_path / "worker.toml"))
    monkeypatch.setenv("TASKER_NAMESPACE", "zzz")
    monkeypatch.setenv("TASKER_PLUGIN_PATH", str(tmp_path / "plugins"))

    class Here(StepHandler):
        handler_name = "here"

        def call(self, context: Any) -> Any:
            return self.success({"here": True})

    given = {
        "name": "around",
        "namespace_name": "golden",
        "version": "1.0.0",
        "steps": [{"name": "a", "handler": {"callable": "here"}}],
    }
    with WorkerForTests(given, Here) as tester:
        assert tester.run_task(given, timeout_s=10).result("a") == {"here": True}
        failures = HandlerRegistry.instance().import_failures
        assert not failures and HandlerRegistry.instance().list_handlers() == ["here"]
    assert list(tmp_path.glob(".tasker")) == []
