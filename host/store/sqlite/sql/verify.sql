-- What must hold of the rows; each statement returns what does not: task id, uuid, n or NULL, what was found.
-- ?1 < task id <= ?2, so that no read transaction is long. States and outcomes are those of workflow/state.h, rows.h.

-- name: last_of_page
SELECT max(id) FROM (SELECT id FROM task WHERE id > ?1 ORDER BY id LIMIT ?2);

-- name: tasks_and_steps
SELECT (SELECT count(*) FROM task WHERE id > ?1 AND id <= ?2),
       (SELECT count(*) FROM step WHERE id >= (?1 + 1) << 20 AND id < (?2 + 1) << 20);

-- name: graph_rows
SELECT t.id, t.uuid, t.template_id, t.start_us IS NOT NULL, s.n, s.template_step, s.state, s.waiting_for, s.attempts
FROM task t JOIN step s ON s.id >= t.id << 20 AND s.id < (t.id + 1) << 20
WHERE t.id > ?1 AND t.id <= ?2 ORDER BY t.id, s.id;

-- name: task_counters
SELECT id, uuid, NULL, printf('its row counts %d open, %d active, %d retrying, %d failed; its steps are %d, %d, %d, %d',
       open_steps, active_steps, retrying_steps, failed_steps, open, active, retrying, failed)
FROM (SELECT t.id, t.uuid, t.state, t.open_steps, t.active_steps, t.retrying_steps, t.failed_steps,
             coalesce(sum(s.state NOT IN (4, 6, 7)), 0) open, coalesce(sum(s.state IN (1, 2, 3)), 0) active,
             coalesce(sum(+s.state = 3), 0) retrying, coalesce(sum(s.state = 5), 0) failed
      FROM task t LEFT JOIN step s ON s.id >= t.id << 20 AND s.id < (t.id + 1) << 20
      WHERE t.id > ?1 AND t.id <= ?2 GROUP BY t.id)
WHERE NOT (open_steps = open AND active_steps = active AND retrying_steps = retrying AND failed_steps = failed)
  AND NOT (state IN (1, 2) AND open_steps = -1 AND active_steps = -1 AND retrying_steps = -1 AND failed_steps = -1);

-- name: task_state
SELECT id, uuid, NULL, printf('state %d, %d open steps, %d active, %d waiting for a retry%s', state, open, active,
       retrying, iif(start_us IS NULL, '', ', start time to come'))
FROM (SELECT t.id, t.uuid, t.state, t.start_us, coalesce(sum(s.state NOT IN (4, 6, 7)), 0) open,
             coalesce(sum(s.state IN (1, 2, 3)), 0) active, coalesce(sum(+s.state = 3), 0) retrying
      FROM task t LEFT JOIN step s ON s.id >= t.id << 20 AND s.id < (t.id + 1) << 20
      WHERE t.id > ?1 AND t.id <= ?2 GROUP BY t.id)
WHERE CASE state WHEN 0 THEN open = 0 OR (start_us IS NULL AND active = retrying)
                 WHEN 1 THEN start_us IS NOT NULL OR active = retrying
                 WHEN 2 THEN start_us IS NOT NULL OR active = 0 OR active <> retrying
                 WHEN 3 THEN start_us IS NOT NULL OR active > 0 OR open = 0
                 WHEN 4 THEN open > 0
                 ELSE state NOT IN (5, 6, 7) END;

-- name: terminal_task
SELECT t.id, t.uuid, s.n, printf('the task is in state %d, the step in state %d', t.state, s.state)
FROM task t JOIN step s ON s.id >= t.id << 20 AND s.id < (t.id + 1) << 20
WHERE t.id > ?1 AND t.id <= ?2 AND t.state IN (4, 5, 6, 7) AND s.state NOT IN (4, 6, 7);

-- name: task_times
SELECT id, uuid, NULL, printf('state %d, %s, %s', state, iif(ended_us IS NULL, 'no end time', 'an end time'),
       iif(start_us IS NULL, 'no start time to come', 'a start time to come'))
