"""The rows of scripts/bench about the pipeline and the store: how each is measured stands in bench/README.md."""
import contextlib
import json
import os
import sqlite3
import struct
import sys
import time

from running import (TOP, BenchError, application, check_all_done, files_of, fresh, process_counters, quantile,
                     resident_mb, run, running, submit)

STEPS = 4  # of linear4 and diamond4
IN_FLIGHT = 256  # [worker] in_flight_max, by default
SLOW_STEPS, SLOW_MS = 600, 200


def measure_throughput(build_folder, folder, tasks, template="linear4"):
    """Steps per second of a host that finds `tasks` tasks in its store, their bytes on disk, its largest MB."""
    submit(build_folder, folder, tasks, template)
    with running(build_folder, folder) as host:
        host.wait_for("all steps had run", lambda record: record.ends >= tasks * STEPS, seconds=300)
        record = host.record()
        peak_mb = resident_mb(host.process.pid, "VmHWM")
    if record.starts != tasks * STEPS:
        raise BenchError(f"{tasks * STEPS} steps were started {record.starts} times; see {folder}.")
    # The handler does not see the commit of the last ends, so these are left out of the count.
    rate = (record.ends - IN_FLIGHT) / (record.last_end_ns - record.first_start_ns) * 1e9
    return rate, check_all_done(folder, tasks, STEPS), peak_mb


def measure_two_hosts(build_folder, folder, tasks):
    """Turns of two hosts that share a backlog, and ms until a third process's submit is durable meanwhile (p99)."""
    submit(build_folder, folder, tasks)
    with running(build_folder, folder, "first") as first, running(build_folder, folder, "second") as second:
        second.wait_for("both hosts were at work", lambda record: record.ends and first.record().ends, seconds=60)
        took = [ns / 1e6 for _, ns in submit(build_folder, folder, 100, every_ms=10)]
        second.wait_for("all steps had run", lambda record: record.ends + first.record().ends >= (tasks + 100) * STEPS,
                        seconds=300)
    check_all_done(folder, tasks + 100, STEPS)
    return first.turns(), second.turns(), quantile(took, 99)


def measure_slow(build_folder, folder, names):
    """Write calls and claims for each of the SLOW_STEPS that the hosts of these names share. Each claims more than it
    can run, and what waits in one of them long could run in another."""
    submit(build_folder, folder, SLOW_STEPS, "one_step")
    with contextlib.ExitStack() as stack:
        hosts = [stack.enter_context(running(build_folder, folder, name, TASKER_BENCH_SLEEP_MS=str(SLOW_MS)))
                 for name in names]
        begun = time.monotonic()
        hosts[-1].wait_for("all steps had run", lambda _: sum(host.record().ends for host in hosts) >= SLOW_STEPS,
                           seconds=120)
        took = time.monotonic() - begun
        writes = sum(process_counters(host.process.pid)[0] for host in hosts)
    shares = [host.record().ends for host in hosts]
    # A worker numbers its claims, in the low 40 bits.
    with contextlib.closing(sqlite3.connect(folder / ".tasker" / "tasker.db")) as store:
        last = "SELECT max(claim_id & 0xFFFFFFFFFF) FROM attempt GROUP BY claim_id >> 40"
        claims = sum(number for number, in store.execute(last))
    print(f"bench: {SLOW_STEPS} steps of {SLOW_MS} ms on {len(hosts)} host(s): {took:.1f} s, "
          f"{writes / took:.1f} writes/s, steps run {shares}, claims {claims}", file=sys.stderr)
    return writes / SLOW_STEPS, claims / SLOW_STEPS


def measure_wake(build_folder, folder, submits):
    """ms from before a submit until its step starts in an idle host of another process, p99. The host sleeps without a
    timeout: all of these are the bell's doing."""
    with running(build_folder, folder, LD_PRELOAD=str(build_folder / "bench" / "no_timeout.so")) as host:
        host.wait_for("it was up", lambda _: "runs on" in host.log(), seconds=30)
        began = [ns for ns, _ in submit(build_folder, folder, submits, "one_step", every_ms=100)]
        host.wait_for("all steps had run", lambda record: record.ends >= submits, seconds=30)
        starts = struct.unpack_from(f"={submits}q", host.record_file.read_bytes(), 32)
    return quantile([(start - begin) / 1e6 for begin, start in zip(began, starts)], 99)


def measure_foreign(build_folder, folder, backlog, runs):
    """p99 of linear4 tasks with `backlog` steps in front that this host cannot run, and with as many that have run."""
    p99 = {}
    for name, template in (("with", "foreign"), ("without", "one_step")):
        place = fresh(folder / name)
        submit(build_folder, place, backlog, template)
        if name == "without":  # the same rows, but at rest
            with running(build_folder, place) as host:
                host.wait_for("the backlog had run", lambda record: record.ends >= backlog, seconds=120)
        p99[name] = application(build_folder, place, "linear4", runs)["p99"]
    return p99["with"], p99["without"]


def measure_idle(build_folder, folder, seconds):
    """Writes per second, CPU in percent and resident MB of a host that has run a task and has nothing more to do."""
    with running(build_folder, folder) as host:
        submit(build_folder, folder, 1)
        host.wait_for("the one task had run", lambda record: record.ends >= STEPS, seconds=30)
        time.sleep(3)  # It may tidy up first.
        files, (writes, ran_ns), start = files_of(folder), process_counters(host.process.pid), time.monotonic()
        time.sleep(seconds)
        writes_after, ran_ns_after = process_counters(host.process.pid)
        elapsed, files_after = time.monotonic() - start, files_of(folder)
        rss_mb = resident_mb(host.process.pid)
    changed = sum(files.get(file) != now for file, now in files_after.items())  # also what mmap wrote
    return (max(writes_after - writes, changed) / elapsed, (ran_ns_after - ran_ns) / elapsed / 1e7, rss_mb)


def measure_python(build_folder, folder):
    """What bench/python_rows.py measured in a process of its own, in .venv."""
    interpreter = TOP / ".venv" / "bin" / "python"
    if not interpreter.exists():
        raise BenchError(f"{interpreter} is not there; run scripts/setup, or measure with --no-python.")
    env = {name: value for name, value in os.environ.items() if not name.startswith("TASKER_")}
    said = run("bench/python_rows.py", [str(interpreter), str(TOP / "bench" / "python_rows.py"), str(folder)],
               cwd=folder, env=env | {"PYTHONPATH": str(build_folder / "python")})
    measured = json.loads(said.splitlines()[-1])
    split = ", ".join(f"{what} {us:.0f}" for what, us in measured["split_us"].items())
    print(f"bench: one Python step in us: {split}", file=sys.stderr)
    return measured
