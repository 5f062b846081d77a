"""Every name of upstream's public surface is here with upstream's signature.

`python surface_test.py` prints the table: name, present, signature equal, and the test files that use it.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
import sys
import types
from enum import Enum
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    import conftest  # noqa: F401 - puts the fake native module in place

import pydantic
import pytest
import tasker_core

HERE = Path(__file__).resolve().parent
ROWS = [
    line.partition(" ")[::2]
    for line in (HERE / "upstream_surface.tsv").read_text().splitlines()
    if line and not line.startswith("#")
]

MODULES = [
    "_tasker_core",
    "bootstrap",
    "client",
    "domain_events",
    "errors",
    "errors.error_classifier",
    "event_bridge",
    "event_poller",
    "exceptions",
    "handler",
    "logging",
    "models",
    "observability",
    "registry",
    "registry.registry_resolver",
    "registry.handler_definition",
    "step_execution_subscriber",
    "step_handler",
    "step_handler.base",
    "step_handler.api",
    "step_handler.decision",
    "step_handler.functional",
    "step_handler.mixins",
    "step_handler.mixins.api",
    "step_handler.mixins.decision",
    "batch_processing",
    "batch_processing.batchable",
    "template_discovery",
    "types",
    "worker",
    "examples.checkpoint_yield",
    "testing",
]

SUBMODULE_NAMES = {
    "step_handler": "step_handler depends_on inputs decision_handler batch_analyzer batch_worker api_handler Decision "
    "BatchConfig FunctionalHandler HandlerDecorator mixins",
    "step_handler.mixins": "APIMixin DecisionMixin",
    "domain_events": "PublisherRegistry SubscriberRegistry DefaultPublisher",
    "types": "FailureStrategy RustCursorConfig BatchMetadata RustBatchWorkerInputs NoBatchesOutcome "
    "CreateBatchesOutcome BatchProcessingOutcome no_batches create_batches BatchAggregationResult "
    "aggregate_batch_results ClientStepReadiness ClientTaskResponse",
}


def find(name: str) -> Any:
    return functools.reduce(getattr, name.split("."), tasker_core)


def described(name: str, expected: str) -> str:
    """What the name is, in the words of the table."""
    found = find(name)
    kind = expected.split(" ")[0]
    if kind == "native":
        return "native" if callable(found) else "no function"
    if kind == "value":
        return "value" if isinstance(found, str) else type(found).__name__
    if kind == "members":
        assert issubclass(found, Enum)
        return " ".join(["members", *(member.value for member in found)])
    if kind == "exception":
        return f"exception {expected.split(' ')[1]}" if _is_a(found, expected.split(" ")[1]) else repr(found.__mro__)
    if kind == "fields":
        return " ".join(["fields", *_fields(found)])
    return _signature(found)


def _is_a(found: Any, base: str) -> bool:
    return base in {cls.__name__ for cls in found.__mro__[1:]}


def _fields(cls: Any) -> list[str]:
    if issubclass(cls, pydantic.BaseModel):
        return [name + ("*" if field.is_required() else "") for name, field in cls.model_fields.items()]
    return [field.name for field in dataclasses.fields(cls)]


def _signature(found: Any) -> str:
    """Parameters without annotations, and without what this package adds by keyword or with a default after them."""
    if isinstance(found, type) and found.__init__ is object.__init__:  # type: ignore[misc]
        return "()"
    shown = []
    for parameter in inspect.signature(found).parameters.values():
        text = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "") + parameter.name
        if parameter.default is not parameter.empty:
            default = parameter.default
            text += f"={default if isinstance(default, Enum) else repr(default)}"
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in shown and not any(s[:1] == "*" for s in shown):
            shown.append("*")
        shown.append(text)
    return f"({', '.join(shown)})"


ADDED = {
    "Worker.start": ", *, auto_discover=True, strict=False, max_concurrent_handlers=10, max_concurrent_async=128, "
    "overrides=None",
    "Worker.stop": ", drain_s=None",
}
"""What this package adds: all optional, so that upstream's calls mean the same."""


def equal(name: str, expected: str) -> bool:
    return described(name, expected).replace(ADDED.get(name, "\0"), "") == expected


def test_all_has_exactly_upstreams_names() -> None:
    expected = {name for name, _ in ROWS if "." not in name}
    assert len(expected) == 121 and set(tasker_core.__all__) == expected
    assert len(tasker_core.__all__) == 121


@pytest.mark.parametrize(("name", "expected"), ROWS, ids=[name for name, _ in ROWS])
def test_signature(name: str, expected: str) -> None:
    assert described(name, expected).replace(ADDED.get(name, "\0"), "") == expected


@pytest.mark.parametrize("name", MODULES)
def test_module_path(name: str) -> None:
    assert isinstance(importlib.import_module(f"tasker_core.{name}"), types.ModuleType)


@pytest.mark.parametrize("module", SUBMODULE_NAMES)
def test_names_of_submodules(module: str) -> None:
    found = importlib.import_module(f"tasker_core.{module}")
    for name in SUBMODULE_NAMES[module].split():
        assert hasattr(found, name), name


def test_versions() -> None:
    assert tasker_core.__version__ == tasker_core.version() == tasker_core.get_version()
    assert "." in tasker_core.__version__ and tasker_core.health_check() is True


@pytest.mark.parametrize("name", sorted(tasker_core.__all__))
def test_every_public_name_has_a_docstring_worth_reading(name: str) -> None:
    found = getattr(tasker_core, name)
    if isinstance(found, str) or getattr(found, "__module__", "").endswith("fake_native") or inspect.isbuiltin(found):
        return
    if getattr(found, "__module__", "") == "tasker_core._tasker_core":
        return
    assert found.__doc__ and len(found.__doc__) >= 15, name
    if inspect.isclass(found):
        for attribute, value in vars(found).items():
            member = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
            public = not attribute.startswith("_") and found.__module__.startswith("tasker_core")
            if public and isinstance(member, (types.FunctionType, property)):
                assert member.__doc__, f"{name}.{attribute}"


def table() -> str:
    """The table of the issue: name, present, signature equal, tested by."""
    texts = {path.name: path.read_text() for path in sorted(HERE.glob("*_test.py")) if path.name != "surface_test.py"}
    lines = ["| name | present | signature equal | tested by |", "| --- | --- | --- | --- |"]
    for name, expected in ROWS:
        present = hasattr(tasker_core, name.split(".")[0])
        same = "yes" if present and equal(name, expected) else "no"
        word = name.split(".")[-1]
        users = [file for file, text in texts.items() if word in text] or ["surface_test.py"]
        lines.append(f"| {name} | {'yes' if present else 'no'} | {same} | {', '.join(users)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
