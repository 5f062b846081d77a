"""A stand-in for `tasker_core._tasker_core`: the host's side of the contract in a dict and a queue."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import deque
from typing import Any

from tasker_core_version import VERSION

__version__ = VERSION
NOT_RUNNING = "Worker not initialized. Call bootstrap_worker() first."


class Host:
    """The state of the fake; `reset` makes it new."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.running = False
        self.world = "application"
        self.config: Any = None
        self.queue: deque[str] = deque()
        self.ready = threading.Condition()
        self.taken: dict[str, float] = {}
        self.completed: list[dict[str, Any]] = []
        self.failed: list[dict[str, Any]] = []
        self.yielded: list[dict[str, Any]] = []
        self.submitted: list[tuple[str, dict[str, Any]]] = []
        self.handlers: dict[str, tuple[Any, ...]] = {}
        self.names_of_others: set[str] = set()
        self.slots: list[int] = []
        self.async_slots: list[int] = []
        self.logs: list[tuple[str, str, dict[str, Any]]] = []
        self.cancel: Any = None
        self.resolver: Any = None
        self.bootstraps = 0
        self.stops = 0
        self.bootstrap_error: str | None = None
        self.heartbeats: list[tuple[str, float, str]] = []
        self.checkpoints: list[str] = []
        self.heartbeat_answer = 0
        self.drain_s = 5.0
        self.exited = False
        self.refuse_json = False

    def put(self, data: dict[str, Any]) -> str:
        """Queues a step."""
        with self.ready:
            self.queue.append(json.dumps(data))
            self.ready.notify()
        return data["event_id"]

    def ended(self) -> int:
        return len(self.completed) + len(self.failed) + len(self.yielded)

    def wait_ended(self, count: int, timeout_s: float = 5.0) -> None:
        """Waits until so many steps have ended."""
        with self.ready:
            done = self.ready.wait_for(lambda: self.ended() >= count, timeout_s)
        assert done, f"only {self.ended()} of {count} steps ended"

    def end(self, event_id: str, store: list[dict[str, Any]], entry: dict[str, Any]) -> bool:
        if not self.running:
            raise RuntimeError(NOT_RUNNING)
        with self.ready:
            if self.taken.pop(event_id, None) is None:
                return False
            store.append({"event_id": event_id, **entry})
            self.ready.notify_all()
        return True


host = Host()


def _check() -> None:
    if not host.running:
        raise RuntimeError(NOT_RUNNING)


def get_version() -> str:
    return VERSION


def get_rust_version() -> str:
    return f"tasker-py {VERSION} (rustc: none)"


def health_check() -> bool:
    return True


def bootstrap_worker(config: Any = None) -> dict[str, Any]:
    if host.bootstrap_error is not None:
        raise RuntimeError(f"Bootstrap failed: {host.bootstrap_error}")
    if host.running:
        answer = {"handle_id": "h", "status": "already_running", "message": "runs"}
        return {**answer, "worker_id": "embedded-1"} if host.world == "embedded" else answer
    host.running, host.config = True, config
    host.bootstraps += 1
    worker_id = (config or {}).get("worker_id") or "python-worker-1"
    return {"handle_id": "h", "status": "started", "message": "started", "worker_id": worker_id}


def stop_worker(drain_s: float | None = None) -> str:
    if not host.running:
        return "Worker system not running"
    with host.ready:
        drained = host.ready.wait_for(lambda: not host.taken, host.drain_s if drain_s is None else drain_s)
        stuck = list(host.taken)
        host.taken.clear()
        host.running = False
        host.stops += 1
        host.ready.notify_all()
    if not drained:
        for event_id in stuck:
            host.cancel(event_id, "shutdown")
        raise RuntimeError(f"handlers still run: {stuck}")
    return "Worker system stopped"


def get_worker_status() -> dict[str, Any]:
    if not host.running:
        return {"running": False, "error": "Worker system not initialized"}
    return {"running": True, "environment": "test"}


def transition_to_graceful_shutdown() -> str:
    _check()
    return "Worker system transitioned to graceful shutdown"


def is_worker_running() -> bool:
    return host.running


def _log(level: str) -> Any:
    def log(message: str, fields: Any = None) -> None:
        for text in (message, *(fields or {}), *(fields or {}).values()):
            text.encode()
        host.logs.append((level, message, fields or {}))

    return log


log_error, log_warn, log_info, log_debug, log_trace = map(_log, ("error", "warn", "info", "debug", "trace"))


