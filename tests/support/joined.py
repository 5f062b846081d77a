"""What handlers say that they did against what the store says that they did."""

import collections


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
            # What is cancelled while it waits for a thread is not told apart from what runs.
            if row.outcome not in ("worker_lost", "cancelled"):
                found.append(f"call {row.call_id} never started, and its row says {row.outcome}")
        complete = collections.Counter((row.task, row.n) for row in self.rows if row.outcome == "complete")
        found += [f"step {n} of {task} completed {times} times" for (task, n), times in complete.items() if times > 1]
        steps = {(task, n) for task, names in self._step_names.items() for n in range(len(names))}
        found += [f"step {n} of {task} has no complete attempt" for task, n in sorted(steps - set(complete))]
        return found
