"""Creating, reading, waiting for and cancelling tasks."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar, cast

from tasker_core import _fork
from tasker_core import _tasker_core as native
from tasker_core._tasker_core import TaskNotFoundError

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

__all__ = [
    "HealthResponse",
    "PaginationInfo",
    "StepAuditResponse",
    "StepResponse",
    "TaskListResponse",
    "TaskNotFoundError",
    "TaskResponse",
    "TaskerClient",
]

_T = TypeVar("_T")

_DAY_S = 86_400.0  # The native module waits no longer at a time.

_REQUEST = (
    *("name", "namespace", "version", "context", "initiator", "source_system", "reason", "tags", "priority"),
    *("correlation_id", "parent_correlation_id", "idempotency_key", "requested_at", "options"),
)

_SETTLED = frozenset({"complete", "error", "cancelled", "resolved_manually", "blocked_by_failures"})


def _known(cls: type[_T], data: dict[str, Any]) -> _T:
    # Keys that this version does not know are ignored, missing ones keep their defaults.
    names = {item.name for item in fields(cls)}  # type: ignore[arg-type]
    return cls(**{key: value for key, value in data.items() if key in names})


@dataclass(frozen=True)
class PaginationInfo:
    """Which part of a list this is."""

    page: int = 0
    per_page: int = 50
    total_count: int = 0
    total_pages: int = 0
    has_next: bool = False
    has_previous: bool = False

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> PaginationInfo:
        """From the native module's answer; missing keys get defaults."""
        return _known(cls, data)


@dataclass(frozen=True)
class TaskResponse:
    """A task: its request, its state and the counts of its steps."""

    task_uuid: str = ""
    name: str = ""
    namespace: str = ""
    version: str = ""
    status: str = ""
    created_at: str = ""
    updated_at: str = ""
    completed_at: str | None = None
    context: dict[str, Any] = field(default_factory=dict)
    initiator: str = ""
    source_system: str = ""
    reason: str = ""
    priority: int | None = None
    tags: list[str] | None = None
    correlation_id: str = ""
    parent_correlation_id: str | None = None
    total_steps: int = 0
    pending_steps: int = 0
    in_progress_steps: int = 0
    completed_steps: int = 0
    failed_steps: int = 0
    ready_steps: int = 0
    execution_status: str = ""
    recommended_action: str = ""
    completion_percentage: float = 0.0
    health_status: str = ""
    steps: list[dict[str, Any]] = field(default_factory=list)

    @property
    def settled(self) -> bool:
        """Whether nothing more happens in it without a person."""
        return self.status in _SETTLED

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> TaskResponse:
        """From the native module's answer; missing keys get defaults."""
        return _known(cls, data)


@dataclass(frozen=True)
class TaskListResponse:
    """One page of tasks."""

    tasks: list[TaskResponse] = field(default_factory=list)
    pagination: PaginationInfo = field(default_factory=PaginationInfo)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> TaskListResponse:
        """From the native module's answer; missing keys get defaults."""
        pagination = data.get("pagination")
        return cls(
            tasks=[TaskResponse.from_dict(t) if isinstance(t, dict) else t for t in data.get("tasks") or []],
            pagination=PaginationInfo.from_dict(pagination if isinstance(pagination, dict) else {}),
        )


@dataclass(frozen=True)
class StepResponse:
    """A step: its state, its attempts and its result."""

    step_uuid: str = ""
    task_uuid: str = ""
    name: str = ""
    created_at: str = ""
    updated_at: str = ""
    completed_at: str | None = None
    results: dict[str, Any] | None = None
    current_state: str = ""
    dependencies_satisfied: bool = False
    retry_eligible: bool = False
    ready_for_execution: bool = False
    total_parents: int = 0
    completed_parents: int = 0
    attempts: int = 0
    max_attempts: int = 0
    last_failure_at: str | None = None
    next_retry_at: str | None = None
    last_attempted_at: str | None = None

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> StepResponse:
        """From the native module's answer; missing keys get defaults."""
        return _known(cls, data)


