"""The page of examples/fastapi_app in Chromium: an order is submitted, and its picture moves until it is complete.

The pictures are left in the build folder, in fastapi_page/.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser, missing
from web_app import Server

PICTURES = Path(os.environ.get("TASKER_BUILD", "build")) / "fastapi_page"
STATES = "return [...document.querySelectorAll('.node')].map(node => [node.dataset.step, node.dataset.state])"

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Browser]]:
    """The shop and a window."""
    folder = tmp_path_factory.mktemp("page")
    with Server(folder, pace_s=0.1) as server, Browser(folder) as browser:
        yield server, browser


def test_the_page_draws_an_order_until_it_is_complete(shop: tuple[Server, Browser]) -> None:
    server, browser = shop
    browser.go(server.url)
    browser.click("#submit")
    browser.wait_until("document.querySelector('.node[data-step=ship][data-state=in_progress]')")
    browser.picture(PICTURES / "running.png")
    browser.wait_until("document.querySelectorAll('#outcome li').length === 7")
    browser.picture(PICTURES / "complete.png")
    assert browser.run("return document.getElementById('state').textContent") == "complete"
    assert {state for _, state in browser.run(STATES)} == {"complete"} and len(browser.run(STATES)) == 7
    assert browser.run("return document.querySelectorAll('.edge.satisfied').length") == 8


def test_the_page_shows_what_failed_and_finds_its_order_again(shop: tuple[Server, Browser]) -> None:
    server, browser = shop
    task = server.submit("P1", card="tok_declined")
    browser.go("about:blank")
    browser.go(f"{server.url}/#{task}")
    browser.wait_until("document.querySelectorAll('#outcome li').length === 4")
    browser.picture(PICTURES / "failed.png")
    assert dict(browser.run(STATES))["charge"] == "error" and dict(browser.run(STATES))["ship"] == "pending"
    assert "the card was declined" in browser.run("return document.getElementById('outcome').textContent")
