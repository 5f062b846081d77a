#!/usr/bin/python3
"""What a host and its clients do when the store's disk, the power, the clock or somebody with an editor lets them down.
Each case shows what the user sees, that nothing acknowledged was lost, and that the host goes on by itself.

Usage: fault_test.py [CASE...]
"""

import json
import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from joined import Joined  # noqa: E402
from shimmed_workspace import Control, ShimmedWorkspace  # noqa: E402
from store_rows import SETTLED  # noqa: E402
from template_text import Step, chain, template_text  # noqa: E402

# No step may be taken for poison: it is innocent of what happens to its host.
CONFIG = "[worker]\nthreads = 4\n\n[store]\ncrash_max = 100\n"
CHAIN = chain("chaos.work", "a", "b", "c", "d", "e", "f")
WIDE = [Step(f"w{i}", "chaos.work") for i in range(1500)]  # More than a second's work: no fault finds an idle host.
TEMPLATES = {"chain": CHAIN, "wide": WIDE}


def new_workspace(config=CONFIG, **kind):
    workspace = ShimmedWorkspace(config=config, **kind)
    for name, steps in TEMPLATES.items():
        workspace.add_template(name, template_text(name, steps))
    return workspace


def check_all_complete(workspace, host, tasks):
    """Each acknowledged task completes, and record and rows agree."""
    host.until("every task is complete",
               lambda: all(state in SETTLED for state, _ in workspace.store.tasks().values()), every_s=0.05)
    states = workspace.store.tasks()
    ends = {task: states.get(task, ("lost",))[0] for task in tasks}
    others = {task: end for task, end in ends.items() if end != "complete"}
    assert not others, f"acknowledged tasks that are not complete: {others}"
    contradictions = Joined(workspace, TEMPLATES).contradictions()
    assert not contradictions, contradictions


def check_sentence(ended, *words):
    """A client command that failed, with one sentence that says these."""
    assert ended.returncode > 0, f"it exited with {ended.returncode}: {ended.stdout}{ended.stderr}"
    for word in words:
        assert word in ended.stderr, f"'{word}' is not in: {ended.stderr}"


def disk_case(fault, *words, host_word=None):
    """The disk fails under a running host, and is mended."""
    with new_workspace(clients=True) as workspace:
        host = workspace.start_host()
        tasks = [workspace.submit(name) for name in ("chain", "chain", "wide")]
        host.until("handlers run", lambda: workspace.record.count() > 4)
        workspace.control.set_fault(fault)
        told = host.until("the host says so", lambda: host.log("the turn was not committed"))
        refused = workspace.client("submit", "chain")
        check_sentence(refused, *words)
        assert (host_word or words[0]) in told[0]["message"], told[0]["message"]
        looked = workspace.client("task", "list")
        assert looked.returncode == 0, f"reading failed too: {looked.stderr}"
        met = workspace.control.faults_met()
        host.until("it tries again", lambda: workspace.control.faults_met() > met)
        workspace.control.clear_fault()
        host.until("the host says that it goes on", lambda: host.log("can be written again"))
        tasks.append(workspace.submit("chain"))
        check_all_complete(workspace, host, tasks)
        lost = [row for row in workspace.store.attempts() if row.outcome != "complete"]
        assert not lost, f"an attempt ended otherwise: {lost}"
        assert host.stop() == 0
    return f"submit: {refused.stderr.strip()}"


def full():
    return disk_case(Control.FULL, "full", "free some space")


def short():
    return disk_case(Control.SHORT, "full", "free some space")


def io():
    return disk_case(Control.IO, "I/O error", "check the disk")


def sync():
    return disk_case(Control.SYNC, "I/O error", "check the disk")


def readonly():
    return disk_case(Control.READONLY, "readonly", "make the file", host_word="I/O error")


def torn_log():
    """Rubbish behind the last commit of the log, as a torn write leaves it."""
    with new_workspace() as workspace:
        host = workspace.start_host(phase="before_commit", after=6)
        tasks = [workspace.submit("chain") for _ in range(6)]
        workspace.until_dead(host, "the host dies")
        with open(f"{workspace.store.path}-wal", "ab") as log:
            log.write(bytes(range(256)) * 64)
        host = workspace.start_host()
        check_all_complete(workspace, host, tasks)
        assert host.stop() == 0
    return "rubbish in the log is ignored"


def corrupt():
    """A page of the database is overwritten between two hosts: one sentence, from everybody, and no crash."""
    with new_workspace() as workspace:
        host = workspace.start_host()
        check_all_complete(workspace, host, [workspace.submit("chain") for _ in range(4)])
        assert host.stop() == 0
        root, size = workspace.store.query("SELECT rootpage, (SELECT page_size FROM pragma_page_size) "
                                           "FROM sqlite_schema WHERE name = 'step'")[0]
        with open(workspace.store.path, "r+b") as file:
            file.seek((root - 1) * size)
            file.write(b"\x5a" * size)
        host = workspace.start_host()
        host.until("the host runs", lambda: host.log(" runs on "))
        refused = workspace.client("submit", "chain")
        check_sentence(refused, "malformed", "restore the file from a backup")
        host.terminate()
        assert host.wait() >= 0, "the host crashed"
    return f"submit: {refused.stderr.strip()}"


