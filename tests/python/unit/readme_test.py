"""The tables of the README name tests that exist, and CTest runs every file of tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent.parent
NAMED = re.findall(r"`([\w/]+\.py)::(\w+)`", (HERE / "README.md").read_text(encoding="utf-8"))
FILES = sorted(path for path in HERE.glob("*/*_test.py"))


@pytest.mark.parametrize(("file", "test"), sorted(set(NAMED)))
def test_a_named_test_exists(file: str, test: str) -> None:
    path = HERE / (file if "/" in file else f"e2e/{file}")
    assert re.search(rf"^(async )?def {test}\(", path.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_a_file_of_tests_is_run(file: Path) -> None:
    assert re.search(rf"(?<!\w){file.name}(?!\w)", (file.parent / "tests.cmake").read_text(encoding="utf-8"))


def test_every_defect_of_the_list_is_in_the_table() -> None:
    table = (HERE / "README.md").read_text(encoding="utf-8").split("## What is defective")[1]
    rows = re.findall(r"^\| ([\d.]+) \|", table, re.MULTILINE)
    wanted = [number for number in range(1, 29) if number != 25]
    assert [row for row in rows if row != "5.6"] == [str(number) for number in wanted]
    assert rows.count("5.6") == 6