FROM task WHERE id > ?1 AND id <= ?2
  AND ((state IN (4, 5, 6, 7)) <> (ended_us IS NOT NULL) OR (start_us IS NOT NULL AND state <> 0));

-- name: complete_step
SELECT id, uuid, n, printf('%d complete attempts, %d of the claim that it names, %d results', attempts, own, results)
FROM (SELECT t.id, t.uuid, s.n,
             (SELECT count(*) FROM attempt a WHERE a.task_id = s.task_id AND a.n = s.n AND a.outcome = 1
              AND a.claim_id = s.claim_id) own,
             (SELECT count(*) FROM attempt a WHERE a.task_id = s.task_id AND a.n = s.n AND a.outcome = 1) attempts,
             (SELECT count(*) FROM payload p WHERE p.task_id = s.task_id AND p.n = s.n AND p.kind = 3) results
      FROM task t JOIN step s ON s.id >= t.id << 20 AND s.id < (t.id + 1) << 20
      WHERE t.id > ?1 AND t.id <= ?2 AND s.state = 4)
WHERE attempts <> 1 OR own <> 1 OR results <> 1;

-- name: early_result
SELECT t.id, t.uuid, s.n, printf('the step is in state %d and has a result or a complete attempt', s.state)
FROM task t JOIN step s ON s.id >= t.id << 20 AND s.id < (t.id + 1) << 20
WHERE t.id > ?1 AND t.id <= ?2 AND s.state NOT IN (4, 7)
  AND (EXISTS (SELECT 1 FROM attempt a WHERE a.task_id = s.task_id AND a.n = s.n AND a.outcome = 1)
       OR EXISTS (SELECT 1 FROM payload p WHERE p.task_id = s.task_id AND p.n = s.n AND p.kind = 3));

-- name: resolved_step
SELECT t.id, t.uuid, s.n, 'it has no result'
FROM task t JOIN step s ON s.id >= t.id << 20 AND s.id < (t.id + 1) << 20
WHERE t.id > ?1 AND t.id <= ?2 AND s.state = 7
  AND NOT EXISTS (SELECT 1 FROM payload p WHERE p.task_id = s.task_id AND p.n = s.n AND p.kind = 3);

-- name: live_claim
SELECT t.id, t.uuid, s.n, iif(s.claim_id IS NULL, 'it has no claim',
       printf('claim %d is of worker %d, %s', s.claim_id, s.claim_id >> 40,
              iif(w.id IS NULL, 'which there is not', 'which has ended: ' || coalesce(w.end_reason, ''))))
FROM task t JOIN step s ON s.id >= t.id << 20 AND s.id < (t.id + 1) << 20 LEFT JOIN worker w ON w.id = s.claim_id >> 40
WHERE t.id > ?1 AND t.id <= ?2 AND (+s.state = 2 OR +s.revoked = 1) AND (w.id IS NULL OR w.ended_us IS NOT NULL);

-- name: ended_claim
SELECT t.id, t.uuid, s.n, printf('claim %d is held and has an attempt with outcome %d', s.claim_id, a.outcome)
FROM task t JOIN step s ON s.id >= t.id << 20 AND s.id < (t.id + 1) << 20
JOIN attempt a ON a.task_id = s.task_id AND a.n = s.n AND a.claim_id = s.claim_id
WHERE t.id > ?1 AND t.id <= ?2 AND +s.state = 2;

-- name: revoked_claim
SELECT t.id, t.uuid, s.n, printf('it is revoked in state %d, %s', s.state, iif(s.claim_id IS NULL, 'without a claim',
       iif(a.claim_id IS NULL, 'and its claim has no attempt', printf('its attempt has outcome %d', a.outcome))))
FROM task t JOIN step s ON s.id >= t.id << 20 AND s.id < (t.id + 1) << 20
LEFT JOIN attempt a ON a.task_id = s.task_id AND a.n = s.n AND a.claim_id = s.claim_id
WHERE t.id > ?1 AND t.id <= ?2 AND +s.revoked <> 0
  AND (s.revoked <> 1 OR s.state NOT IN (3, 5, 6, 7) OR s.claim_id IS NULL OR a.outcome IS NULL
       OR a.outcome <> iif(s.state IN (3, 5), 3, a.outcome) OR a.outcome NOT IN (3, 7));

