"""`mypy --strict` of the examples, and of the package that they are checked against."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parents[3]
ROOTS = ["plugins/python", "examples/fastapi_app", "examples/order_fulfillment"]


def test_the_examples_and_the_package_are_typed() -> None:
    checked = subprocess.run(
        [
            *[sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--config-file="],
            *["-p", "tasker_core", "-p", "app", "-p", "orders", "-m", "run"],
        ],
        env={**os.environ, "MYPYPATH": ":".join(str(TREE / root) for root in ROOTS)},
        cwd=TREE / "tests",
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
