#!/usr/bin/python3
"""A host stops by SIGSTOP inside its transaction, before it commits, while another one works on the same store: who
looks is told whose turn it is, the other host ends when it is told to, and once the first goes on nothing is lost.
"""

import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from joined import Joined  # noqa: E402
from load import wait_until_all_settled  # noqa: E402
from shimmed_workspace import ShimmedWorkspace  # noqa: E402
from template_text import chain, template_text  # noqa: E402

TASKS, LINES_BEFORE = 120, 5
DRAIN_S = 2
DEADLINE_S = DRAIN_S + 10  # Handlers that are over, the last turn, the process's end; on a busy machine.
STEPS = chain("chaos.work", "a", "b", "c", "d")


def worker_of(workspace, pid):
    """As `status` has it; empty: it has not joined yet."""
    return next((worker for worker in workspace.ask("status")["workers"] if worker["pid"] == pid), {})


def main():
    with ShimmedWorkspace(config=f'[worker]\ndrain = "{DRAIN_S}s"\n') as workspace:
        workspace.add_template("work", template_text("work", STEPS))
        tasks = [workspace.submit("work") for _ in range(TASKS)]
        second = workspace.start_host()
        workspace.record.wait_for(1)
        first = workspace.start_host("before_commit", after=LINES_BEFORE, stop=True)
        first.until("it stopped inside its transaction", lambda: worker_of(workspace, first.pid).get("stopped"))

        stuck = worker_of(workspace, first.pid)
        assert (stuck["state"], stuck["holds_turn"]) == ("stopped", True), stuck
        text = workspace.client("status").stdout
        assert f"stopped inside its turn, nobody can write; kill -CONT {first.pid}" in text, text
        second.until("it says whom it waits for", lambda: second.log(f"held by pid {first.pid}"))
        second.terminate()
        second.process.wait(timeout=DEADLINE_S)
        print(f"stopped: pid {first.pid} in {workspace.reported_phases()}; the other host exited with "
              f"{second.process.returncode}")

        os.kill(first.pid, signal.SIGCONT)
        states = wait_until_all_settled(workspace, first, tasks)
        assert set(states.values()) == {"complete"}, states
        assert first.stop() == 0, "the first host did not stop in order"
        joined = Joined(workspace, {"work": STEPS})
        assert not joined.contradictions(), joined.contradictions()
        print(f"lines {len(joined.lines)}, rows {len(joined.rows)}, rows without a line {len(joined.without_line)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