@dataclass(frozen=True)
class StepAuditResponse:
    """One transition of a step that ended an attempt."""

    audit_uuid: str = ""
    workflow_step_uuid: str = ""
    transition_uuid: str = ""
    task_uuid: str = ""
    recorded_at: str = ""
    worker_uuid: str | None = None
    correlation_id: str | None = None
    success: bool = False
    execution_time_ms: int | None = None
    result: dict[str, Any] | None = None
    step_name: str = ""
    from_state: str | None = None
    to_state: str = ""

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> StepAuditResponse:
        """From the native module's answer; missing keys get defaults."""
        return _known(cls, data)


@dataclass(frozen=True)
class HealthResponse:
    """Whether the store answers."""

    healthy: bool = False
    status: str = ""
    timestamp: str = ""

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> HealthResponse:
        """From the native module's answer; missing keys get defaults."""
        return _known(cls, data)


class TaskerClient:
    """Creates and reads tasks in the store of this process's worker, or, without one, in the configured store.

    Every method has an async twin with the suffix `_async`, which does not hold up the event loop. A client does not
    survive `fork`.

    Args:
        initiator: Who creates tasks, unless a task says otherwise.
        source_system: Where tasks come from, unless a task says otherwise.

    Raises:
        RuntimeError: From any method: the store could not do it; the message says why.
        TaskNotFoundError: A RuntimeError: there is no such task, step or template.
        ValueError: From any method: an id or the request is malformed.
    """

    def __init__(self, initiator: str = "tasker-core-python", source_system: str = "tasker-core") -> None:
        self.initiator = initiator
        self.source_system = source_system

    def create_task(
        self,
        name: str,
        *,
        namespace: str = "default",
        context: dict[str, Any] | None = None,
        version: str = "1.0.0",
        reason: str = "Task requested",
        **kwargs: Any,
    ) -> TaskResponse:
        """Creates a task of a template; it is durable when this returns.

        Args:
            name: Name of the template.
            namespace: Namespace of the template.
            context: What the handlers read by `context.get_input`.
            version: Version of the template.
            reason: Why.
            **kwargs: Further fields of the request: tags, priority (-100 to 100), idempotency_key, correlation_id,
                parent_correlation_id, requested_at, options; initiator and source_system instead of the client's.
                The correlation ids are UUIDs, the task's own one by default; requested_at is a time in UTC, like
                "2026-01-31T09:30:00", and now by default. Handlers find all but options in the task's row.

        Raises:
            TypeError: A request has no such field.
        """
        from tasker_core._tasker_core import client_create_task

        _refuse_unknown(kwargs)
        request = {
            "name": name,
            "namespace": namespace,
            "version": version,
            "context": context or {},
            "initiator": self.initiator,
            "source_system": self.source_system,
            "reason": reason,
            **kwargs,
        }
        return _one(TaskResponse.from_dict, _call(client_create_task, request))

    def get_task(self, task_uuid: str) -> TaskResponse:
        """A task."""
        from tasker_core._tasker_core import client_get_task

        return _one(TaskResponse.from_dict, _call(client_get_task, task_uuid))

    def wait_for_task(self, task_uuid: str, timeout_s: float | None = 30.0) -> TaskResponse:
        """Waits until the task is complete, failed or cancelled; with None for as long as that takes.

        Raises:
            TimeoutError: It has not settled within `timeout_s` seconds.
        """
        from tasker_core._tasker_core import _client_wait

        while True:
            try:
                waited_for = _call(_client_wait, task_uuid, _DAY_S if timeout_s is None else timeout_s)
            except TimeoutError:
                if timeout_s is not None:
                    raise
            else:
                return _one(TaskResponse.from_dict, waited_for)

    def watch_task(self, task_uuid: str, timeout_s: float | None = None) -> Iterator[TaskResponse]:
        """The task now, then after each change of it or its steps, until it is settled; the last one is that.

        It is woken by commits, of whatever process; changes in quick succession come as one. `steps` of each task are
        dicts with `name`, `current_state`, `attempts`, `dependencies` and more.

        Raises:
            TimeoutError: It has not settled within `timeout_s` seconds.

        Example:
            >>> for task in client.watch_task(task_uuid):
            ...     print({step["name"]: step["current_state"] for step in task.steps})
        """
        watch = _Watch(task_uuid, timeout_s)
        settled = False
        while not settled:
            seen = watch.look()
            if seen is not None:
                settled = seen.settled
                yield seen

    def list_tasks(
        self,
        *,
        limit: int = 50,
        offset: int = 0,
        namespace: str | None = None,
        status: str | None = None,
    ) -> TaskListResponse:
        """One page of tasks, newest first; `status` is a task state."""
        from tasker_core._tasker_core import client_list_tasks

        return _one(TaskListResponse.from_dict, _call(client_list_tasks, limit, offset, namespace, status))

    def cancel_task(self, task_uuid: str) -> dict[str, Any]:
        """Cancels a task; running handlers are told."""
        from tasker_core._tasker_core import client_cancel_task

        answer: dict[str, Any] = _call(client_cancel_task, task_uuid)
        return answer

    def list_task_steps(self, task_uuid: str) -> list[StepResponse]:
        """The steps of a task."""
        from tasker_core._tasker_core import client_list_task_steps

        return _many(StepResponse.from_dict, _call(client_list_task_steps, task_uuid))

    def get_step(self, task_uuid: str, step_uuid: str) -> StepResponse:
        """A step with its result."""
        from tasker_core._tasker_core import client_get_step

        return _one(StepResponse.from_dict, _call(client_get_step, task_uuid, step_uuid))

    def get_step_audit_history(self, task_uuid: str, step_uuid: str) -> list[StepAuditResponse]:
        """The ends of a step's attempts."""
        from tasker_core._tasker_core import client_get_step_audit_history

        return _many(StepAuditResponse.from_dict, _call(client_get_step_audit_history, task_uuid, step_uuid))

    def health_check(self) -> HealthResponse:
        """Whether the store answers."""
        from tasker_core._tasker_core import client_health_check

        return _one(HealthResponse.from_dict, _call(client_health_check))

    async def create_task_async(
        self,
        name: str,
        *,
        namespace: str = "default",
        context: dict[str, Any] | None = None,
        version: str = "1.0.0",
        reason: str = "Task requested",
        **kwargs: Any,
    ) -> TaskResponse:
        """As `create_task`."""
        return await _in_thread(
            self.create_task,
            name,
            namespace=namespace,
            context=context,
            version=version,
            reason=reason,
            **kwargs,
        )

    async def get_task_async(self, task_uuid: str) -> TaskResponse:
        """As `get_task`."""
        return await _in_thread(self.get_task, task_uuid)

    async def wait_for_task_async(self, task_uuid: str, timeout_s: float | None = 30.0) -> TaskResponse:
        """As `wait_for_task`."""
        if timeout_s is not None:
            return await _in_own_thread(self.wait_for_task, task_uuid, timeout_s)
        # A watch ends when its asker is cancelled; a wait would hold its thread until the task is settled.
        async for seen in self.watch_task_async(task_uuid):
            last = seen
        return last

    async def watch_task_async(self, task_uuid: str, timeout_s: float | None = None) -> AsyncIterator[TaskResponse]:
        """As `watch_task`; it may be left at any time. Whoever asks late gets the last state, not all that were."""
        import asyncio

        watch, loop, told = _Watch(task_uuid, timeout_s), asyncio.get_running_loop(), asyncio.Event()
        states: list[TaskResponse] = []
        errors: list[Exception] = []

        def take(state: TaskResponse | None, error: Exception | None) -> None:
            if state is not None:
                states[:] = [state]
            if error is not None:
                errors.append(error)
            told.set()

        # Of its own, because the few threads that to_thread has must not all wait for tasks.
        threading.Thread(target=watch.follow, args=(loop, take), name="tasker-client-watch", daemon=True).start()
        try:
            settled = False
            while not settled:
                await told.wait()
                if states:
                    seen = states.pop()
                    settled = seen.settled
                    yield seen
                elif errors:
                    raise errors.pop()
                else:
                    told.clear()
        finally:
            watch.left = True

    async def list_tasks_async(
        self,
        *,
        limit: int = 50,
        offset: int = 0,
        namespace: str | None = None,
        status: str | None = None,
    ) -> TaskListResponse:
        """As `list_tasks`."""
        return await _in_thread(self.list_tasks, limit=limit, offset=offset, namespace=namespace, status=status)

    async def cancel_task_async(self, task_uuid: str) -> dict[str, Any]:
        """As `cancel_task`."""
        return await _in_thread(self.cancel_task, task_uuid)

    async def list_task_steps_async(self, task_uuid: str) -> list[StepResponse]:
        """As `list_task_steps`."""
        return await _in_thread(self.list_task_steps, task_uuid)

    async def get_step_async(self, task_uuid: str, step_uuid: str) -> StepResponse:
        """As `get_step`."""
        return await _in_thread(self.get_step, task_uuid, step_uuid)

    async def get_step_audit_history_async(self, task_uuid: str, step_uuid: str) -> list[StepAuditResponse]:
        """As `get_step_audit_history`."""
        return await _in_thread(self.get_step_audit_history, task_uuid, step_uuid)

    async def health_check_async(self) -> HealthResponse:
        """As `health_check`."""
        return await _in_thread(self.health_check)


