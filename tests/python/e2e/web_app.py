"""examples/fastapi_app by its command, under uvicorn in processes of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "fastapi_app"
PATIENCE_S = 30
COFFEE = {"customer": "ada@example.org", "items": [{"sku": "coffee", "quantity": 2}]}


class Server:
    """uvicorn with a copy of the example, at a port of its own."""

    def __init__(self, folder: Path, *arguments: str, processes: int = 1, pace_s: float = 0.03) -> None:
        shutil.copytree(EXAMPLE, folder / "shop")
        self.app = folder / "shop" / "app"
        self.processes = processes
        self.lines: list[str] = []
        self.said = threading.Condition()
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            "PYTHON": sys.executable,
            "PYTHONDONTWRITEBYTECODE": "1",
            "TASKER_BUILD": os.environ["TASKER_BUILD"],
            "TASKER_LOG_LEVEL": "warning",
            "SHOP_HOME": str(folder / "home"),
            "SHOP_PACE_S": str(pace_s),
        }
        command = [folder / "shop" / "run", "--port", "0", *arguments]
        self.process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def __enter__(self) -> Server:
        try:
            self.wait_for("Application startup complete", self.processes)
            self.wait_for("running on http://")
        except BaseException:
            self.stop()
            raise
        port = re.search(r"running on http://127\.0\.0\.1:(\d+)", "\n".join(self.lines))
        assert port is not None
        self.url = f"http://127.0.0.1:{port.group(1)}"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.stop()
        if error is not None:
            print(*self.lines, sep="\n")

    def stop(self) -> None:
        """SIGTERM, which it must obey."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self.reader.join(PATIENCE_S)

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self.said:
                self.lines.append(line.rstrip())
                self.said.notify_all()
        with self.said:
            self.lines.append("<end>")
            self.said.notify_all()

    def wait_for(self, text: str, times: int = 1) -> None:
        """Until so many lines of the log have the text."""

        def enough() -> bool:
            return self.count(text) >= times or self.lines[-1:] == ["<end>"]

        with self.said:
            assert self.said.wait_for(enough, PATIENCE_S) and self.count(text) >= times, self.lines

    def count(self, text: str) -> int:
        return sum(text in line for line in self.lines)

    def submit(self, order_id: str, **more: Any) -> str:
        """The id of the order's task."""
        answer = httpx.post(f"{self.url}/orders", json={"order_id": order_id, **COFFEE, **more}, timeout=PATIENCE_S)
        assert answer.status_code == 202, answer.text
        task: str = answer.json()["task"]
        return task

    def show(self, task: str) -> dict[str, Any]:
        shown: dict[str, Any] = httpx.get(f"{self.url}/orders/{task}", timeout=PATIENCE_S).raise_for_status().json()
        return shown

    def stream(self, task: str) -> Iterator[dict[str, Any]]:
        """The order's events until the stream ends, on a connection of its own."""
        with httpx.stream("GET", f"{self.url}/orders/{task}/events", timeout=PATIENCE_S) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    yield json.loads(line[len("data: ") :])

    def until(self, pids: int, ask: Callable[[], int]) -> set[int]:
        """Asks on new connections until so many processes have answered; the kernel chooses which one does."""
        seen: set[int] = set()
        deadline = time.monotonic() + PATIENCE_S
        while len(seen) < pids:
            assert time.monotonic() < deadline, f"only {seen} answered"
            seen.add(ask())
        return seen


def states(event: dict[str, Any]) -> dict[str, str]:
    """The state of each step by its name."""
    return {step["name"]: step["state"] for step in event["steps"]}
