"""Measures the Python worker of this build, in this process; prints one JSON object. Run by scripts/bench.

    PYTHONPATH=build/release/python .venv/bin/python bench/python_rows.py EMPTY_FOLDER [STEPS]
"""

import asyncio
import json
import pathlib
import statistics
import subprocess
import sys
import threading
import time

from tasker_core import EventBridge, HandlerRegistry, StepHandler, Worker
from tasker_core import _tasker_core as native
from tasker_core._execution import pool as pools
from tasker_core._execution import submit as submits

TEMPLATE = """
name: {name}
namespace_name: bench
version: "1.0.0"
steps:
{steps}
"""
DONE = {"steps": 0, "wanted": 0}
ALL = threading.Event()


class Noop(StepHandler):
    handler_name = "bench.noop"

    def call(self, context):
        DONE["steps"] += 1
        if DONE["steps"] == DONE["wanted"]:
            ALL.set()
        return self.success({"n": 1})


class Nap(StepHandler):
    handler_name = "bench.nap"

    async def call(self, context):
        await asyncio.sleep(0.1)
        return self.success({})


def template(folder, name, handler, count, chained):
    steps = []
    for n in range(count):
        before = f"[s{n - 1}]" if chained and n else "[]"
        steps.append(f"  - name: s{n}\n    handler: {{callable: {handler}}}\n    dependencies: {before}")
    (folder / "templates" / f"{name}.yaml").write_text(TEMPLATE.format(name=name, steps="\n".join(steps)))


def create(name):
    return native.client_create_task({"name": name, "namespace": "bench", "context": {}})["task_uuid"]


def overrides(folder, store="throughput"):
    return {"store.path": str(folder / f"{store}.db"), "templates.paths": [str(folder / "templates")],
            "plugins.dirs": [str(folder / "plugins")], "log.level": "error"}


def throughput(folder, steps):
    """Steps per second of a worker that finds them all in its store, and what its threads spent of each in native
    calls and waiting for the GIL, in microseconds."""
    native.client_open({"overrides": overrides(folder)})
    for _ in range(steps // 100):
        create("wide")
    DONE.update(steps=0, wanted=steps // 100 * 100)
    ALL.clear()
    with Worker.start(overrides=overrides(folder)):
        native._measure_gil()
        began = time.perf_counter()
        if not ALL.wait(120):
            sys.exit(f"only {DONE['steps']} of {DONE['wanted']} steps ran within 120 s")
        took = time.perf_counter() - began
        return DONE["wanted"] / took, *(spent / DONE["wanted"] * 1e6 for spent in native._gil_spent())


def latency_ms(runs):
    took = []
    for _ in range(runs):
        began = time.perf_counter()
        native._client_wait(create("chain"), 20.0)
        took.append((time.perf_counter() - began) * 1e3)
    return statistics.median(took)


def naps_s():
    native._client_wait(create("naps"), 20.0)  # the loop and its imports are there afterwards
    began = time.perf_counter()
    native._client_wait(create("naps"), 20.0)
    return time.perf_counter() - began


def import_s(times=7):
    """Seconds that `import tasker_core` takes in a new interpreter."""
    program = "import time; t = time.perf_counter(); import tasker_core; print(time.perf_counter() - t)"
    return statistics.median(float(subprocess.check_output([sys.executable, "-c", program])) for _ in range(times))


def layer(registry, text, steps):
    """Steps per second of the same Python layer in a bare loop: no host, no store, no other thread."""
    pool = pools.Pool(registry, EventBridge.instance(), "bench", 1, 1)
    complete, submits.native = submits.native, type("Nobody", (), {"_complete": staticmethod(lambda *_: True)})
    try:
        began = time.perf_counter()
        for _ in range(steps):
            pool._execute(text)
        return steps / (time.perf_counter() - began)
    finally:
        submits.native = complete


def per_call_us(function, times=20000):
    began = time.perf_counter()
    for _ in range(times):
        function()
    return (time.perf_counter() - began) / times * 1e6


def recorded_event(folder):
    native.bootstrap_worker({"overrides": overrides(folder, "event")})
    native._register_handlers([("bench.noop", "1", 0, False, False)])
    native._consume(1)
    create("wide")
    text = native._take_step(20.0)
    native._complete(json.loads(text)["event_id"], "{}", "{}", None)
    native._consume(0)
    native.stop_worker()
    return text


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    steps = int(sys.argv[2]) if len(sys.argv) > 2 else 40_000
    (folder / "templates").mkdir(parents=True)
    template(folder, "wide", "bench.noop", 100, False)
    template(folder, "chain", "bench.noop", 4, True)
    template(folder, "naps", "bench.nap", 100, False)
    registry = HandlerRegistry.instance(skip_bootstrap=True)
    registry.register("bench.noop", Noop)
    registry.register("bench.nap", Nap)
    rate, native_us, gil_us = throughput(folder, steps)
    with Worker.start(overrides=overrides(folder, "latency")):
        p50 = latency_ms(200)
        naps = naps_s()
    text = recorded_event(folder)
    bare = layer(registry, text, steps // 2)
    event = json.loads(text)
    result = {"n": 1}
    json_us = per_call_us(lambda: json.loads(text)) + per_call_us(lambda: json.dumps(result))
    handler_us = per_call_us(lambda: Noop().call(None))
    whole_us, layer_us = 1e6 / rate, 1e6 / bare
    print(json.dumps({
        "python_noop": rate, "python_layer": bare, "python_linear4_latency_p50": p50, "python_async100": naps,
        "python_import": import_s(),
        # Whole: from one step's end to the next, on all threads; the rest: what its own thread spends on a step.
        "split_us": {"whole": whole_us, "native": native_us, "GIL": gil_us, "json": json_us, "handler": handler_us,
                     "rest of the Python layer": layer_us - json_us - handler_us},
        "event_bytes": len(text), "keys": len(event)}))


if __name__ == "__main__":
    main()
