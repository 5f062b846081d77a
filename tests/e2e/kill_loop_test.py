#!/usr/bin/python3
"""Kills the host with SIGKILL again and again under load. Every task must settle, and what the handlers recorded
themselves must agree with the store, attempt by attempt.

Usage: kill_loop_test.py [--kills N] [--seed S]

A kill comes when the handlers' record has grown by some lines, never by the clock.
"""

import argparse
import collections
import pathlib
import random
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from store_rows import SETTLED  # noqa: E402
from template_text import Step, chain, template_text  # noqa: E402
from workspace import Workspace  # noqa: E402

HANDLER = "killlog.work"
BACKLOG = 60  # Steps that wait at least, while the submitter keeps up: no kill hits an idle host.
# No step may be taken for poison: it is innocent of the kills.
CONFIG = "[worker]\nthreads = 4\n\n[store]\ncrash_max = 100\n"


def random_dag(rng):
    names = [f"s{i}" for i in range(rng.randint(4, 12))]
    return [Step(name, HANDLER, tuple(rng.sample(names[:i], rng.randint(0, min(i, 3)))))
            for i, name in enumerate(names)]


def make_templates(rng):
    """{name: steps}"""
    templates = {f"dag{i}": random_dag(rng) for i in range(6)}
    return templates | {"linear4": chain(HANDLER, "first", "second", "third", "fourth")}


class Submitter:
    """Submits tasks from a thread of its own, whether a host runs or not, so that the backlog stays."""

    def __init__(self, workspace, templates, rng):
        self._workspace, self._templates, self._rng = workspace, templates, rng
        self._stop = threading.Event()
        self._steps = 0
        self.tasks = []
        self.error = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        if self.error is not None:
            raise self.error

    def _run(self):
        try:
            while not self._stop.is_set():
                if self._steps > self._workspace.record.count() + BACKLOG:
                    self._stop.wait(0.005)
                    continue
                name = self._rng.choice(sorted(self._templates))
                self.tasks.append(self._workspace.submit(name))
                self._steps += len(self._templates[name])
        except Exception as error:  # The thread that leaves the `with` raises it.
            self.error = error


def kill_again_and_again(workspace, kills, rng, submitter):
    for _ in range(kills):
        host = workspace.start_host()
        target = workspace.record.count() + rng.randint(12, 32)
        host.until(f"{target} lines in the record",
                   lambda at=target: workspace.record.count() >= at or submitter.error, every_s=0.001)
        host.kill()
        if submitter.error:
            return


def wait_until_all_settled(workspace, host, expected):
    """{task: state}, as `task list` has them."""

    def settled():
        tasks = workspace.ask("task", "list", "--limit", "1000")["tasks"]
        states = {task["task"]: task["state"] for task in tasks}
        return states if all(state in SETTLED for state in states.values()) else None

    states = host.until("every task is settled", settled, every_s=0.1)
    assert sorted(states) == sorted(expected), "the list of tasks is not the list of what was submitted"
    return states


class Joined:
    """The handlers' lines and the store's attempt rows, joined by call_id."""

    def __init__(self, workspace, templates):
        self.lines = workspace.record.lines()
        self.rows = workspace.store.attempts()
        tasks = workspace.store.tasks()
        self._step_names = {task: [step.name for step in templates[name]] for task, (_, name) in tasks.items()}
        self._by_call = {row.call_id: row for row in self.rows}
        self._started = {words[2] for words in self.lines}
        self.without_line = [row for row in self.rows if row.call_id not in self._started]

    def contradictions(self):
        found = []
        calls = collections.Counter(words[2] for words in self.lines)
        found += [f"call {call} started {times} times" for call, times in calls.items() if times > 1]
        if len(self._by_call) != len(self.rows):
            found.append("two attempt rows have the same call_id")
        for task, step, call in self.lines:
            row = self._by_call.get(call)
            if row is None:
                found.append(f"the start of {step} of {task} as {call} has no attempt row")
            elif (row.task, self._step_names[row.task][row.n]) != (task, step):
                found.append(f"call {call} belongs to {step} of {task}, and its row to step {row.n} of {row.task}")
        for row in self.without_line:
            if row.outcome != "worker_lost":
                found.append(f"call {row.call_id} never started, and its row says {row.outcome}")
        complete = collections.Counter((row.task, row.n) for row in self.rows if row.outcome == "complete")
        found += [f"step {n} of {task} completed {times} times" for (task, n), times in complete.items() if times > 1]
        steps = {(task, n) for task, names in self._step_names.items() for n in range(len(names))}
        found += [f"step {n} of {task} has no complete attempt" for task, n in sorted(steps - set(complete))]
        return found


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
