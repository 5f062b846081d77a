"""Puts the fake native module in place of the real one and gives each test a fresh process state."""

from __future__ import annotations

import importlib.util
import sys
import types
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parents[2] / "plugins" / "python" / "tasker_core"


def _load(name: str, path: Path) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def install_fake() -> types.ModuleType:
    """Makes `import tasker_core` find the source tree and the fake native module."""
    sys.path.insert(0, str(PACKAGE.parent))
    version = types.ModuleType("tasker_core_version")
    version.VERSION = _load("_version_of_tasker_core", PACKAGE / "_version.py").__version__
    sys.modules["tasker_core_version"] = version
    return _load("tasker_core._tasker_core", HERE / "fake_native.py")


fake = install_fake()

import tasker_core  # noqa: E402 - only after the fake is in place
from tasker_core._execution import announce  # noqa: E402


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The fake host, new for each test, and a package without leftovers."""
    monkeypatch.delenv("TASKER_ENV", raising=False)
    monkeypatch.delenv("TASKER_TEMPLATE_PATH", raising=False)
    fake.host.reset()
    yield fake.host
    fake.host.drain_s = 0.5
    tasker_core.Worker.reset_instance()
    fake.host.running = False
    tasker_core.HandlerRegistry.reset_instance()
    tasker_core.EventBridge.reset_instance()
    announce._attached.clear()
    tasker_core._fork._open.clear()
    announce._announced.clear()
    announce._refused.clear()


def make_event(
    handler: str = "noop",
    *,
    context: dict[str, Any] | None = None,
    method: str | None = None,
    resolver: str | None = None,
    initialization: dict[str, Any] | None = None,
    dependencies: dict[str, Any] | None = None,
    attempts: int = 0,
    timeout_s: float | None = None,
    publishes: list[Any] | None = None,
    **workflow_step: Any,
) -> dict[str, Any]:
    """The dict of an FfiStepEvent as the host makes it."""
    task_uuid, step_uuid, correlation = (str(uuid.uuid4()) for _ in range(3))
    return {
        "event_id": str(uuid.uuid4()),
        "task_uuid": task_uuid,
        "step_uuid": step_uuid,
        "correlation_id": correlation,
        "task_correlation_id": correlation,
        "task_sequence_step": {
            "task": {
                "task": {"task_uuid": task_uuid, "context": context or {}, "correlation_id": correlation},
                "task_name": "orders",
                "task_version": "1.0.0",
                "namespace_name": "shop",
            },
            "workflow_step": {
                "workflow_step_uuid": step_uuid,
                "task_uuid": task_uuid,
                "name": "step",
                "template_step_name": "step",
                "attempts": attempts,
                "max_attempts": 3,
                "inputs": None,
                **workflow_step,
            },
            "dependency_results": {k: {"result": v, "success": True} for k, v in (dependencies or {}).items()},
            "step_definition": {
                "name": "step",
                "handler": {
                    "callable": handler,
                    "method": method,
                    "resolver": resolver,
                    "initialization": initialization or {},
                },
                "publishes_events": publishes or [],
                "timeout_seconds": timeout_s,
            },
        },
        "_attempt": attempts + 1,
        "_deadline_s": timeout_s,
        "_idempotency_key": f"key-{step_uuid}",
        "_handler": handler,
        "_method": method,
        "_resolver": resolver,
    }


@pytest.fixture
def event() -> Callable[..., dict[str, Any]]:
    """Makes events; see make_event."""
    return make_event
