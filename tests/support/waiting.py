"""Waiting for what happens in other processes. The only place of the tests that sleeps: between two looks."""

import time

PATIENCE_S = 90  # Long enough for a sanitizer's build on a busy machine; whoever waits goes on at once.


def until(what, condition, patience_s=PATIENCE_S, every_s=0.005):
    """The first true value of condition(); fails when there is none in time. `what` says what was waited for."""
    deadline = time.monotonic() + patience_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"this did not happen within {patience_s} s: {what}")
        time.sleep(every_s)
