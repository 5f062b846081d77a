"""Upstream's public surface beside this package's: name, present, signature equal, tested by.

    .venv/bin/python tests/python/unit/surface_table.py
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import sys
import textwrap
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

if __name__ == "__main__":
    import conftest  # noqa: F401 - puts the fake native module in place

import pydantic
import tasker_core

HERE = Path(__file__).resolve().parent
EXPECTED = [
    line.partition(" ")[::2]
    for line in (HERE / "upstream_surface.tsv").read_text().splitlines()
    if line and not line.startswith("#")
]
ADDED = {
    "Worker.start": (
        ", *, auto_discover=True, strict=False, max_concurrent_handlers=10, max_concurrent_async=128, overrides=None",
        "more, by keyword only: upstream's calls mean the same",
    ),
    "Worker.stop": (", drain_s=None", "the same without it"),
}
"""Where the signature has more than upstream's: what, and why upstream's callers do not see it."""


TESTS_SHOWN = 3


class Row(NamedTuple):
    """One line of the table."""

    name: str
    present: bool
    equal: bool
    reason: str
    tested_by: list[str]


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


def rows() -> list[Row]:
    """The table, in upstream's order.

    A test of a name is a file whose code uses it outside imports and annotations; one of a method uses its class and
    calls or overrides a method of that name.
    """
    tests = [*HERE.parent.glob("*/*_test.py"), *HERE.parent.glob("workflows/*_handlers.py")]
    used = {
        f"{path.parent.name}/{path.name}": uses(ast.parse(path.read_text()))
        for path in sorted(tests)
        if path.name != "surface_test.py"
    }
    return [_row(name, expected, used) for name, expected in EXPECTED]


def uses(tree: ast.AST) -> set[str]:
    """What code reads (`name`, `.attribute`) and defines (`def method`), that of programs in its strings too."""
    found: set[str] = set()
    for node in _walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            found.add(f".{node.attr}")
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found.add(f"def {node.name}")
        elif isinstance(node, (ast.Constant, ast.JoinedStr)):
            found |= _uses_of_program(node)
    return found


def _walk(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but annotations and the texts inside f-strings."""
    yield tree
    for field, value in ast.iter_fields(tree):
        if field in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not (isinstance(tree, ast.JoinedStr) and isinstance(child, ast.Constant)):
                yield from _walk(child)


def _uses_of_program(node: ast.Constant | ast.JoinedStr) -> set[str]:
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    text = "".join(str(part.value) if isinstance(part, ast.Constant) else "0" for part in parts)
    if "\n" not in text:
        return set()
    try:
        return uses(ast.parse(textwrap.dedent(text)))
    except SyntaxError:
        return set()


def _row(name: str, expected: str, tests: dict[str, set[str]]) -> Row:
    owner, _, method = name.rpartition(".")
    wanted = [{owner, f".{owner}"}, {f".{method}", f"def {method}"}] if owner else [{name, f".{name}"}]
    users = [file for file, used in tests.items() if all(used & forms for forms in wanted)]
    if not hasattr(tasker_core, name.split(".")[0]):
        return Row(name, False, False, "", users)
    added, reason = ADDED.get(name, ("", ""))
    found = described(name, expected)
    return Row(name, True, (found.replace(added, "") if added else found) == expected, reason, users)


def table() -> str:
    """The rows as Markdown."""
    lines = ["| name | present | signature equal | tested by |", "| --- | --- | --- | --- |"]
    for row in rows():
        equal = "yes" if row.equal else f"no: {described(row.name, dict(EXPECTED)[row.name])}"
        more = len(row.tested_by) - TESTS_SHOWN
        users = ", ".join(row.tested_by[:TESTS_SHOWN]) + (f" and {more} more" if more > 0 else "") or "nobody"
        lines.append(
            f"| {row.name} | {'yes' if row.present else 'no'} | {equal}{f' ({row.reason})' if row.reason else ''} "
            f"| {users} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
