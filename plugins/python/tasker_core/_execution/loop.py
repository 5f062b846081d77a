"""The one asyncio loop that all async handlers of the process share."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

from tasker_core import _fork

if TYPE_CHECKING:
    import asyncio

__all__ = ["HandlerLoop", "is_async"]

Done = Callable[[Any, BaseException | None], None]


class HandlerLoop:
    """A thread with an asyncio loop that runs until `close`; handlers on it may share clients and pools.

    `instance()` is started on first use. At most `limit` handlers run at once; further ones wait their turn.
    """

    _instance: HandlerLoop | None = None
    _instance_lock = threading.Lock()

    def __init__(self, limit: int = 128) -> None:
        # Imported here and below: asyncio costs start-up time, and only async handlers need it.
        import asyncio

        self._loop = asyncio.new_event_loop()
        self._slots = asyncio.Semaphore(limit)
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name="tasker-async-handlers", daemon=True)
        self._thread.start()

    @classmethod
    def instance(cls, limit: int = 128) -> HandlerLoop:
        """The loop of the process; `limit` counts only for the call that makes it."""
        with cls._instance_lock:
            if cls._instance is None or not cls._instance._thread.is_alive():
                cls._instance = cls(limit)
            return cls._instance

    @classmethod
    def close_instance(cls, timeout_s: float = 1.0) -> None:
        """Cancels what runs and ends the thread, waiting at most `timeout_s` seconds."""
        with cls._instance_lock:
            loop, cls._instance = cls._instance, None
        if loop is not None:
            loop.close(timeout_s)

    def start(self, awaitable: Awaitable[Any], bind: Callable[[Any, Any], None] | None, done: Done) -> None:
        """Runs an awaitable; `done(value, exception)` is called on the loop's thread at its end.

        `bind(loop, task)` is called before it starts. Any thread.
        """
        self._loop.call_soon_threadsafe(self._spawn, awaitable, bind, done)

    def run(self, awaitable: Awaitable[Any], bind: Callable[[Any, Any], None] | None = None) -> Any:
        """As `start`, and waits for the value; not from the loop's own thread."""
        from concurrent.futures import Future

        ended: Future[Any] = Future()

        def done(value: Any, error: BaseException | None) -> None:
            if error is None:
                ended.set_result(value)
            else:
                ended.set_exception(error)

        self.start(awaitable, bind, done)
        return ended.result()

    def is_current(self) -> bool:
        """True on the loop's own thread."""
        return threading.current_thread() is self._thread

    def close(self, timeout_s: float) -> None:
        """Cancels what runs and ends the thread, waiting at most `timeout_s` seconds."""
        try:
            self._loop.call_soon_threadsafe(self._loop.stop)
        except RuntimeError:
            return  # Closed already.
        if not self.is_current():
            self._thread.join(timeout_s)

    def _spawn(self, awaitable: Awaitable[Any], bind: Callable[[Any, Any], None] | None, done: Done) -> None:
        task = self._loop.create_task(self._drive(awaitable, done))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if bind is not None:
            bind(self._loop, task)

    async def _drive(self, awaitable: Awaitable[Any], done: Done) -> None:
        value: Any = None
        failed: BaseException | None = None
        try:
            async with self._slots:
                value = await awaitable
        except BaseException as error:  # A handler's SystemExit must not end the loop.
            failed = error
        finally:
            if isinstance(awaitable, Coroutine):
                awaitable.close()  # Of one that was cancelled before its turn.
        done(value, failed)

    def _run(self) -> None:
        import asyncio

        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            if tasks:
                self._loop.run_until_complete(asyncio.wait(tasks, timeout=0.5))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()


def is_async(cls: type) -> bool:
    """True if what `call` of a handler class returns runs on the loop, and occupies no thread."""
    return bool(getattr(cls, "_is_async", False)) or inspect.iscoroutinefunction(getattr(cls, "call", None))


def _forget() -> None:
    HandlerLoop._instance = None
    HandlerLoop._instance_lock = threading.Lock()


_fork.on_child(_forget)
