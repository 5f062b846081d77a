"""The fast path: threads that take steps from the host's queue and run their handlers."""

from __future__ import annotations

import inspect
import json
import threading
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from pydantic_core import from_json

from tasker_core import _fork
from tasker_core import _tasker_core as native
from tasker_core._execution.attempt import Attempt, current_attempt, running
from tasker_core._execution.demand import Demand
from tasker_core._execution.dispatch import Dispatcher, HandlerNotFoundError
from tasker_core._execution.loop import HandlerLoop, is_async
from tasker_core._execution.outcome import as_result, failure_of, handler_name_of, said
from tasker_core._execution.submit import Step, give_up, submit
from tasker_core.event_bridge import EventBridge, EventNames
from tasker_core.handler import HandlerRegistry
from tasker_core.logging import log_error
from tasker_core.types.events import context_from_host, event_from_host
from tasker_core.types.results import StepHandlerResult

__all__ = ["Pool"]

_TAKE_S = 1.0
_CLOSE_S = 5.0


class Pool:
    """Daemon threads for sync handlers, and the async ones on the HandlerLoop.

    Every step that was taken ends in exactly one submission, whatever its handler does.
    """

    def __init__(
        self,
        registry: HandlerRegistry,
        bridge: EventBridge,
        worker_id: str,
        threads: int,
        async_limit: int,
    ) -> None:
        self._registry = registry
        self._dispatcher = Dispatcher(registry)
        self._bridge = bridge
        self._worker_id = worker_id
        self._threads = threads
        self._async_limit = async_limit
        self._async_handlers: tuple[int, set[str]] = (-1, set())
        self._demand = Demand(threads, self._async_places)
        self._closing = threading.Event()
        self._pool: list[threading.Thread] = []
        self._starter: threading.Thread | None = None

    def start(self) -> None:
        """Starts the threads and asks for steps."""
        for number in range(self._threads):
            name = f"tasker-handler-{number}"
            thread = threading.Thread(target=self._run, args=(native._take_step,), name=name, daemon=True)
            self._pool.append(thread)
            thread.start()
        self._demand.open()

    def stop_taking(self) -> None:
        """Takes no further step; what runs goes on."""
        self._demand.close()

    def close(self, stuck: bool = False) -> None:
        """Ends the threads, once what they do after a step's end is done as well.

        `stuck`: handlers still run; their threads end after them, and are not waited for.
        """
        self._closing.set()
        until = time.monotonic() + _CLOSE_S
        me = threading.current_thread()
        busy = {attempt.thread_id for attempt in list(running.values())} if stuck else set()
        for thread in [*self._pool, *([self._starter] if self._starter else [])]:
            if thread is not me and thread.ident not in busy:
                thread.join(max(0.0, until - time.monotonic()))

    def owns_current_thread(self) -> bool:
        """True on a thread of the pool or of the loop: inside a handler."""
        if threading.current_thread() in [*self._pool, self._starter]:
            return True
        loop = HandlerLoop._instance
        return loop is not None and loop.is_current()

    def alive(self) -> int:
        """How many threads of the pool are alive."""
        return sum(thread.is_alive() for thread in self._pool)

    def _async_places(self) -> int:
        """How many async handlers may run; from the first on a thread of their own starts them."""
        generation = self._registry.generation
        if self._async_handlers[0] != generation:
            classes = self._registry.handler_classes()
            self._async_handlers = (generation, {name for name, cls in classes.items() if is_async(cls)})
        if not self._async_handlers[1]:
            return 0
        if self._starter is None:
            take = partial(native._take_step, only_async=True)
            self._starter = threading.Thread(target=self._run, args=(take,), name="tasker-async-starter", daemon=True)
            self._starter.start()
        return self._async_limit

    def _run(self, take: Callable[[float], str | None]) -> None:
        while not self._closing.is_set():
            asked = time.monotonic()
            try:
                text = take(_TAKE_S)
            except Exception as error:
                if not self._closing.is_set():
                    log_error(f"steps could not be taken from the host: {error}")
                self._closing.wait(1.0)
                continue
            if text is not None:
                self._execute_guarded(text)
                continue
            if time.monotonic() - asked < _TAKE_S / 2:
                self._closing.wait(0.05)  # The queue is closed; do not spin until the pool is.
            self._demand.adapt()

    def _execute_guarded(self, text: str) -> None:
        try:
            self._execute(text)
        except BaseException as error:  # Only a defect of this package gets here; the thread goes on.
            log_error(f"a step could not be ended: {said(error)}")

    def _execute(self, text: str) -> None:
        try:
            step = self._open(_loads(text))
        except Exception as error:  # Only a defect of the host gets here.
            log_error(f"a step from the host could not be read: {said(error)}: {text[:200]}")
            return
        started = time.perf_counter()
        token = current_attempt.set(step.attempt)
        try:
            definition = (step.event.task_sequence_step.get("step_definition") or {}).get("handler") or {}
            call, step.version = self._dispatcher.call_for(
                step.handler,
                step.method,
                step.resolver,
                definition.get("initialization"),
            )
            value = call(context_from_host(step.event, step.handler, step.attempt))
            if not isinstance(value, (StepHandlerResult, dict)) and inspect.isawaitable(value):
                self._go_on_async(value, step, started)
                return
            result = as_result(value, step.handler)
        except BaseException as error:  # sys.exit() in a handler fails its step and nothing else.
            result = self._failed(step, error)
        finally:
            current_attempt.reset(token)
        self._end(step, result, started)

    def _open(self, data: dict[str, Any]) -> Step:
        event = event_from_host(data)
        name = data.get("_handler") or handler_name_of(event.task_sequence_step)
        attempt = Attempt(data, name)
        step = Step(event, attempt, name, data.get("_method") or None, data.get("_resolver") or None)
        running[attempt.event_id] = attempt
        if self._bridge.wants(EventNames.STEP_EXECUTION_RECEIVED):
            self._publish(EventNames.STEP_EXECUTION_RECEIVED, event)
        return step

    def _go_on_async(self, value: Awaitable[Any], step: Step, started: float) -> None:
        loop = HandlerLoop.instance(self._async_limit)
        step.attempt.thread_id = None
        loop.start(_with_attempt(value, step.attempt), step.attempt.bind, partial(self._async_done, step, started))

    def _async_done(self, step: Step, started: float, value: Any, error: BaseException | None) -> None:
        try:
            result = as_result(value, step.handler) if error is None else self._failed(step, error)
        except BaseException as defect:
            result = self._failed(step, defect)
        self._end(step, result, started)

    def _failed(self, step: Step, error: BaseException) -> StepHandlerResult:
        result = failure_of(error)
        if isinstance(error, HandlerNotFoundError):
            result.error_type = "handler_not_found"
        if self._bridge.wants(EventNames.HANDLER_ERROR):
            self._publish(EventNames.HANDLER_ERROR, step.event, error)
        return result

    def _end(self, step: Step, result: StepHandlerResult, started: float) -> None:
        _fork.end_child_of(step.handler)
        try:
            submit(step, result, time.perf_counter() - started, self._bridge, self._worker_id)
        except BaseException as error:
            give_up(step, error)
        finally:
            running.pop(step.attempt.event_id, None)
        if step.handler not in self._async_handlers[1]:
            self._demand.finished()

    def _publish(self, event: str, *args: Any) -> None:
        try:
            self._bridge.publish(event, *args)
        except BaseException as error:  # A listener's sys.exit() must not lose the step.
            log_error(f"a listener of '{event}' raised: {said(error)}")


def _loads(text: str) -> dict[str, Any]:
    try:
        data: dict[str, Any] = from_json(text, cache_strings="keys")  # A third faster than json.loads.
    except ValueError:
        data = json.loads(text)  # It takes what the other refuses: escaped lone surrogates.
    return data


async def _with_attempt(value: Awaitable[Any], attempt: Attempt) -> Any:
    current_attempt.set(attempt)
    return await value
