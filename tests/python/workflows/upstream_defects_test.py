"""What upstream's worker got wrong and this one does not, on the real host: tasker-py-api.md section 5, by number."""

from __future__ import annotations

import asyncio
import sys
import threading
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tasker_core import (
    BasePublisher,
    BaseSubscriber,
    EventBridge,
    EventNames,
    HandlerRegistry,
    StepHandler,
    Worker,
    get_metrics,
    log_info,
)
from tasker_core.domain_events import PublisherRegistry, SubscriberRegistry
from tasker_core.testing import WorkerForTests


def template(*callables: str, **handler: Any) -> dict[str, Any]:
    """Steps in a row, one for each handler."""
    steps: list[dict[str, Any]] = []
    for number, name in enumerate(callables):
        before = [f"s{number - 1}"] if number else []
        steps.append({"name": f"s{number}", "handler": {"callable": name, **handler}, "dependencies": before})
    return {"name": "defect", "namespace_name": "golden", "version": "1.0.0", "steps": steps}


class Versioned(StepHandler):
    """Tells how it was called."""

    handler_name = "defects.versioned"
    handler_version = "3.1.4"

    def call(self, context: Any) -> Any:
        log_info("it was called", {"colour": "green"})
        return self.success({"by": "call"})

    async def later(self, context: Any) -> Any:
        await asyncio.sleep(0)
        return self.success({"by": "later"})


class ReadsVersion(StepHandler):
    """Returns the metadata of the step before it."""

    handler_name = "defects.reads"

    def call(self, context: Any) -> Any:
        whole = context.task_sequence_step.dependency_results.get_result("s0")
        return self.success({"metadata": whole["metadata"]})


def test_14_an_async_method_is_awaited() -> None:
    with WorkerForTests([template("defects.versioned", method="later")], [Versioned]) as tester:
        assert tester.run_task("golden/defect").result("s0") == {"by": "later"}


MODULE = """
from tasker_core import StepHandler

class Configured(StepHandler):
    def __init__(self, config):
        self.rate = config["rate"]
    def call(self, context):
        return self.success({"rate": self.rate})

class Breaks(StepHandler):
    def __init__(self):
        raise TypeError("inside its constructor")
    def call(self, context):
        return {}

class NoHandler:
    made = []
    def __init__(self):
        self.made.append(1)
    def call(self, context):
        return {}
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A module `defects_shop` that templates name classes of."""
    (tmp_path / "defects_shop.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("defects_shop", None)


def test_21_the_initialization_reaches_the_constructor(shop: None) -> None:
    given = template("defects_shop.Configured", initialization={"rate": 7})
    with WorkerForTests([given]) as tester:
        assert tester.run_task("golden/defect").result("s0") == {"rate": 7}


def test_21_a_constructor_that_raises_is_named_and_no_other_class_is_made(shop: None, capfd: Any) -> None:
    with WorkerForTests([template("defects_shop.Breaks")]) as tester:
        task = tester.client.create_task("defect", namespace="golden")
        ended = tester.client.wait_for_task(task.task_uuid, 10)
        step = tester.client.list_task_steps(ended.task_uuid)[0]
        history = tester.client.get_step_audit_history(ended.task_uuid, step.step_uuid)
        assert history[-1].result is not None and "inside its constructor" in history[-1].result["message"]
    with WorkerForTests([template("defects_shop.NoHandler")]) as tester:
        task = tester.client.create_task("defect", namespace="golden")
        with pytest.raises(TimeoutError):
            tester.client.wait_for_task(task.task_uuid, 0.2)
        # It waits for a worker that has such a handler, instead of being burnt here.
        step = tester.client.list_task_steps(task.task_uuid)[0]
        assert (step.current_state, step.attempts) == ("enqueued", 0)
    assert sys.modules["defects_shop"].NoHandler.made == []


class Loud(BasePublisher):
    """Is really called."""

    publisher_name = "defects.loud"  # type: ignore[assignment]

    def transform_payload(self, ctx: Any) -> dict[str, Any]:
        return {"loud": ctx.result["by"].upper()}


class Twice(BaseSubscriber):
    """Two of its patterns match one event."""

    events: list[dict[str, Any]] = []
    came = threading.Event()

    @classmethod
    def subscribes_to(cls) -> list[str]:
        return ["order.*", "*.placed"]

    def handle(self, event: dict[str, Any]) -> None:
        Twice.events.append(event)
        Twice.came.set()


def test_22_publishers_are_invoked_and_subscribers_hear_an_event_once() -> None:
    declared = template("defects.versioned")
    declared["steps"][0]["publishes_events"] = [
        {"name": "order.placed", "condition": "success", "publisher": "defects.loud", "schema": {"type": "object"}}
    ]
    PublisherRegistry.instance().register(Loud())
    SubscriberRegistry.instance().register(Twice)
    try:
        with WorkerForTests([declared], [Versioned]) as tester:
            assert tester.run_task("golden/defect").complete and Twice.came.wait(10)
        # The worker has stopped: what was published has been handled.
        assert SubscriberRegistry.instance().active_count == 0
        (event,) = Twice.events
        assert event["payload"] == {"loud": "CALL"} and event["execution_result"]["result"] == {"by": "call"}
    finally:
        PublisherRegistry.reset()
        SubscriberRegistry.reset()


def test_23_figures_are_true_and_registrations_and_log_fields_are_told(capfd: Any) -> None:
    registered: list[str] = []
    bridge = EventBridge.instance()
    bridge.start()
    bridge.subscribe(EventNames.HANDLER_REGISTERED, lambda name, _: registered.append(name))
    handlers = [Versioned, ReadsVersion]
    with WorkerForTests([template("defects.versioned", "defects.reads")], handlers) as tester:
        assert tester.run_task("golden/defect").complete and tester.worker is not None
        metrics, by_handler = get_metrics(), tester.worker.status()["by_handler"]
    assert registered == ["defects.versioned", "defects.reads"]
    assert (metrics.steps_processed, metrics.steps_succeeded, metrics.steps_failed) == (2, 2, 0)
    assert by_handler["defects.versioned"]["succeeded"] >= 1 and by_handler["defects.versioned"]["max_ms"] > 0
    lines = [line for line in capfd.readouterr().err.splitlines() if "it was called" in line]
    assert lines and all("green" in line for line in lines)


@pytest.mark.parametrize("environment", ["test", "production", None])
def test_26_no_environment_changes_what_is_discovered(
    environment: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if environment is None:
        monkeypatch.delenv("TASKER_ENV", raising=False)
    else:
        monkeypatch.setenv("TASKER_ENV", environment)
    module = types.ModuleType("defects_step_handlers_for_test")
    module.Stray = type("Stray", (Versioned,), {"handler_name": "defects.stray", "__module__": module.__name__})
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setenv("TASKER_TEMPLATE_PATH", str(tmp_path))
    HandlerRegistry.reset_instance()
    with WorkerForTests([template("defects.versioned")], [Versioned]):
        assert Worker.instance() is not None
        assert HandlerRegistry.instance().list_handlers() == ["defects.versioned"]
    HandlerRegistry.reset_instance()


def test_28_the_version_of_a_handler_is_in_the_metadata_of_its_result() -> None:
    with WorkerForTests([template("defects.versioned", "defects.reads")], [Versioned, ReadsVersion]) as tester:
        assert tester.run_task("golden/defect").result("s1")["metadata"]["handler_version"] == "3.1.4"
