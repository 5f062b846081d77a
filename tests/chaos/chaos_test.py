#!/usr/bin/python3
"""Random workflows on several hosts, while hosts are killed, stopped and continued and the disk fails, and clients
submit, cancel and look. At the end every acknowledged task is settled, what the handlers recorded agrees with the
attempts, the rules of store_rules.py hold, and so does what `store verify` asserts.

Usage: chaos_test.py [--seconds N | --minutes N] [--seed S] [--hosts N]
"""

import argparse
import collections
import json
import pathlib
import random
import signal
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from joined import Joined  # noqa: E402
from load import random_dag  # noqa: E402
from shimmed_workspace import PHASES, Control, ShimmedWorkspace  # noqa: E402
from store_rows import SETTLED  # noqa: E402
from store_rules import broken_rules  # noqa: E402
from template_text import template_text  # noqa: E402
from waiting import until  # noqa: E402

HANDLERS = ("chaos.work", "chaos.work", "chaos.work", "chaos.flaky", "chaos.yield")
# Kills and stops hit innocent steps again and again.
CONFIG = '[worker]\nthreads = 4\ndrain = "5s"\n\n[store]\ncrash_max = 100\n'
RETRIES = ("{max_attempts: 100, backoff: none}", "{max_attempts: 100, backoff: linear, backoff_base_ms: 50}",
           "{max_attempts: 2, backoff: none}")
EX_UNAVAILABLE = 69
BACKLOG_MAX = 400  # Lines that the record may lack of what was submitted.
FAULTS = (Control.FULL, Control.SHORT, Control.IO, Control.SYNC, Control.READONLY)


class Clients:
    """Submit and cancel from a thread of their own. What is not acknowledged is nobody's loss."""

    def __init__(self, workspace, templates, seed):
        self._workspace, self._templates, self._rng = workspace, templates, random.Random(seed)
        self._stop = threading.Event()
        self._steps = 0
        self.tasks = {}  # That were acknowledged: the name of the template.
        self.counts = collections.Counter()
        self.error = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _run(self):
        try:
            while not self._stop.is_set():
                if self._steps > self._workspace.record.count() + BACKLOG_MAX:
                    self._stop.wait(0.02)
                elif self.tasks and self._rng.random() < 0.1:
                    self._cancel()
                else:
                    self._submit()
        except Exception as error:  # The main thread raises it.
            self.error = error

    def _submit(self):
        name = self._rng.choice(sorted(self._templates))
        ended = self._workspace.client("submit", name, "--json")
        self._check_exit(ended, "submit")
        if ended.returncode == 0:
            self.tasks[json.loads(ended.stdout)["task"]] = name
            self._steps += len(self._templates[name])

    def _cancel(self):
        task = self._rng.choice(sorted(self.tasks))
        self._check_exit(self._workspace.client("task", "cancel", task, "--reason", "chaos"), "cancel")

    def _check_exit(self, ended, what):
        """Refused is fine, with a sentence; a crash is not."""
        self.counts[f"{what} {'done' if ended.returncode == 0 else 'refused'}"] += 1
        assert ended.returncode >= 0, f"{what} was ended by signal {-ended.returncode}: {ended.stderr}"
        assert ended.returncode == 0 or ended.stderr.strip(), f"{what} failed without a word"