def submit_until_dead(workspace, host, tasks):
    while not workspace.power_is_lost() and host.process.poll() is None:
        ended = workspace.client("submit", "chain", "--json")
        if ended.returncode == 0 and not workspace.power_is_lost():
            tasks.append(json.loads(ended.stdout)["task"])


def lose_power_once(workspace, phase):
    """The tasks that were acknowledged until the power went."""
    host = workspace.start_host(phase=phase, after=10)
    tasks = []
    clients = [threading.Thread(target=submit_until_dead, args=(workspace, host, tasks)) for _ in range(2)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    workspace.until_dead(host, "the host dies")
    workspace.lose_power()
    return tasks


def power_full():
    """synchronous = "full": the power goes in the middle of a sync, and what was acknowledged is there."""
    with new_workspace(shadow=True) as workspace:
        tasks = []
        for phase in ("in_fsync", "committed", "before_commit"):
            tasks += lose_power_once(workspace, phase)
        host = workspace.start_host()
        check_all_complete(workspace, host, tasks)
        assert host.stop() == 0
    return f"3 losses of power, {len(tasks)} tasks acknowledged, none lost"


def power_normal():
    """synchronous = "normal": the last commits may go; what is left is sound and goes on."""
    with new_workspace(config=CONFIG + 'synchronous = "normal"\n', shadow=True) as workspace:
        host = workspace.start_host()
        check_all_complete(workspace, host, [workspace.submit("chain") for _ in range(3)])
        assert host.log("not durable against power loss"), "the host does not say what is given up"
        assert host.stop() == 0
        tasks = lose_power_once(workspace, "handler")
        host = workspace.start_host()
        after = workspace.submit("chain")
        host.until("the store goes on", lambda: workspace.store.tasks().get(after, ("",))[0] == "complete")
        there = workspace.store.tasks()
        kept = [task for task in tasks if task in there]
        assert workspace.store.query("PRAGMA integrity_check") == [("ok",)]
        assert host.stop() == 0
    return f"{len(tasks)} tasks acknowledged, {len(tasks) - len(kept)} lost with the power"


def clock():
    """The clock of the machine jumps an hour ahead, then two back: retries come when they are due all the same, and the
    jump is reported."""
    retry = "{max_attempts: 100, backoff: linear, backoff_base_ms: 200}"
    with new_workspace() as workspace:
        workspace.add_template("flaky", template_text("flaky", [Step(f"s{i}", "chaos.flaky", retry=retry)
                                                                for i in range(24)]))
        host = workspace.start_host()
        for offset in (3600, -3600, 0):
            task = workspace.submit("flaky")
            workspace.control.set_clock_offset(offset)
            host.until("its flaky steps are complete, each retried within 2 s at most",
                       lambda it=task: workspace.store.tasks()[it][0] == "complete", patience_s=20)
        jumps = host.until("the jump is reported", lambda: host.log("clock"), patience_s=5)
        assert host.stop() == 0
    return f"host: {jumps[0]['message']}"


def template():
    """Somebody edits a template under a running host: the tasks that exist keep the text that they began with."""
    with new_workspace() as workspace:
        host = workspace.start_host()
        tasks = [workspace.submit("chain") for _ in range(6)]
        host.until("handlers run", lambda: workspace.record.count() > 2)
        (workspace.templates / "chain.yaml").write_text("name: chain\nsteps: [what is thi", encoding="utf-8")
        broken = workspace.client("submit", "chain")
        check_all_complete(workspace, host, tasks)
        text = template_text("chain", CHAIN[:2])
        (workspace.templates / "chain.yaml").write_text(text, encoding="utf-8")
        again = workspace.client("submit", "chain", "--json")
        assert again.returncode == 0, again.stderr
        task = json.loads(again.stdout)["task"]
        host.until("the new task settles", lambda: workspace.store.tasks()[task][0] == "complete")
        steps = sum(step.task == task for step in workspace.store.steps())
        assert host.stop() == 0
    return f"broken text: exit {broken.returncode} {broken.stderr.strip()}; edited text: {steps} steps"


CASES = (full, short, io, sync, readonly, torn_log, corrupt, power_full, power_normal, clock, template)


def main():
    wanted = sys.argv[1:] or [case.__name__ for case in CASES]
    failed = 0
    for case in CASES:
        if case.__name__ not in wanted:
            continue
        try:
            print(f"{case.__name__}: {case()}", flush=True)
        except AssertionError as error:
            failed += 1
            print(f"{case.__name__} FAILED: {error}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
