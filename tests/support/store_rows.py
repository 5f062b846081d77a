"""The rows of a store, read by SQLite alone: what is on disk, not what the host says of it."""

import contextlib
import dataclasses
import pathlib
import sqlite3
import uuid

# The numbers that are stored; host/workflow/state.h and rows.h must keep them.
STEP_STATES = ("pending", "enqueued", "in_progress", "waiting_for_retry", "complete", "error", "cancelled",
               "resolved_manually")
TASK_STATES = ("pending", "steps_in_process", "waiting_for_retry", "blocked_by_failures", "complete", "error",
               "cancelled", "resolved_manually")
SETTLED = ("blocked_by_failures", "complete", "error", "cancelled", "resolved_manually")
OUTCOMES = (None, "complete", "error", "timeout", "yielded", "worker_lost", "handed_back", "cancelled")


@dataclasses.dataclass(frozen=True)
class StepRow:
    task: str
    n: int
    state: str
    attempts: int
    crashes: int


@dataclasses.dataclass(frozen=True)
class AttemptRow:
    task: str
    n: int
    call_id: str
    outcome: str
    started_us: int | None
    ended_us: int
    error: str | None


@dataclasses.dataclass(frozen=True)
class WorkerRow:
    id: int
    pid: int
    ended_us: int | None
    end_reason: str | None


def call_id(task, claim):
    """As the handler knows the attempt: version 5 of the task's uuid and the claim's number."""
    return str(uuid.uuid5(task, f"call:{claim}"))


class StoreRows:
    """Reads one store, also while a host runs on it."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def query(self, sql):
        uri = f"{self.path.resolve().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=30)) as connection:
            return connection.execute(sql).fetchall()

    def tasks(self):
        """{uuid: (state, name of the template)}"""
        rows = self.query("SELECT task.uuid, state, name FROM task JOIN template ON template.id = template_id")
        return {str(uuid.UUID(bytes=task)): (TASK_STATES[state], name) for task, state, name in rows}

    def steps(self):
        rows = self.query("SELECT uuid, n, step.state, attempts, crashes FROM step JOIN task ON task.id = task_id "
                          "ORDER BY task_id, n")
        return [StepRow(str(uuid.UUID(bytes=task)), n, STEP_STATES[state], attempts, crashes)
                for task, n, state, attempts, crashes in rows]

    def attempts(self):
        """In the order of their claims."""
        rows = self.query("SELECT uuid, n, attempt.claim_id, outcome, started_us, attempt.ended_us, error "
                          "FROM attempt JOIN task ON task.id = task_id ORDER BY attempt.claim_id")
        return [AttemptRow(str(uuid.UUID(bytes=task)), n, call_id(uuid.UUID(bytes=task), claim), OUTCOMES[outcome],
                           started_us, ended_us, error)
                for task, n, claim, outcome, started_us, ended_us, error in rows]

    def workers(self):
        return [WorkerRow(*row) for row in self.query("SELECT id, pid, ended_us, end_reason FROM worker ORDER BY id")]
