"""What `fork` means for a process that has a store open: the child may not touch it.

In the child the package is marked dead if the parent had a worker or a client open at the moment of the fork.
Every entry point asks `refuse_in_child` first, so that no call of the child reaches SQLite, not even to close.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

_open: set[str] = set()
_dead = False
_reset_hooks: list[Callable[[], None]] = []

SENTENCE = (
    "this process was forked from one that had the task store open, and a store does not survive fork: start the "
    "worker in the child only and not before the fork (FastAPI: in `lifespan`; gunicorn: in `post_fork`; "
    "multiprocessing: start method `spawn`)"
)


def note_open(who: str) -> None:
    """`worker` or `client` of this process opened the store; a worker closes the client's own, which then uses its."""
    if who == "worker":
        _open.discard("client")
    _open.add(who)


def note_closed(who: str) -> None:
    """It has closed the store."""
    _open.discard(who)


def dead() -> bool:
    """True in a child whose parent had the store open."""
    return _dead


def refuse_in_child(what: str) -> None:
    """Raises RuntimeError in such a child; `what` begins the sentence, for instance `Worker.start`."""
    if _dead:
        raise RuntimeError(f"{what} is refused: {SENTENCE}.")


def end_child_of(handler: str) -> None:
    """Ends the process if it is a child that a handler forked and came back in: it may not act for the worker."""
    if _dead:
        sys.stderr.write(f"handler '{handler}' returned in a forked child; the child ends here\n")
        os._exit(70)


def on_child(hook: Callable[[], None]) -> None:
    """Registers what renews locks in a child, where threads that held them do not exist."""
    _reset_hooks.append(hook)


def _after_fork_in_child() -> None:
    global _dead
    _dead = _dead or bool(_open)
    for hook in _reset_hooks:
        hook()


os.register_at_fork(after_in_child=_after_fork_in_child)