-- name: stray_claim
SELECT t.id, t.uuid, s.n, printf('it is in state %d and still names claim %d', s.state, s.claim_id)
FROM task t JOIN step s ON s.id >= t.id << 20 AND s.id < (t.id + 1) << 20
WHERE t.id > ?1 AND t.id <= ?2 AND s.claim_id IS NOT NULL
  AND (s.state IN (0, 1) OR (+s.state = 3 AND +s.revoked = 0));

-- name: step_times
SELECT t.id, t.uuid, s.n, printf('state %d, %s, %s', s.state, iif(s.due_us IS NULL, 'nothing due', 'a due time'),
       iif(s.ended_us IS NULL, 'no end time', 'an end time'))
FROM task t JOIN step s ON s.id >= t.id << 20 AND s.id < (t.id + 1) << 20
WHERE t.id > ?1 AND t.id <= ?2
  AND ((+s.due_us IS NOT NULL) <> (+s.state = 3 AND +s.revoked = 0)
       OR (s.state IN (4, 5, 6, 7)) <> (s.ended_us IS NOT NULL)
       OR s.state NOT BETWEEN 0 AND 7 OR s.waiting_for < 0 OR s.attempts < 0 OR s.crashes < 0);

-- A retry by a person begins both counts anew; the dead letter that ended the series before keeps what they were. The
-- last letter's own numbers are still the step's, while nobody has retried it: then they are not added.
-- name: attempt_counts
SELECT id, uuid, n, printf('it counts %d attempts and %d crashes; its attempts say %d and %d, %d and %d of them before '
       || 'a retry by a person', attempts, crashes, tries, deaths, lettered, lettered_crashes)
FROM (SELECT t.id, t.uuid, s.n, s.state, s.attempts, s.crashes,
             (SELECT count(*) FROM attempt a WHERE a.task_id = s.task_id AND a.n = s.n AND a.outcome IN (2, 3)) tries,
             (SELECT count(*) FROM attempt a WHERE a.task_id = s.task_id AND a.n = s.n AND a.outcome = 5) deaths,
             (SELECT coalesce(sum(iif(json_valid(d.snapshot), d.snapshot ->> '$.attempts', 0)), 0) FROM dead_letter d
              WHERE d.task_id = s.task_id AND d.n = s.n) lettered,
             (SELECT coalesce(sum(iif(json_valid(d.snapshot), d.snapshot ->> '$.crashes', 0)), 0) FROM dead_letter d
              WHERE d.task_id = s.task_id AND d.n = s.n) lettered_crashes,
             EXISTS (SELECT 1 FROM dead_letter d WHERE d.task_id = s.task_id AND d.n = s.n) has_letter
      FROM task t JOIN step s ON s.id >= t.id << 20 AND s.id < (t.id + 1) << 20 WHERE t.id > ?1 AND t.id <= ?2)
WHERE NOT (tries = lettered + attempts AND deaths = lettered_crashes + crashes AND state <> 5)
  AND NOT (tries = lettered AND deaths = lettered_crashes AND has_letter AND state IN (5, 6, 7));

-- name: dead_letter
SELECT id, uuid, n, printf('the step is in state %d and has %d pending dead letters', state, pending)
FROM (SELECT t.id, t.uuid, s.n, s.state,
             (SELECT count(*) FROM dead_letter d WHERE d.task_id = s.task_id AND d.n = s.n
              AND d.resolution = 'pending') pending
      FROM task t JOIN step s ON s.id >= t.id << 20 AND s.id < (t.id + 1) << 20 WHERE t.id > ?1 AND t.id <= ?2)
WHERE pending <> (state = 5);

