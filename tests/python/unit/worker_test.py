"""The worker's life: start, stop, concurrency, failures."""

from __future__ import annotations

from typing import Any

from tasker_core import HandlerRegistry, StepHandler, Worker


class Doubles(StepHandler):
    handler_name = "doubles"

    def call(self, context: Any) -> Any:
        return self.success({"value": context.get_input("n") * 2})


def test_a_step_is_executed(host: Any, event: Any) -> None:
    HandlerRegistry.instance(skip_bootstrap=True).register("doubles", Doubles)
    with Worker.start() as worker:
        assert worker.is_running and worker.worker_id == "python-worker-1"
        host.put(event("doubles", context={"n": 21}))
        host.wait_ended(1)
    assert host.completed[0]["result"] == {"value": 42}
    assert host.completed[0]["metadata"]["handler_version"] == "1.0.0"
    assert not worker.is_running and Worker.instance() is None
