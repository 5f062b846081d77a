"""Headless Chromium by the WebDriver protocol, of which the tests need seven commands."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

PATIENCE_S = 60


def missing() -> str | None:
    """Why there is no browser here, or nothing."""
    for program in ("chromium", "chromedriver"):
        if shutil.which(program) is None:
            return f"no {program} here; apt-get install chromium chromium-driver (scripts/setup --check)"
    return None


class Browser:
    """One window."""

    def __init__(self, folder: Path, width: int = 1180, height: int = 860) -> None:
        self.folder, self.size = folder, (width, height)

    def __enter__(self) -> Browser:
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            self._open(self._port())
        except BaseException:
            self.driver.kill()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._call("DELETE", "")
        self.driver.terminate()
        self.driver.wait(PATIENCE_S)

    def _port(self) -> str:
        assert self.driver.stdout is not None
        for line in self.driver.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                return found.group(1)
        raise AssertionError("chromedriver ended at once")

    def _open(self, port: str) -> None:
        arguments = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
            f"--window-size={self.size[0]},{self.size[1]}", f"--user-data-dir={self.folder / 'chromium'}",
        ]  # fmt: skip
        options = {"binary": shutil.which("chromium"), "args": arguments}
        wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options, "timeouts": {"script": 30_000}}}}
        self.session = f"http://127.0.0.1:{port}/session"
        self.session += "/" + self._call("POST", "", wanted)["sessionId"]

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = httpx.request(method, self.session + path, json=body, timeout=PATIENCE_S)
        assert answer.is_success, answer.text
        return answer.json()["value"]

    def go(self, url: str) -> None:
        self._call("POST", "/url", {"url": url})

    def click(self, css: str) -> None:
        element = self._call("POST", "/element", {"using": "css selector", "value": css})
        self._call("POST", f"/element/{next(iter(element.values()))}/click", {})

    def run(self, script: str) -> Any:
        """What the body of a function returns."""
        return self._call("POST", "/execute/sync", {"script": script, "args": []})

    def wait_until(self, expression: str) -> None:
        """Until an expression is true, looked at whenever the page changes."""
        script = f"""
            const done = arguments[0];
            const look = () => {{ if ({expression}) {{ watch.disconnect(); done(true); }} }};
            const watch = new MutationObserver(look);
            watch.observe(document.body, {{subtree: true, childList: true, attributes: true, characterData: true}});
            look();
        """
        self._call("POST", "/execute/async", {"script": script, "args": []})

    def picture(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self._call("GET", "/screenshot")))
