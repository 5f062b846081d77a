#!/usr/bin/python3
"""Kills the host with SIGKILL again and again under load. Every task must settle, and what the handlers recorded
themselves must agree with the store, attempt by attempt.

Usage: kill_loop_test.py [--kills N] [--seed S]

A kill comes when the handlers' record has grown by some lines, never by the clock.
"""

import argparse
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from joined import Joined  # noqa: E402
from load import Submitter, random_dag, wait_until_all_settled  # noqa: E402
from template_text import chain, template_text  # noqa: E402
from workspace import Workspace  # noqa: E402

HANDLER = "killlog.work"
# No step may be taken for poison: it is innocent of the kills.
CONFIG = "[worker]\nthreads = 4\n\n[store]\ncrash_max = 100\n"


def make_templates(rng):
    """{name: steps}"""
    templates = {f"dag{i}": random_dag(rng, [HANDLER]) for i in range(6)}
    return templates | {"linear4": chain(HANDLER, "first", "second", "third", "fourth")}


def kill_again_and_again(workspace, kills, rng, submitter):
    for _ in range(kills):
        host = workspace.start_host()
        target = workspace.record.count() + rng.randint(12, 32)
        host.until(f"{target} lines in the record",
                   lambda at=target: workspace.record.count() >= at or submitter.error, every_s=0.001)
        host.kill()
        if submitter.error:
            return


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1, help="of the templates, of what is submitted, of when is killed")
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    templates = make_templates(rng)
    with Workspace(plugins=["killlog"], config=CONFIG) as workspace:
        for name, steps in templates.items():
            workspace.add_template(name, template_text(name, steps))
        with Submitter(workspace, templates, random.Random(rng.random())) as submitter:
            kill_again_and_again(workspace, arguments.kills, rng, submitter)
        last = workspace.start_host()
        states = wait_until_all_settled(workspace, last, submitter.tasks)
        stopped = last.stop()
        assert stopped == 0, f"the last host exited with {stopped}"
        joined = Joined(workspace, templates)
        contradictions = joined.contradictions()
        contradictions += [f"task {task} settled as {state}" for task, state in states.items() if state != "complete"]
        workers = workspace.store.workers()
        contradictions += [f"worker {worker.id} has no end" for worker in workers if worker.ended_us is None]
        if len(workers) != arguments.kills + 1:
            contradictions.append(f"{len(workers)} workers are known, not one a start")
    lost = sum(row.outcome == "worker_lost" for row in joined.rows)
    print(f"kills {arguments.kills}, tasks {len(states)}, lines {len(joined.lines)}, rows {len(joined.rows)}, "
          f"rows without a line {len(joined.without_line)}, worker_lost {lost}")
    if lost == 0:
        contradictions.append("no kill hit a running step: the loop has shown nothing")
    for contradiction in contradictions:
        print(contradiction)
    return 1 if contradictions else 0


if __name__ == "__main__":
    sys.exit(main())
