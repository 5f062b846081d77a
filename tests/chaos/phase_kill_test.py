#!/usr/bin/python3
"""Lets hosts kill themselves in each phase of a turn, under load. Every task must settle, and what the handlers
recorded must agree with the store, attempt by attempt.

Usage: phase_kill_test.py [--each N] [--seed S]

No kill comes by the clock: the shim sends it from inside the call that makes the phase (tests/chaos/shim).
"""

import argparse
import collections
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from joined import Joined  # noqa: E402
from load import Submitter, random_dag, wait_until_all_settled  # noqa: E402
from shimmed_workspace import PHASES, ShimmedWorkspace  # noqa: E402
from template_text import template_text  # noqa: E402

HANDLERS = ("chaos.work", "chaos.work", "chaos.flaky", "chaos.yield")
# No step may be taken for poison, nor give up: it is innocent of the kills.
CONFIG = "[worker]\nthreads = 4\n\n[store]\ncrash_max = 100\n"
RETRY = "{max_attempts: 100, backoff: none}"


def make_templates(rng):
    templates = {f"dag{i}": random_dag(rng, HANDLERS) for i in range(6)}
    for steps in templates.values():
        for step in steps:
            step.retry = RETRY
    return templates


def die_in_each_phase(workspace, each, rng, submitter):
    phases = list(PHASES) * each
    rng.shuffle(phases)
    for phase in phases:
        host = workspace.start_host(phase, after=rng.randint(4, 24), nth=rng.randint(1, 3))
        deaths = len(workspace.reported_phases())
        workspace.until_dead(host, f"the host kills itself in the phase {phase}", lambda: submitter.error)
        if submitter.error:
            return
        assert workspace.reported_phases()[deaths:] == [phase], f"the host died otherwise than in {phase}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=1, help="kills in each phase")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    templates = make_templates(rng)
    with ShimmedWorkspace(config=CONFIG) as workspace:
        for name, steps in templates.items():
            workspace.add_template(name, template_text(name, steps))
        with Submitter(workspace, templates, random.Random(rng.random())) as submitter:
            die_in_each_phase(workspace, arguments.each, rng, submitter)
        last = workspace.start_host()
        states = wait_until_all_settled(workspace, last, submitter.tasks)
        stopped = last.stop()
        assert stopped == 0, f"the last host exited with {stopped}"
        joined = Joined(workspace, templates)
        contradictions = joined.contradictions()
        contradictions += [f"task {task} settled as {state}" for task, state in states.items() if state != "complete"]
        deaths = collections.Counter(workspace.reported_phases())
    for phase in PHASES:
        print(f"died in {phase}: {deaths[phase]}")
        if deaths[phase] < arguments.each:
            contradictions.append(f"only {deaths[phase]} hosts died in {phase}")
    lost = sum(row.outcome == "worker_lost" for row in joined.rows)
    print(f"tasks {len(states)}, lines {len(joined.lines)}, rows {len(joined.rows)}, "
          f"rows without a line {len(joined.without_line)}, worker_lost {lost}")
    for contradiction in contradictions:
        print(contradiction)
    return 1 if contradictions else 0


if __name__ == "__main__":
    sys.exit(main())
