"""Running a whole workflow on a worker with a temporary store."""

from __future__ import annotations

import copy
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from tasker_core._execution import submit
from tasker_core.client import StepAuditResponse, StepResponse, TaskerClient, TaskResponse
from tasker_core.handler import HandlerRegistry
from tasker_core.template_discovery import HandlerDiscovery
from tasker_core.types import BootstrapConfig
from tasker_core.worker import Worker

__all__ = ["StepRun", "TaskRun", "WorkerForTests"]


@dataclass(frozen=True)
class StepRun:
    """A step of a settled task.

    Attributes:
        name: Name of the step.
        state: Its last state, for instance `complete` or `error`.
        attempts: How many attempts it took.
        result: What its handler returned, or None.
        history: The ends of its attempts, oldest first.
        uuid: Id of the step.
    """

    name: str
    state: str
    attempts: int
    result: Any
    history: list[StepAuditResponse]
    uuid: str


@dataclass(frozen=True)
class TaskRun:
    """A settled task.

    Attributes:
        task: The task as the client gives it.
        steps: Its steps by name.
    """

    task: TaskResponse
    steps: dict[str, StepRun] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """The task's state, for instance `complete` or `error`."""
        return self.task.status

    @property
    def complete(self) -> bool:
        """True if every step succeeded."""
        return self.task.status == "complete"

    def result(self, step: str) -> Any:
        """What a step's handler returned, or None."""
        return self.steps[step].result

    def attempts(self, step: str) -> int:
        """How many attempts a step took."""
        return self.steps[step].attempts

    def states(self) -> dict[str, str]:
        """The state of each step by name."""
        return {name: step.state for name, step in self.steps.items()}


