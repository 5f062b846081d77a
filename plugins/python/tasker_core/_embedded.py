"""What libtasker_python.so calls under tasker-host, where the host exists before Python does."""

from __future__ import annotations

from tasker_core.worker import DEFAULT_ASYNC_LIMIT, DEFAULT_THREADS, Worker

__all__ = ["start", "stop"]


def start(
    handler_packages: list[str],
    auto_discover: bool = True,
    strict: bool = False,
    threads: int = DEFAULT_THREADS,
    async_limit: int = DEFAULT_ASYNC_LIMIT,
) -> None:
    """Imports the handlers, announces them and starts the pool.

    Raises:
        WorkerBootstrapError: It could not start; the message is for the host's log.
    """
    with Worker._lock:
        worker = Worker()
        worker._start(
            handler_packages,
            None,
            auto_discover=auto_discover,
            strict=strict,
            threads=threads,
            async_limit=async_limit,
            overrides=None,
        )


def stop() -> None:
    """Ends the pool and the loop and runs the on_shutdown callbacks, after the host has drained. Idempotent."""
    worker = Worker._instance
    if worker is not None:
        worker._stop(None)