class _Watch:
    # Between two looks at a task that does not change Python sees signals, and a thread whose asker has left ends.
    LOOK_S = 0.5

    def __init__(self, task_uuid: str, timeout_s: float | None) -> None:
        self.task_uuid = task_uuid
        self.timeout_s = timeout_s
        self.until = None if timeout_s is None else time.monotonic() + timeout_s
        self.seen: str | None = None
        self.left = False

    def follow(self, loop: AbstractEventLoop, take: Callable[[TaskResponse | None, Exception | None], None]) -> None:
        """Tells the loop of each change, until the task is settled, a look fails, or whoever asked has left."""
        settled = False
        while not settled and not self.left and not loop.is_closed():
            seen, failed = None, None
            try:
                seen = self.look()
            except Exception as error:
                failed = error
            settled = failed is not None or (seen is not None and seen.settled)
            if seen is None and failed is None:
                continue
            with contextlib.suppress(RuntimeError):  # The loop was closed meanwhile.
                loop.call_soon_threadsafe(take, seen, failed)

    def look(self) -> TaskResponse | None:
        from tasker_core._tasker_core import _client_watch

        left = self.LOOK_S if self.until is None else self.until - time.monotonic()
        answer = _call(_client_watch, self.task_uuid, self.seen, max(min(left, self.LOOK_S), 0.0))
        if answer is not None:
            self.seen = answer["seen"]
            return TaskResponse.from_dict(answer)
        if left <= 0:
            raise TimeoutError(f"task {self.task_uuid} was not settled in {self.timeout_s} seconds")
        return None