class Chaos:
    """What is done to the hosts. One thing at a time is broken besides dead and stopped hosts."""

    def __init__(self, workspace, hosts, rng):
        self._workspace, self._rng, self._began = workspace, rng, time.monotonic()
        self._hosts = [workspace.start_host() for _ in range(hosts)]
        for host in self._hosts:
            host.until("it runs", lambda it=host: it.log(" runs on "))
        self._stopped = self._drained = None
        self._doomed = []  # To kill themselves, sooner or later.
        self.counts = collections.Counter()

    def step(self):
        self._replace_dead()
        if self._rng.random() < 0.5:
            self._continue()
        action = self._rng.choice((self._kill, self._kill_in_phase, self._freeze, self._fault, self._drain, self._wait,
                                   self._wait))
        began = time.monotonic()
        action()
        print(f"{began - self._began:7.2f} s {action.__name__[1:]} for {time.monotonic() - began:.2f} s; hosts "
              f"{[host.pid for host in self._hosts]}", file=sys.stderr, flush=True)

    def end_faults(self):
        self._continue()
        self._workspace.control.clear_fault()
        for host in self._doomed:
            host.kill()
        self._replace_dead()

    def stop_hosts(self):
        """The exit statuses."""
        for host in self._hosts:
            host.terminate()
        return [host.wait() for host in self._hosts]

    def until(self, what, condition):
        self._hosts[0].until(what, condition, every_s=0.1)

    def _replace_dead(self, phase=None):
        for at, host in enumerate(self._hosts):
            status = host.process.poll()
            if status is None:
                continue
            asked = status in (0, -signal.SIGKILL) or host is self._drained
            # One that starts while the disk fails says so and ends.
            not_begun = status == EX_UNAVAILABLE and not host.log(" runs on ")
            assert asked or not_begun, f"a host ended by itself with {status}: {host.log_path}"
            self._hosts[at] = self._workspace.start_host(phase, after=self._rng.randint(0, 20))
            if phase is not None:
                self._doomed.append(self._hosts[at])

    def _progress(self, lines):
        """Waits until the handlers have written some lines, or for a while."""
        target = self._workspace.record.count() + lines
        deadline = time.monotonic() + 1
        until("progress, or a second", lambda: self._workspace.record.count() >= target or time.monotonic() > deadline)

    def _wait(self):
        self._progress(self._rng.randint(5, 60))

    def _kill(self):
        self.counts["killed"] += 1
        self._rng.choice(self._hosts).kill()
        self._replace_dead()
        self._wait()

    def _kill_in_phase(self):
        """One host is replaced by one that will kill itself in a phase."""
        phase = self._rng.choice(PHASES)
        self._rng.choice(self._hosts).kill()
        self._replace_dead(phase)
        self.counts["to die in a phase"] += 1
        self._wait()

    def _drain(self):
        """In order, by SIGTERM."""
        host = self._rng.choice(self._hosts)
        if host is self._stopped:
            return
        self._drained = host
        host.terminate()
        status = host.wait()
        # It may not have come as far as to listen to signals.
        allowed = (0, -signal.SIGKILL) if host.log(" runs on ") else (0, -signal.SIGKILL, -signal.SIGTERM)
        assert status in allowed, f"a host exited with {status} on SIGTERM: {host.log_path}"
        self.counts["drained"] += 1
        self._replace_dead()

    def _freeze(self):
        if self._stopped is not None:
            return self._continue()
        self._stopped = self._rng.choice(self._hosts)
        self._stopped.process.send_signal(signal.SIGSTOP)
        self.counts["stopped"] += 1
        return self._progress(20)

    def _continue(self):
        if self._stopped is not None and self._stopped.process.poll() is None:
            self._stopped.process.send_signal(signal.SIGCONT)
        self._stopped = None

    def _fault(self):
        self._continue()  # A host that is stopped in its transaction would hold up everybody.
        self._workspace.control.set_fault(self._rng.choice(FAULTS))
        met = self._workspace.control.faults_met()
        deadline = time.monotonic() + 2
        until("somebody meets the fault",
              lambda: self._workspace.control.faults_met() > met + 3 or time.monotonic() > deadline)
        self._workspace.control.clear_fault()
        self.counts["faults"] += 1


def make_templates(workspace, rng):
    templates = {f"dag{i}": random_dag(rng, HANDLERS) for i in range(8)}
    for name, steps in templates.items():
        for step in steps:
            step.retry = rng.choice(RETRIES)
        workspace.add_template(name, template_text(name, steps))
    return templates


def contradictions_of(workspace, templates, tasks):
    states = workspace.store.tasks()
    found = [f"task {task} was acknowledged and is {states.get(task, ('lost',))[0]}" for task in sorted(tasks)
             if states.get(task, ("lost",))[0] not in SETTLED]
    # What was cancelled, or failed for good, need not be complete.
    found += [text for text in Joined(workspace, templates).contradictions() if "no complete attempt" not in text]
    verified = workspace.client("store", "verify")
    if verified.returncode != 0:
        found.append(f"store verify exited with {verified.returncode}: {verified.stdout}{verified.stderr}")
    return found + broken_rules(workspace.store, at_rest=True)


def run(workspace, seconds, hosts, rng):
    templates = make_templates(workspace, rng)
    with Clients(workspace, templates, rng.random()) as clients:
        chaos = Chaos(workspace, hosts, rng)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and clients.error is None:
            chaos.step()
            broken = broken_rules(workspace.store)
            assert not broken, broken
        chaos.end_faults()
    if clients.error is not None:
        raise clients.error
    chaos.until("everything is settled",
                lambda: all(state in SETTLED for state, _ in workspace.store.tasks().values()))
    statuses = chaos.stop_hosts()
    assert set(statuses) == {0}, f"hosts exited with {statuses}"
    found = contradictions_of(workspace, templates, clients.tasks)
    print(f"hosts {hosts}, {dict(chaos.counts)}; {dict(clients.counts)}")
    print(f"tasks by state {dict(collections.Counter(state for state, _ in workspace.store.tasks().values()))}")
    print(f"attempts by outcome {dict(collections.Counter(row.outcome for row in workspace.store.attempts()))}, "
          f"lines {workspace.record.count()}, workers {len(workspace.store.workers())}")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2 ** 32))
    parser.add_argument("--hosts", type=int, default=1)
    arguments = parser.parse_args()
    seconds = arguments.seconds if arguments.minutes is None else arguments.minutes * 60
    print(f"--seconds {seconds} --seed {arguments.seed} --hosts {arguments.hosts}", flush=True)
    with ShimmedWorkspace(config=CONFIG, clients=True) as workspace:
        found = run(workspace, seconds, arguments.hosts, random.Random(arguments.seed))
    for contradiction in found:
        print(contradiction)
    print("chaos: nothing lost" if not found else f"chaos: {len(found)} contradictions")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
