"""The package as a user has it: a wheel in a fresh virtualenv outside the tree, and the testing guide's three lines.

The wheel and those that it needs are in build/wheel, where `tests/python/make_wheel` puts them (scripts/check runs it):
building one takes minutes. Without a wheel of these sources the test is skipped and says so.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parents[3]
WHEELS = TREE / "build" / "wheel"
GUIDE = (TREE / "docs" / "guides" / "testing.md").read_text()
BLOCKS = re.findall(r"```(python|yaml)\n(.*?)```", GUIDE, re.DOTALL)


def why_not() -> str | None:
    """Why there is no wheel of these sources, or nothing."""
    found = sorted(WHEELS.glob("tasker_host-*.whl"))
    if len(found) != 1:
        return "no wheel in build/wheel; tests/python/make_wheel builds one, which takes minutes"
    with zipfile.ZipFile(found[0]) as wheel:
        for source in sorted((TREE / "plugins" / "python" / "tasker_core").rglob("*.py")):
            name = str(source.relative_to(TREE / "plugins" / "python"))
            if name not in wheel.namelist() or wheel.read(name) != source.read_bytes():
                return f"the wheel in build/wheel has another {name}; tests/python/make_wheel builds a new one"
    return None


def run(*command: object, cwd: Path) -> str:
    """What a command said that had nothing of this tree in its environment."""
    env = {"PATH": "/usr/bin:/bin", "HOME": str(cwd), "PYTHONDONTWRITEBYTECODE": "1"}
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh virtualenv with nothing but the wheel, pytest and what they need."""
    folder = tmp_path_factory.mktemp("installed")
    run("/usr/bin/python3.11", "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    interpreter = folder / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", interpreter]
    run(*pip, "install", "--quiet", "--no-index", "--find-links", WHEELS, "tasker-host", "pytest", cwd=folder)
    return interpreter


@pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
def test_three_lines_test_a_workflow(python: Path, tmp_path: Path) -> None:
    (kind, lines), (_, template), (_, handlers), (_, more) = BLOCKS[:4]
    assert kind == "python" and len(lines.splitlines()) == 3
    for name, text in {"test_order.py": lines, "order.yaml": template, "orders.py": handlers}.items():
        (tmp_path / name).write_text(text)
    assert "\n1 passed in " in run(python, "-m", "pytest", "-q", cwd=tmp_path)
    (tmp_path / "test_more.py").write_text(more)
    (tmp_path / "test_handlers.py").write_text(BLOCKS[4][1])
    (tmp_path / "test_one_worker.py").write_text(BLOCKS[5][1])
    assert "\n6 passed in " in run(python, "-m", "pytest", "-q", cwd=tmp_path)
    assert not (tmp_path / ".tasker").exists(), "a test leaves no store"
    where = run(python, "-c", "import tasker_core; print(tasker_core.__file__)", cwd=tmp_path)
    assert where.startswith(str(python.parents[1])) and os.environ["TASKER_BUILD"] not in where
