"""What both files of handlers in the functional style need."""

from collections.abc import Callable
from typing import Any

from tasker_core.step_handler import step_handler


def keeping(handlers: list[Any]) -> Callable[[str], Any]:
    """A `step_handler` of this style, whose functions are kept in `handlers`."""

    def handles(name: str) -> Any:
        def decorate(function: Any) -> Any:
            handlers.append(step_handler(f"dsl.{name}")(function))
            return function

        return decorate

    return handles
