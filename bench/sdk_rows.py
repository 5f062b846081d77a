"""The rows of scripts/bench about single costs: a call through the ABI, a start, a wide task, a long queue."""
import json
import statistics
import time

from running import application, fresh, resident_mb, run, running, submit

SLEEP_MS = 1000  # of a handler that is to leave its queue as it is


def measure_abi_call(build_folder, folder, calls):
    """ns from the host into a native handler and back, the median of five programs."""
    bench = build_folder / "bench"
    took = []
    for number in range(5):
        env = {"TASKER_BENCH_RECORD": str(folder / f"record{number}")}
        took.append(json.loads(run("bench/abi_call", [str(bench / "abi_call"), str(bench / "plugins" / "bench_noop.so"),
                                                      str(calls)], env=env))["ns"])
    return statistics.median(took)


def measure_fanout(build_folder, folder, width, runs):
    """ms of one task 1 -> width -> 1 in a host that has nothing else to do, p50."""
    step = "  - name: {}\n    handler: {{callable: bench.noop}}\n    dependencies: {}\n"
    middle = [f"m{n}" for n in range(width)]
    template = fresh(folder / "templates") / "fanout.yaml"
    template.write_text("name: fanout\nnamespace_name: bench\nversion: 1.0.0\nsteps:\n" + step.format("first", "[]") +
                        "".join(step.format(name, "[first]") for name in middle) +
                        step.format("last", "[" + ", ".join(middle) + "]"), encoding="utf-8")
    return application(build_folder, folder, template, runs)["p50"]


def measure_one_step(build_folder, folder, tasks, runs):
    """One-step tasks per second that a client submits in batches beside a running host, from the client's start to the
    last end; and of an application that submits the next when the last has ended."""
    place = fresh(folder / "batched")
    with running(build_folder, place) as host:
        host.wait_for("it was up", lambda _: "runs on" in host.log(), seconds=30)
        begun = time.monotonic_ns()
        submit(build_folder, place, tasks, "one_step")
        host.wait_for("all steps had run", lambda record: record.ends >= tasks, seconds=120)
        batched = tasks / (host.record().last_end_ns - begun) * 1e9
    serial = application(build_folder, fresh(folder / "serial"), "one_step", runs)["mean"]
    return batched, 1000 / serial


def measure_queue(build_folder, folder, queued, turns):
    """With `queued` ready steps in the store: the p99 in ms of a turn that claims one and ends the one before, and the
    MB of a host that works on them."""
    submit(build_folder, folder, queued, "one_step")
    with running(build_folder, folder, TASKER_BENCH_SLEEP_MS=str(SLEEP_MS)) as host:
        host.wait_for("it was at work", lambda record: record.ends >= 1, seconds=60)
        memory = resident_mb(host.process.pid)
    claims = json.loads(run("bench/claim_turns", [str(build_folder / "bench" / "claim_turns"),
                                                  str(folder / ".tasker" / "tasker.db"), str(turns)]))
    return claims["p99"], memory


def measure_start(build_folder, folder, starts):
    """ms from before the program is started until the step that waits in its store runs, the median."""
    took = []
    for number in range(starts):
        place = fresh(folder / str(number))
        submit(build_folder, place, 1, "one_step")
        begun = time.monotonic_ns()
        with running(build_folder, place) as host:
            host.wait_for("its step had run", lambda record: record.ends >= 1, seconds=30)
            took.append((host.record().first_start_ns - begun) / 1e6)
    return statistics.median(took)
