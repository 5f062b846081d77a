"""Work for the hosts of tests that kill them: random workflows, and a client that keeps a backlog of them."""

import threading

from store_rows import SETTLED
from template_text import Step

BACKLOG = 60  # Steps that wait at least, while the submitter keeps up: no kill hits an idle host.


def random_dag(rng, handlers):
    """Steps, each with up to three parents among the earlier ones."""
    names = [f"s{i}" for i in range(rng.randint(4, 12))]
    return [Step(name, rng.choice(handlers), tuple(rng.sample(names[:i], rng.randint(0, min(i, 3)))))
            for i, name in enumerate(names)]


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


def wait_until_all_settled(workspace, host, expected):
    """{task: state}, as `task list` has them."""

    def settled():
        tasks = workspace.ask("task", "list", "--limit", "1000")["tasks"]
        states = {task["task"]: task["state"] for task in tasks}
        return states if all(state in SETTLED for state in states.values()) else None

    states = host.until("every task is settled", settled, every_s=0.1)
    assert sorted(states) == sorted(expected), "the list of tasks is not the list of what was submitted"
    return states