def _take_step(timeout_s: float, only_async: bool = False) -> str | None:
    with host.ready:
        if only_async:  # All steps are for those who take any.
            host.ready.wait_for(lambda: not host.running, timeout_s)
            return None
        host.ready.wait_for(lambda: host.queue or not host.running, timeout_s)
        if not host.running or not host.queue:
            return None
        text = host.queue.popleft()
        host.taken[json.loads(text)["event_id"]] = time.monotonic()
        return text


def poll_step_events() -> dict[str, Any] | None:
    _check()
    text = _take_step(0)
    return None if text is None else json.loads(text)


def complete_step_event(event_id: str, completion_data: dict[str, Any]) -> bool:
    uuid.UUID(event_id)
    return host.end(event_id, host.completed if completion_data.get("success") else host.failed, completion_data)


def checkpoint_yield_step_event(event_id: str, data: dict[str, Any]) -> bool:
    _check()
    return host.end(event_id, host.yielded, data)


def get_ffi_dispatch_metrics() -> dict[str, Any]:
    _check()
    return {"pending_count": len(host.taken)}


def check_starvation_warnings() -> bool:
    _check()
    return True


def cleanup_timeouts() -> int:
    _check()
    return 0


def poll_in_process_events() -> dict[str, Any] | None:
    from tasker_core.domain_events.delivery import poll_here

    event = poll_here()
    if event is None:
        _check()
    return event


def get_health_check() -> dict[str, Any]:
    _check()
    return {"status": "healthy", "is_running": True, "components": {}, "rust": {}, "python": {}}


def get_metrics() -> dict[str, Any]:
    _check()
    return {"dispatch_channel_pending": len(host.taken), "steps_processed": 0}


def get_worker_config() -> dict[str, Any]:
    _check()
    return {"environment": "test"}


def _no_client(*_: Any, **__: Any) -> Any:
    raise RuntimeError(NOT_RUNNING)


TaskNotFoundError = type("TaskNotFoundError", (RuntimeError,), {})
client_create_task = client_get_task = client_list_tasks = client_cancel_task = _no_client
client_list_task_steps = client_get_step = client_get_step_audit_history = client_health_check = _no_client
client_open = _client_wait = _client_watch = _no_client


def _world() -> str:
    return host.world


def _consume(slots: int, async_slots: int = 0) -> None:
    host.slots.append(slots)
    host.async_slots.append(async_slots)


def _complete(event_id: str, result_json: str, metadata_json: str, events_json: str | None) -> bool:
    if host.refuse_json:
        raise ValueError("the result is too large")
    events = json.loads(events_json) if events_json else []
    entry = {"result": json.loads(result_json), "metadata": json.loads(metadata_json), "events": events}
    return host.end(event_id, host.completed, entry)


def _fail(
    event_id: str,
    error_type: str,
    message: str,
    retryable: bool,
    retry_after_s: float | None,
    error_code: str | None,
    backtrace: str | None,
    http_status: int | None,
    context_json: str | None,
    metadata_json: str | None,
) -> bool:
    for text in (error_type, message, error_code, backtrace):
        if text is not None:
            text.encode()
    entry = {
        "error_type": error_type,
        "message": message,
        "retryable": retryable,
        "retry_after_s": retry_after_s,
        "error_code": error_code,
        "backtrace": backtrace,
        "http_status": http_status,
        "context": json.loads(context_json) if context_json else None,
        "metadata": json.loads(metadata_json) if metadata_json else None,
    }
    return host.end(event_id, host.failed, entry)


def _yield(event_id: str, checkpoint_json: str | None, resume_after_s: float) -> bool:
    return host.end(event_id, host.yielded, json.loads(checkpoint_json or "null"))


def _heartbeat(event_id: str, progress: float, note: str) -> int:
    note.encode()
    host.heartbeats.append((event_id, progress, note))
    return host.heartbeat_answer


def _checkpoint(event_id: str, text: str) -> int:
    host.checkpoints.append(text)
    return host.heartbeat_answer


def _set_cancel_callback(callback: Any) -> None:
    host.cancel = callback


def _set_resolver(resolver: Any) -> None:
    host.resolver = resolver


def _register_handlers(handlers: list[tuple[Any, ...]]) -> None:
    for row in handlers:
        if row[0] in host.names_of_others:
            raise RuntimeError(f"handler '{row[0]}' belongs to another plugin")
        host.handlers[row[0]] = row[1:]


def _unregister_handler(name: str) -> None:
    host.handlers.pop(name, None)


def _status() -> dict[str, Any]:
    return {"worker_id": "python-worker-1", "attached": True, "handlers": list(host.handlers)}


def _on_exit() -> None:
    host.exited = True
