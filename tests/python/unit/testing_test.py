"""tasker_core.testing: handlers without a store, and the worker of the fixtures."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import tasker_core
import yaml
from tasker_core import HandlerRegistry, PermanentError, StepHandler, Worker
from tasker_core._execution import submit
from tasker_core.step_handler import depends_on, inputs, step_handler
from tasker_core.testing import WorkerForTests, make_context, run_handler

pytest_plugins = ["tasker_core.testing.plugin"]


class Doubles(StepHandler):
    handler_name = "doubles"

    def call(self, context: Any) -> Any:
        if context.get_input("n") is None:
            raise PermanentError("n is missing", error_code="N")
        return {"value": context.get_input("n") * 2, "attempt": context.attempt}

    async def later(self, context: Any) -> Any:
        await asyncio.sleep(0)
        return self.success({"by": context.get_config("who")})


@step_handler("total")
@depends_on(cart="cart")
@inputs("tax")
def total(cart: Any, tax: float) -> Any:
    return {"total": cart["sum"] * (1 + tax)}


def test_a_handler_runs_without_a_store() -> None:
    assert run_handler(Doubles, {"n": 4}, attempt=2).result == {"value": 8, "attempt": 2}
    assert run_handler(Doubles(), make_context({"n": 4})).is_success
    failed = run_handler(Doubles)
    assert not failed.retryable and failed.error_code == "N" and failed.error_type == "PermanentError"
    assert run_handler(Doubles, method="later", config={"who": "me"}).result == {"by": "me"}
    assert run_handler(total, {"tax": 0.5}, dependencies={"cart": {"sum": 10}}).result == {"total": 15.0}


@pytest.mark.parametrize("error", [SystemExit(3), asyncio.CancelledError("left"), GeneratorExit("odd")])
def test_what_a_worker_survives_is_a_failure_here_too(error: BaseException) -> None:
    class Leaves(StepHandler):
        handler_name = "leaves"

        def call(self, context: Any) -> Any:
            raise error

        async def later(self, context: Any) -> Any:
            raise error

    for method in ("call", "later"):
        failed = run_handler(Leaves, method=method)
        assert not failed.is_success and failed.retryable and failed.error_type == type(error).__name__


def test_a_registered_name_runs_too() -> None:
    HandlerRegistry.instance(skip_bootstrap=True).register("doubles", Doubles)
    assert run_handler("doubles", {"n": 1}).result["value"] == 2
    with pytest.raises(LookupError, match="'nobody'"):
        run_handler("nobody")


TEMPLATE = {
    "name": "order",
    "namespace_name": "shop",
    "version": "2.0.0",
    "steps": [
        {"name": "a", "handler": {"callable": "doubles"},
         "retry": {"max_attempts": 3, "backoff": "exponential", "backoff_base_ms": 5000}}
    ],
}  # fmt: skip


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A store of one task that is complete at once."""
    asked: list[Any] = []
    native = tasker_core._native
    step = {"name": "a", "step_uuid": "s", "current_state": "complete", "attempts": 2}
    monkeypatch.setattr(native, "client_create_task", lambda r: asked.append(r) or {"task_uuid": "t"})
    monkeypatch.setattr(native, "_client_wait", lambda t, s: {"task_uuid": t, "status": "complete"})
    monkeypatch.setattr(native, "client_list_task_steps", lambda t: [step])
    monkeypatch.setattr(native, "client_get_step", lambda t, s: {**step, "results": {"v": 1}})
    monkeypatch.setattr(native, "client_get_step_audit_history", lambda t, s: [{"success": True}])
    return asked


def test_a_workflow_is_tested_in_three_lines(run_task: Any, store: Any, host: Any, tmp_path: Path) -> None:
    (tmp_path / "order.yaml").write_text(yaml.safe_dump(TEMPLATE))
    run = run_task(tmp_path / "order.yaml", {"n": 4}, handlers=[Doubles])
    assert run.complete and run.result("a") == {"v": 1} and run.attempts("a") == 1
    assert run.states() == {"a": "complete"} and run.steps["a"].history[0].success
    assert (store[0]["namespace"], store[0]["name"], store[0]["version"]) == ("shop", "order", "2.0.0")
    assert store[0]["context"] == {"n": 4} and host.handlers["doubles"] == ("1.0.0", 0, False, False)


def test_the_worker_has_a_store_of_its_own_and_no_back_off(host: Any, store: Any) -> None:
    with WorkerForTests([TEMPLATE, yaml.safe_dump({**TEMPLATE, "name": "other"})], [Doubles, total]) as worker:
        overrides = host.config["overrides"]
        folder = Path(overrides["templates.paths"][0])
        written = [yaml.safe_load(path.read_text()) for path in sorted(folder.iterdir())]
        assert [w["name"] for w in written] == ["order", "other"]
        assert written[0]["steps"][0]["retry"] == {"max_attempts": 3, "backoff": "none", "backoff_base_ms": 0}
        assert TEMPLATE["steps"][0]["retry"]["backoff"] == "exponential"  # type: ignore[index]
        assert submit.ignore_retry_after and HandlerRegistry.instance().is_registered("total")
        worker.run_task("other")
        assert store[-1]["namespace"] == "shop"
        with pytest.raises(RuntimeError, match="runs in this process already"):
            WorkerForTests().start()
    assert not folder.exists() and Worker.instance() is None and not submit.ignore_retry_after
    assert not HandlerRegistry.instance().is_registered("total")


def test_a_package_that_is_missing_fails_the_test(host: Any) -> None:
    with pytest.raises(tasker_core.WorkerBootstrapError, match=r"no\.such\.package"):
        WorkerForTests(TEMPLATE, "no.such.package").start()
    assert host.bootstraps == 0


def test_a_task_that_does_not_settle_tells_its_steps(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> Any:
        raise TimeoutError

    monkeypatch.setattr(tasker_core._native, "_client_wait", never)
    with WorkerForTests(TEMPLATE, Doubles) as worker, pytest.raises(TimeoutError, match=r"'a': 'complete'"):
        worker.run_task("shop/order", timeout_s=0.1)
