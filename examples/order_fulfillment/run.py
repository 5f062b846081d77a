#!/usr/bin/python3
"""Starts tasker-host, gives it every order of orders.jsonl, waits for their ends, and prints what became of them.

    scripts/setup && cmake --preset release && cmake --build --preset release
    examples/order_fulfillment/run.py [ORDERS.jsonl]

Everything that it writes is under build/order_fulfillment. TASKER_BUILD names another build than build/release.
"""

from __future__ import annotations

import collections
import json
import os
import pathlib
import shutil
import subprocess
import sys
from typing import Any

EXAMPLE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("TASKER_BUILD") or EXAMPLE.parents[1] / "build" / "release").resolve()
HOST = BUILD / "host" / "tasker-host"


def prepare() -> pathlib.Path:
    """An empty folder for the store, the files of the outside world, and this example's own plugin."""
    home = pathlib.Path(os.environ.get("ORDERS_HOME") or BUILD.parent / "order_fulfillment").resolve()
    shutil.rmtree(home, ignore_errors=True)
    (home / "plugins").mkdir(parents=True)
    plugin = home / "plugins" / "order_fulfillment.so"
    shutil.copyfile(BUILD / "plugins" / "order_fulfillment.so", plugin)
    plugin.chmod(0o755)
    return home


def client(home: pathlib.Path, env: dict[str, str], *arguments: str) -> Any:
    ended = subprocess.run([HOST, "--config", EXAMPLE / "worker.toml", *arguments, "--json"], cwd=home, env=env,
                           capture_output=True, text=True, check=False)
    if not ended.stdout:
        sys.exit(f"tasker-host {' '.join(arguments)}: {ended.stderr}")
    return json.loads(ended.stdout)


def fulfill(home: pathlib.Path, env: dict[str, str], host: subprocess.Popen[bytes], orders: list[Any]) -> list[Any]:
    """The tasks of these orders, at their ends."""
    ids = [client(home, env, "submit", "examples/order_fulfillment", "--key", order["order_id"],
                  "--context", json.dumps(order))["task"] for order in orders]
    tasks = []
    for task in ids:
        watch = subprocess.Popen([HOST, "--config", EXAMPLE / "worker.toml", "task", "show", task, "--watch"],
                                 cwd=home, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while watch.poll() is None:
            if host.poll() is not None:
                watch.kill()
                sys.exit(f"tasker-host ended with {host.returncode}; its log is {home}/host.log")
            try:
                watch.wait(timeout=0.5)
            except subprocess.TimeoutExpired:
                continue
        tasks.append(client(home, env, "task", "show", task))
    return tasks


def report(orders: list[Any], tasks: list[Any]) -> None:
    print(f"{'order':6} {'state':20} {'attempts at charge':18} why")
    for order, task in zip(orders, tasks):
        failed = [attempt for attempt in task["attempts"] if attempt["outcome"] == "error"]
        charges = sum(attempt["step"] == "charge" for attempt in task["attempts"])
        why = (failed[-1]["error"] or {}).get("message", "") if task["state"] != "complete" else ""
        print(f"{order['order_id']:6} {task['state']:20} {charges or '-':<18} {why}")
    print(dict(collections.Counter(task["state"] for task in tasks)))


def main() -> None:
    file = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else EXAMPLE / "orders.jsonl"
    orders = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    home = prepare()
    env = {**os.environ, "ORDERS_HOME": str(home), "TASKER_BUILD": str(BUILD)}
    for name in ("TASKER_PLUGIN_PATH", "TASKER_TEMPLATE_PATH", "TASKER_CONFIG_PATH", "TASKER_NAMESPACE", "PYTHONPATH"):
        env.pop(name, None)
    with open(home / "host.log", "wb") as log:
        host = subprocess.Popen([HOST, "--config", EXAMPLE / "worker.toml", "run"], cwd=home, env=env, stdout=log,
                                stderr=log)
    try:
        report(orders, fulfill(home, env, host, orders))
    finally:
        host.terminate()
        status = host.wait()
    if status != 0:
        sys.exit(f"tasker-host ended with {status}; its log is {home}/host.log")


if __name__ == "__main__":
    main()
