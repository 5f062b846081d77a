"""The pytest plugin: the fixtures `run_task` and `tasker_worker`.

It is loaded by itself where tasker-host is installed; else by `pytest_plugins = ["tasker_core.testing.plugin"]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tasker_core.testing.workflows import TaskRun, WorkerForTests

__all__ = ["run_task", "tasker_worker"]


@pytest.fixture
def tasker_worker() -> Iterator[Callable[..., WorkerForTests]]:
    """Starts a worker on a temporary store: `tasker_worker(templates, handlers)` returns a WorkerForTests.

    Called again with the same arguments it returns the one that runs, with others it starts anew. The worker is
    stopped at the end of the test.
    """
    running: list[tuple[str, WorkerForTests]] = []

    def start(templates: Any = (), handlers: Any = (), **kwargs: Any) -> WorkerForTests:
        key = repr((templates, handlers, kwargs))
        if running and running[-1][0] == key:
            return running[-1][1]
        while running:
            running.pop()[1].stop()
        worker = WorkerForTests(templates, handlers, **kwargs)
        worker.start()
        running.append((key, worker))
        return worker

    yield start
    while running:
        running.pop()[1].stop()


@pytest.fixture
def run_task(tasker_worker: Callable[..., WorkerForTests]) -> Callable[..., TaskRun]:
    """Runs a workflow to its end: `run_task(template, context, handlers=...)` returns a TaskRun.

    `template` is a file, a YAML text or a dict; `handlers` packages, classes or decorated functions. Further
    arguments go to `WorkerForTests.run_task`.
    """

    def run(template: Any, context: dict[str, Any] | None = None, *, handlers: Any = (), **kwargs: Any) -> TaskRun:
        return tasker_worker(template, handlers).run_task(template, context, **kwargs)

    return run
