"""What must hold of a store, by SQL of its own: nothing of this comes from the host."""

# A name for each rule, and a statement that finds what breaks it. At rest: no host runs, and everything is settled.
ALWAYS = {
    "a step that waits for nothing is pending": """
        SELECT s.task_id, s.n FROM step s JOIN task t ON t.id = s.task_id
        WHERE s.state = 0 AND s.waiting_for = 0 AND t.start_us IS NULL""",
    "a step beyond pending waits for parents": """
        SELECT task_id, n FROM step WHERE state IN (1, 2, 3, 4, 5) AND waiting_for > 0""",
    "a running step has no claim": "SELECT task_id, n FROM step WHERE state = 2 AND claim_id IS NULL",
    "two steps have the same claim": """
        SELECT claim_id, count(*) FROM step WHERE claim_id IS NOT NULL GROUP BY claim_id HAVING count(*) > 1""",
    "a complete step has not exactly one complete attempt": """
        SELECT s.task_id, s.n FROM step s WHERE (s.state = 4) !=
          ((SELECT count(*) FROM attempt a WHERE a.task_id = s.task_id AND a.n = s.n AND a.outcome = 1) = 1)""",
    "a complete step has no result": """
        SELECT task_id, n FROM step s WHERE state = 4 AND NOT EXISTS
          (SELECT 1 FROM payload p WHERE p.task_id = s.task_id AND p.n = s.n AND kind = 3)""",
    "a failed step has no dead letter": """
        SELECT task_id, n FROM step s WHERE state = 5 AND NOT EXISTS
          (SELECT 1 FROM dead_letter d WHERE d.task_id = s.task_id AND d.n = s.n AND d.resolution = 'pending')""",
    "crashes are not the attempts lost since the last retry": """
        SELECT task_id, n FROM step s WHERE crashes > (SELECT count(*) FROM attempt a WHERE a.task_id = s.task_id
          AND a.n = s.n AND a.outcome = 5)""",
    "a task that has ended has steps that have not": """
        SELECT t.id, s.n FROM task t JOIN step s ON s.task_id = t.id WHERE t.state IN (4, 6, 7)
          AND s.state NOT IN (4, 6, 7)""",
    "a task that has ended has no end": "SELECT id FROM task WHERE (state >= 4) != (ended_us IS NOT NULL)",
    "a task that has not settled has nothing that runs, is ready or waits": """
        SELECT t.id FROM task t WHERE t.state IN (0, 1, 2) AND t.start_us IS NULL AND NOT EXISTS
          (SELECT 1 FROM step s WHERE s.task_id = t.id AND s.state IN (1, 2, 3))""",
    "a step waits for a retry without a time, and nothing runs of it": """
        SELECT task_id, n FROM step WHERE state = 3 AND due_us IS NULL AND revoked = 0""",
    "a running step belongs to a worker that has ended": """
        SELECT s.task_id, s.n FROM step s JOIN worker w ON w.id = s.claim_id >> 40
        WHERE s.state = 2 AND w.ended_us IS NOT NULL""",
    "SQLite finds the file damaged": "SELECT * FROM pragma_integrity_check WHERE integrity_check != 'ok'",
}
AT_REST = {
    "a step is still running": "SELECT task_id, n FROM step WHERE state = 2",
    "a handler may still run that nobody waits for": "SELECT task_id, n FROM step WHERE revoked = 1",
    "a worker has no end": "SELECT id FROM worker WHERE ended_us IS NULL",
}


def broken_rules(store, at_rest=False):
    """A sentence for each rule that does not hold."""
    rules = ALWAYS | (AT_REST if at_rest else {})
    found = [(rule, store.query(statement)) for rule, statement in rules.items()]
    return [f"{rule}: {rows[:5]}" for rule, rows in found if rows]
