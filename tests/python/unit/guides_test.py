"""The Python code of the guides: it compiles, and what it takes from tasker_core exists and is called rightly."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import tasker_core

GUIDES = Path(__file__).resolve().parents[3] / "docs" / "guides"
BLOCKS = [
    pytest.param(block, id=f"{guide.stem}-{number}")
    for guide in sorted(GUIDES.glob("*.md"))
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", guide.read_text(), re.DOTALL), 1)
]


def imported(tree: ast.AST) -> dict[str, Any]:
    """What a block imports from tasker_core, by its name there."""
    found: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tasker_core"):
            module = importlib.import_module(node.module or "")
            found.update({alias.name: getattr(module, alias.name) for alias in node.names})
    return found


@pytest.mark.parametrize("block", BLOCKS)
def test_block(block: str) -> None:
    tree = ast.parse(block)
    names = imported(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called: Any = None
        if isinstance(node.func, ast.Name):
            called = names.get(node.func.id)
        elif isinstance(node.func, ast.Attribute):
            value = node.func.value
            owner = names.get(value.id) if isinstance(value, ast.Name) else None
            if isinstance(value, ast.Name) and value.id == "context":
                owner = tasker_core.StepContext
            if isinstance(value, ast.Name) and value.id == "client":
                owner = tasker_core.TaskerClient
            called = getattr(owner, node.func.attr) if owner is not None else None
        if called is None:
            continue
        known = inspect.signature(called).parameters
        takes_more = any(p.kind is p.VAR_KEYWORD for p in known.values())
        for keyword in node.keywords:
            assert keyword.arg in known or takes_more, f"{ast.unparse(node)}: no {keyword.arg}"
