"""What the running worker of the process uses, for those who report on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tasker_core.handler import HandlerRegistry

pool_threads = 0
"""Threads of the running pool; 0 without one."""


def registry() -> HandlerRegistry | None:
    """The registry whose handlers are announced, or the one of the process, or None."""
    from tasker_core._execution import announce
    from tasker_core.handler import HandlerRegistry

    return announce.attached() or HandlerRegistry._instance
