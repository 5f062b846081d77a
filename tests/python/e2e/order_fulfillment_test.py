"""examples/order_fulfillment by its README, compared with the orders and with what the outside world saw."""

import collections
import json
import os
import subprocess
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "order_fulfillment"


def test_every_order_ends_as_it_should_and_no_card_is_charged_twice(tmp_path):
    home = tmp_path / "home"
    ended = subprocess.run(
        [EXAMPLE / "run.py"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "ORDERS_HOME": str(home), "TASKER_BUILD": os.environ["TASKER_BUILD"]},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    orders = [json.loads(line) for line in (EXAMPLE / "orders.jsonl").read_text().splitlines()]
    lines = {line.split()[0]: line for line in ended.stdout.splitlines()[1:-1]}
    assert set(lines) == {order["order_id"] for order in orders}

    complete = {order for order, line in lines.items() if line.split()[1] == "complete"}
    declined = {order["order_id"] for order in orders if order["card"] == "tok_declined"}
    wrong = {"A027", "A028", "A029", "A030"}
    # Of the two that want teapots the first to come gets them.
    teapots = {"A025", "A026"}
    assert len(complete & teapots) == 1
    assert complete - teapots == {order["order_id"] for order in orders} - declined - wrong - teapots
    for order in orders:
        line = lines[order["order_id"]]
        if order["card"] == "tok_flaky":
            assert line.split()[2] == "3", line
        if order["card"] == "tok_declined":
            assert line.split()[2] == "1" and "declined" in line, line

    charges = [json.loads(line) for line in (home / "outside" / "charges.jsonl").read_text().splitlines()]
    mails = [json.loads(line) for line in (home / "outside" / "mails.jsonl").read_text().splitlines()]
    assert collections.Counter(charge["order"] for charge in charges) == dict.fromkeys(complete, 1)
    assert {mail["order"] for mail in mails} == complete
