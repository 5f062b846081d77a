"""The page of examples/fastapi_app in Chromium: an order is submitted, and its picture moves until it is complete.

The pictures are left in the build folder, in fastapi_page/.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from browser import Browser, missing
from web_app import Server

PICTURES = Path(os.environ.get("TASKER_BUILD", "build")) / "fastapi_page"
STATES = "return [...document.querySelectorAll('.node')].map(node => [node.dataset.step, node.dataset.state])"

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))


def test_the_page_draws_an_order_until_it_is_complete(tmp_path):
    with Server(tmp_path, pace_s=0.1) as server, Browser(tmp_path) as browser:
        browser.go(server.url)
        browser.click("#submit")
        browser.wait_until("document.querySelector('.node[data-step=ship][data-state=in_progress]')")
        browser.picture(PICTURES / "running.png")
        browser.wait_until("document.querySelectorAll('#outcome li').length === 7")
        browser.picture(PICTURES / "complete.png")
        assert browser.run("return document.getElementById('state').textContent") == "complete"
        assert {state for _, state in browser.run(STATES)} == {"complete"} and len(browser.run(STATES)) == 7
        assert browser.run("return document.querySelectorAll('.edge.satisfied').length") == 8


def test_the_page_shows_what_failed_and_finds_its_order_again(tmp_path):
    with Server(tmp_path, pace_s=0.02) as server, Browser(tmp_path) as browser:
        task = server.submit("P1", card="tok_declined")
        browser.go(f"{server.url}/#{task}")
        browser.wait_until("document.querySelectorAll('#outcome li').length === 4")
        browser.picture(PICTURES / "failed.png")
        assert dict(browser.run(STATES))["charge"] == "error" and dict(browser.run(STATES))["ship"] == "pending"
        assert "the card was declined" in browser.run("return document.getElementById('outcome').textContent")