async def _in_thread(function: Callable[..., _T], *args: Any, **kwargs: Any) -> _T:
    # Imported here: most programs use the sync methods, and asyncio costs start-up time.
    import asyncio

    return await asyncio.to_thread(function, *args, **kwargs)


async def _in_own_thread(function: Callable[..., _T], *args: Any) -> _T:
    # Of its own, because the few threads that to_thread has must not all wait for tasks.
    import asyncio

    loop = asyncio.get_running_loop()
    future: asyncio.Future[_T] = loop.create_future()

    def settle(value: _T | None, error: BaseException | None) -> None:
        if future.done():
            return  # Whoever waited was cancelled.
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(cast("_T", value))

    def run() -> None:
        value, failed = None, None
        try:
            value = function(*args)
        except Exception as error:
            failed = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, value, failed)

    threading.Thread(target=run, name="tasker-client-wait", daemon=True).start()
    return await future


def _call(function: Callable[..., Any], *args: Any) -> Any:
    _fork.refuse_in_child("TaskerClient")
    if not native.is_worker_running():
        _fork.note_open("client")  # It opens the store on its own account, and keeps it open.
    return function(*args)


def _refuse_unknown(arguments: dict[str, Any]) -> None:
    unknown = next((name for name in arguments if name not in _REQUEST), None)
    if unknown is not None:
        from difflib import get_close_matches

        nearest = get_close_matches(unknown, _REQUEST, 1, cutoff=0.0)[0]
        raise TypeError(f"create_task() has no argument '{unknown}'; the nearest is '{nearest}'")


def _one(from_dict: Callable[[dict[str, Any]], _T], answer: Any) -> _T:
    return from_dict(answer) if isinstance(answer, dict) else answer


def _many(from_dict: Callable[[dict[str, Any]], _T], answer: Any) -> list[_T]:
    return [from_dict(a) if isinstance(a, dict) else a for a in answer] if isinstance(answer, list) else answer