class WorkerForTests:
    """A worker on a temporary store, with copies of templates whose back-off is nothing.

    A context manager: the store is deleted at its end. At most one runs in a process.

    Args:
        templates: Files or folders of templates, YAML texts, or templates as dicts.
        handlers: Packages to search for handlers, StepHandler classes, or decorated functions. Dotted callables of the
            templates that are none of these are imported.
        skip_back_off: Whether a failed step is tried again at once, whatever its template and its handler say.
        overrides: Keys of worker.toml, which is not read: `{"plugins.dirs": ["build"]}` loads native plugins, too.
    """

    def __init__(
        self,
        templates: Any = (),
        handlers: Any = (),
        *,
        skip_back_off: bool = True,
        overrides: dict[str, Any] | None = None,
    ) -> None:
        self._templates = _as_list(templates)
        self._handlers = _as_list(handlers)
        self._skip_back_off = skip_back_off
        self._overrides = overrides or {}
        self._folder: Path | None = None
        self._names: dict[str, tuple[str, str, str]] = {}
        self._registered: list[str] = []
        self.worker: Worker | None = None
        """The worker while it runs."""
        self.client = TaskerClient(initiator="test", source_system="tasker_core.testing")
        """A client of its store."""

    def __enter__(self) -> WorkerForTests:
        self.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Starts the worker.

        Raises:
            WorkerBootstrapError: It could not start, or a package could not be imported.
            RuntimeError: A worker runs in this process already.
        """
        if Worker.instance() is not None:
            raise RuntimeError("a worker runs in this process already; stop it before a test starts its own")
        self._folder = Path(tempfile.mkdtemp(prefix="tasker-test-"))
        try:
            (self._folder / "templates").mkdir()
            for number, template in enumerate(self._templates):
                self._add_template(template, number)
            packages = self._register_handlers()
            submit.ignore_retry_after = self._skip_back_off
            # Only what the test gives counts: a configuration file, variables or templates around it do not.
            (self._folder / "worker.toml").touch()
            self.worker = Worker.start(
                packages,
                BootstrapConfig(config_path=str(self._folder / "worker.toml")),
                auto_discover=False,
                strict=bool(packages),
                overrides={
                    "store.path": str(self._folder / "tasker.db"),
                    "store.synchronous": "normal",
                    "templates.paths": [str(self._folder / "templates")],
                    "worker.namespaces": [],
                    "plugins.dirs": [],
                    **self._overrides,
                },
            )
            self._import_callables(self._folder / "templates")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stops the worker and deletes its store. Idempotent."""
        worker, self.worker = self.worker, None
        if worker is not None:
            worker.stop()
        submit.ignore_retry_after = False
        registry = HandlerRegistry.instance(skip_bootstrap=True)
        for name in self._registered:
            registry.unregister(name)
        self._registered = []
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def run_task(
        self,
        template: Any,
        context: dict[str, Any] | None = None,
        *,
        timeout_s: float = 30.0,
        **kwargs: Any,
    ) -> TaskRun:
        """Creates a task, waits until it is settled and returns it with its steps.

        Args:
            template: One of the templates that the worker was made with, or `name`, `namespace/name` or
                `namespace/name/version`.
            context: The task's context.
            timeout_s: Seconds that the task may take.
            **kwargs: Further arguments of `TaskerClient.create_task`.

        Raises:
            TimeoutError: The task has not settled; the message tells the states of its steps.
        """
        namespace, name, version = self._identity(template)
        created = self.client.create_task(name, namespace=namespace, version=version, context=context, **kwargs)
        try:
            settled = self.client.wait_for_task(created.task_uuid, timeout_s)
        except TimeoutError as error:
            states = {s.name: s.current_state for s in self.client.list_task_steps(created.task_uuid)}
            raise TimeoutError(f"task {namespace}/{name} has not settled in {timeout_s:g} s: {states}") from error
        steps = [self._step(settled.task_uuid, step) for step in self.client.list_task_steps(settled.task_uuid)]
        return TaskRun(settled, {step.name: step for step in steps})

    def _step(self, task_uuid: str, listed: StepResponse) -> StepRun:
        step = self.client.get_step(task_uuid, listed.step_uuid)
        history = self.client.get_step_audit_history(task_uuid, step.step_uuid)
        return StepRun(
            name=step.name,
            state=step.current_state,
            attempts=len(history),
            result=step.results,
            history=history,
            uuid=step.step_uuid,
        )

    def _import_callables(self, templates: Path) -> None:
        """What `auto_discover` does, for the templates of the test alone."""
        registry = HandlerRegistry.instance(skip_bootstrap=True)
        before = set(registry.list_handlers())
        for name in HandlerDiscovery.discover_all_handlers(templates):
            registry.can_handle(name, None, None, import_allowed=True)
        self._registered += [name for name in registry.list_handlers() if name not in before]

    def _register_handlers(self) -> list[str]:
        packages: list[str] = []
        registry = HandlerRegistry.instance(skip_bootstrap=True)
        for handler in self._handlers:
            if isinstance(handler, str):
                packages.append(handler)
                continue
            cls = getattr(handler, "_handler_class", handler)
            name = getattr(cls, "handler_name", "")
            if not name:
                raise ValueError(f"{handler!r} has no handler_name")
            if not registry.is_registered(name):
                self._registered.append(name)
            registry.register(name, cls)
        return packages

    def _add_template(self, template: Any, number: int) -> None:
        for key, data in _load(template):
            identity = (
                str(data.get("namespace_name") or data.get("namespace") or "default"),
                str(data.get("name") or ""),
                str(data.get("version") or "1.0.0"),
            )
            self._names[key] = identity
            self._write(data, f"{number}-{len(self._names)}.yaml")

    def _write(self, data: dict[str, Any], name: str) -> None:
        import yaml

        data = copy.deepcopy(data)
        if self._skip_back_off:
            steps = data.get("steps")
            for step in steps if isinstance(steps, list) else []:
                if isinstance(step, dict):
                    step["retry"] = {**(step.get("retry") or {}), "backoff": "none", "backoff_base_ms": 0}
        if self._folder is not None:
            (self._folder / "templates" / name).write_text(yaml.safe_dump(data, sort_keys=False), "utf-8")

    def _identity(self, template: Any) -> tuple[str, str, str]:
        known = self._names.get(_key(template))
        if known is not None:
            return known
        parts = str(template).split("/")
        if len(parts) == 1:
            matches = [identity for identity in self._names.values() if identity[1] == parts[0]]
            return matches[0] if len(matches) == 1 else ("default", parts[0], "1.0.0")
        if len(parts) == 2:
            matches = [identity for identity in self._names.values() if list(identity[:2]) == parts]
            return matches[0] if len(matches) == 1 else (parts[0], parts[1], "1.0.0")
        return (parts[0], parts[1], "/".join(parts[2:]))


def _as_list(given: Any) -> list[Any]:
    if isinstance(given, (str, Path, dict, type)) or callable(given):
        return [given]
    return list(given) if isinstance(given, Iterable) else [given]


def _key(template: Any) -> str:
    return str(template) if isinstance(template, (str, Path)) else repr(template)


def _load(template: Any) -> list[tuple[str, dict[str, Any]]]:
    """The templates that a file, a folder, a YAML text or a dict holds, each with the key that finds it again."""
    import yaml

    if isinstance(template, dict):
        return [(_key(template), template)]
    if isinstance(template, str) and "\n" in template:
        return [(_key(template), dict(yaml.safe_load(template)))]
    path = Path(template)
    if path.is_dir():
        files = sorted([*path.rglob("*.yaml"), *path.rglob("*.yml")])
        return [(str(file), dict(yaml.safe_load(file.read_text("utf-8")))) for file in files]
    return [(_key(template), dict(yaml.safe_load(path.read_text("utf-8"))))]
