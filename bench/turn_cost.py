#!/usr/bin/python3
"""Counts what the turn thread does for each step of linear4 tasks: instructions and allocations (callgrind), system
calls (strace). They vary by a few percent, as turns are larger or smaller.

    bench/turn_cost.py [--build DIR] [--tasks N]        the build is of the preset release
"""
import argparse
import collections
import os
import pathlib
import re
import shutil
import subprocess
import sys

from host_rows import STEPS
from running import TOP, BenchError, Host, fresh, running, submit

ALLOCATORS = {"operator new(unsigned long)": "allocations of the host", "sqlite3Malloc": "allocations of SQLite"}


class Profiled(Host):
    """A host under callgrind, which writes a file for each thread."""

    def command(self, binary):
        return ["valgrind", "--quiet", "--tool=callgrind", "--separate-threads=yes",
                f"--callgrind-out-file={self.folder}/callgrind", *super().command(binary)]


def parse(text):
    """Of one thread's file: instructions by library, and calls by function."""
    names, instructions, calls = {}, collections.Counter(), collections.Counter()

    def name_of(kind, value):
        number, _, name = value.partition(" ")
        return names.setdefault((kind, number), name)

    library, called, cost_of_call = "", "", False
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key == "ob":
            library = pathlib.Path(name_of("ob", value)).name
        elif key in ("cob", "fl", "fi", "fe", "cfi", "cfl", "fn"):
            name_of({"cob": "ob", "fn": "fn"}.get(key, "fl"), value)
        elif key == "cfn":
            called = name_of("fn", value)
        elif key == "calls":
            calls[called] += int(value.split()[0])
            cost_of_call = True
        elif re.match(r"[+*\-\d]", line):
            if not cost_of_call:
                instructions[library] += int(line.split()[1])
            cost_of_call = False
    return instructions, calls


def count_instructions(build, folder, tasks):
    submit(build, folder, tasks)
    with running(build, folder, kind=Profiled) as host:
        host.wait_for("all steps had run", lambda record: record.ends >= tasks * STEPS, seconds=600)
    threads = [file.read_text(encoding="utf-8", errors="replace") for file in folder.glob("callgrind-*")]
    turn = next(text for text in threads if "TurnLoop::RunTurn" in text)
    return parse(turn)


def count_system_calls(build, folder, tasks):
    submit(build, folder, tasks)
    with running(build, folder) as host:
        host.wait_for("it was at work", lambda record: record.ends > 0, seconds=30)
        threads = pathlib.Path(f"/proc/{host.process.pid}/task").glob("*")
        turn = next(thread.name for thread in threads if (thread / "comm").read_text() == "tasker-turn\n")
        before = host.record().ends
        command = ["strace", "-c", "-p", turn, "-o", folder / "strace"]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as strace:
            host.wait_for("all steps had run", lambda record: record.ends >= tasks * STEPS, seconds=600)
            strace.terminate()
    table = [line.split() for line in (folder / "strace").read_text(encoding="utf-8").splitlines()]
    counts = {row[-1]: int(row[3]) for row in table if len(row) >= 5 and row[3].isdigit() and row[-1] != "total"}
    return counts, tasks * STEPS - before


def report(build, tasks):
    folder = fresh(build / "bench" / "cost")
    steps = tasks * STEPS
    instructions, calls = count_instructions(build, fresh(folder / "callgrind"), tasks)
    print(f"instructions a step: {sum(instructions.values()) / steps:,.0f}")
    for library, count in instructions.most_common(4):
        print(f"  {library:<28} {count / steps:>9,.0f}")
    for function, noun in ALLOCATORS.items():
        print(f"{noun} a step: {calls[function] / steps:.1f}")
    counts, traced = count_system_calls(build, fresh(folder / "strace"), 10 * tasks)
    print(f"system calls a step: {sum(counts.values()) / traced:.2f}")
    for call, count in sorted(counts.items(), key=lambda item: -item[1])[:6]:
        print(f"  {call:<28} {count / traced:>9.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", metavar="DIR", type=pathlib.Path, default=TOP / "build" / "release")
    parser.add_argument("--tasks", type=int, default=5000, help="under callgrind, ten times as many under strace")
    options = parser.parse_args()
    for tool in ("valgrind", "strace"):
        if shutil.which(tool) is None:
            parser.error(f"{tool} is not installed; apt-get install {tool}")
    if not os.access(options.build / "bench" / "plugins" / "bench_noop.so", os.R_OK):
        parser.error(f"{options.build} has no benchmark in it; run scripts/bench once, or build the preset release")
    try:
        report(options.build.resolve(), options.tasks)
    except BenchError as error:
        print(f"turn_cost: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