-- name: dangling_id
SELECT t.id, t.uuid, NULL, printf('it is of template %d, which there is not', t.template_id) FROM task t
WHERE t.id > ?1 AND t.id <= ?2 AND NOT EXISTS (SELECT 1 FROM template m WHERE m.id = t.template_id)
UNION ALL
SELECT t.id, t.uuid, NULL, 'it has no context' FROM task t
WHERE t.id > ?1 AND t.id <= ?2 AND NOT EXISTS (SELECT 1 FROM task_input i WHERE i.task_id = t.id)
UNION ALL
SELECT t.id, t.uuid, NULL, 'it has no steps' FROM task t
WHERE t.id > ?1 AND t.id <= ?2
  AND NOT EXISTS (SELECT 1 FROM step s WHERE s.id >= t.id << 20 AND s.id < (t.id + 1) << 20)
UNION ALL
SELECT s.task_id, t.uuid, s.n, printf('it names handler %d, which there is not', s.handler_id)
FROM step s LEFT JOIN task t ON t.id = s.task_id
WHERE s.id >= (?1 + 1) << 20 AND s.id < (?2 + 1) << 20
  AND NOT EXISTS (SELECT 1 FROM handler h WHERE h.id = s.handler_id)
UNION ALL
SELECT s.task_id, NULL, s.n, 'a step of a task that there is not' FROM step s
WHERE s.id >= (?1 + 1) << 20 AND s.id < (?2 + 1) << 20 AND NOT EXISTS (SELECT 1 FROM task t WHERE t.id = s.task_id)
UNION ALL
SELECT i.task_id, NULL, NULL, 'a context of a task that there is not' FROM task_input i
WHERE i.task_id > ?1 AND i.task_id <= ?2 AND NOT EXISTS (SELECT 1 FROM task t WHERE t.id = i.task_id)
UNION ALL
SELECT p.task_id, NULL, p.n, printf('a payload of kind %d of a step that there is not', p.kind) FROM payload p
WHERE p.task_id > ?1 AND p.task_id <= ?2 AND NOT EXISTS (SELECT 1 FROM step s WHERE s.id = p.task_id << 20 | p.n)
UNION ALL
SELECT a.task_id, NULL, a.n, printf('attempt %d of a step that there is not', a.claim_id) FROM attempt a
WHERE a.task_id > ?1 AND a.task_id <= ?2 AND NOT EXISTS (SELECT 1 FROM step s WHERE s.id = a.task_id << 20 | a.n)
UNION ALL
SELECT a.task_id, t.uuid, a.n, printf('attempt %d of worker %d, which there is not', a.claim_id, a.claim_id >> 40)
FROM attempt a LEFT JOIN task t ON t.id = a.task_id
WHERE a.task_id > ?1 AND a.task_id <= ?2 AND NOT EXISTS (SELECT 1 FROM worker w WHERE w.id = a.claim_id >> 40)
UNION ALL
SELECT d.task_id, NULL, d.n, 'a dead letter of a step that there is not' FROM dead_letter d
WHERE d.task_id > ?1 AND d.task_id <= ?2 AND NOT EXISTS (SELECT 1 FROM step s WHERE s.id = d.task_id << 20 | d.n)
UNION ALL
SELECT c.task_id, NULL, c.n, 'an action on a task that there is not' FROM action c
WHERE c.task_id > ?1 AND c.task_id <= ?2 AND c.task_id IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM task t WHERE t.id = c.task_id);

-- The few claims that are held now, over all tasks.
-- name: shared_claim
SELECT s.task_id, t.uuid, s.n, printf('claim %d is also that of another step', s.claim_id)
FROM step s LEFT JOIN task t ON t.id = s.task_id
WHERE s.state = 2 AND s.claim_id IN (SELECT claim_id FROM step INDEXED BY step_claimed WHERE state = 2
                                     GROUP BY claim_id HAVING count(*) > 1);

-- name: checked_tables
SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name;

-- Of a table and its indexes: a row that an index lacks is never found by it.
-- name: table_check
SELECT integrity_check FROM pragma_integrity_check(?1);

-- name: quick_check_all
SELECT quick_check FROM pragma_quick_check(1);
