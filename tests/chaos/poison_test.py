#!/usr/bin/python3
"""A step that kills its host each time it runs, among 500 good ones, 256 in flight: after three deaths it has failed as
poison, the good ones are complete, and none of them is held responsible for more than one death.
"""

import collections
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from template_text import Step, template_text  # noqa: E402
from waiting import until  # noqa: E402
from workspace import Workspace  # noqa: E402

GOOD, POISON_AT, DEATHS = 500, 250, 3
# As many threads as places: when the poison runs, all its neighbours run too.
CONFIG = "[worker]\nthreads = 256\nin_flight_max = 256\n"


def steps_with_poison():
    steps = [Step(f"good{i}", "chaos.work") for i in range(GOOD)]
    steps.insert(POISON_AT, Step("poison", "chaos.poison"))
    return steps


def die_of_poison(workspace):
    """One host after the other."""
    for death in range(1, DEATHS + 1):
        host = workspace.start_host()
        until(f"death {death} by poison", lambda at=host: at.process.poll() is not None)
        assert host.process.returncode == -9, f"host {death} exited with {host.process.returncode}"
        in_flight = workspace.store.query("SELECT count(*) FROM step WHERE state = 2")[0][0]
        print(f"death {death}: {in_flight} in flight")


def main():
    with Workspace(plugins=["chaos"], config=CONFIG) as workspace:
        workspace.add_template("poisoned", template_text("poisoned", steps_with_poison()))
        task = workspace.submit("poisoned")
        die_of_poison(workspace)
        last = workspace.start_host()
        last.until("the task is settled", lambda: workspace.store.tasks()[task][0] == "blocked_by_failures")
        assert last.stop() == 0, "the last host did not stop in order"
        by_n = {step.n: step for step in workspace.store.steps()}
        poison = by_n.pop(POISON_AT)
        states = collections.Counter(step.state for step in by_n.values())
        crashes = collections.Counter(step.crashes for step in by_n.values())
        letters = workspace.store.query("SELECT n, reason, resolution FROM dead_letter")
        runs = workspace.record.lines(task, "poison")
    print(f"good steps by state {dict(states)}, by crashes {dict(crashes)}; poison {poison.state}, "
          f"crashes {poison.crashes}, started {len(runs)} times; dead letters {letters}")
    assert states == {"complete": GOOD}, "a good step did not complete"
    assert max(crashes) == 1, "a good step was counted twice, or none ran beside the poison"
    assert (poison.state, poison.crashes, len(runs)) == ("error", DEATHS, DEATHS), "the poison did not end as poison"
    assert letters == [(POISON_AT, "poison", "pending")], "the dead letters are wrong"
    return 0


if __name__ == "__main__":
    sys.exit(main())
