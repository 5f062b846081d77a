-- What a turn reads and writes. Each statement is found by the name above it.

-- name: begin
BEGIN IMMEDIATE;

-- name: commit
COMMIT;

-- name: data_version
PRAGMA data_version;

-- name: task_by_uuid
SELECT id FROM task WHERE uuid = ?1;

-- name: task_by_identity
SELECT id, uuid FROM task WHERE identity = ?1 AND identity IS NOT NULL;

-- name: last_task_id
SELECT seq FROM sqlite_sequence WHERE name = 'task';

-- name: load_task
SELECT uuid, template_id, state, priority, open_steps, active_steps, retrying_steps, failed_steps, start_us, ended_us,
       created_us, deadline_us
FROM task WHERE id = ?1;

-- name: small_input
SELECT context, envelope FROM task_input WHERE task_id = ?1 AND length(context) + length(envelope) <= ?2;

-- name: load_step
SELECT n, template_step, handler_id, state, waiting_for, priority, attempts, crashes, claim_id, revoked,
       due_us, ready_us,
       claimed_us, ended_us
FROM step WHERE id = ?1 << 20 | ?2;

-- name: load_all_steps
SELECT n, template_step, handler_id, state, waiting_for, priority, attempts, crashes, claim_id, revoked,
       due_us, ready_us,
       claimed_us, ended_us
FROM step WHERE id >= ?1 << 20 AND id < (?1 + 1) << 20 ORDER BY id;

-- name: insert_task
INSERT INTO task(id, uuid, template_id, state, priority, open_steps, active_steps, retrying_steps,
       failed_steps, identity,
                 start_us, deadline_us, created_us, ended_us)
VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?13, ?12, NULL);

-- name: insert_task_input
INSERT INTO task_input(task_id, envelope, context) VALUES(?1, ?2, ?3);

-- name: update_task
UPDATE task SET state = ?2, open_steps = ?3, active_steps = ?4, retrying_steps = ?5, failed_steps = ?6, start_us = ?7,
                ended_us = ?8
WHERE id = ?1 AND state = ?9;

-- name: update_task_counters
UPDATE task SET open_steps = ?2, active_steps = ?3, retrying_steps = ?4, failed_steps = ?5 WHERE id = ?1 AND
       state = ?6;

-- turn_step, turn_attempt and turn_payload: what the turn adds, in memory (turn_rows.h).
-- name: insert_steps
INSERT INTO step(id, template_step, batch_id, handler_id, state, waiting_for, priority, attempts, crashes, claim_id,
                 revoked, due_us, ready_us, claimed_us, ended_us)
SELECT task_id << 20 | n, template_step, NULL, handler_id, state, waiting_for, priority, 0, 0, claim_id, 0, NULL,
       ready_us,
       claimed_us, NULL FROM turn_step;

-- The two changes that nearly every step goes through. An UPDATE opens each index that one of its columns concerns.
-- name: end_step
UPDATE step SET state = ?3, attempts = ?4, ended_us = ?5 WHERE id = ?1 << 20 | ?2 AND state = 2 AND
       claim_id = ?6;

-- name: claim_step
UPDATE step SET state = 2, waiting_for = ?3, claim_id = ?4, ready_us = ?5, claimed_us = ?6
WHERE id = ?1 << 20 | ?2 AND state = ?7;

-- name: update_step
UPDATE step SET state = ?3, waiting_for = ?4, attempts = ?5, crashes = ?6, claim_id = ?7, revoked = ?8, due_us = ?9,
                ready_us = ?10, claimed_us = ?11, ended_us = ?12
WHERE id = ?1 << 20 | ?2 AND state = ?13 AND claim_id IS ?14;

-- name: update_step_waiting
UPDATE step SET waiting_for = ?3 WHERE id = ?1 << 20 | ?2 AND state = 0 AND waiting_for = ?4;

-- name: insert_attempts
INSERT INTO attempt(task_id, n, claim_id, outcome, ready_us, claimed_us, started_us, ended_us, error)
SELECT task_id, n, claim_id, outcome, ready_us, claimed_us, started_us, ended_us, error FROM turn_attempt;

-- Only where the store ended the attempt without its handler (timeout, cancelled): a handler's own end, sent again, is
-- not late.
-- name: attempt_late
UPDATE attempt SET error = json_set(coalesce(error, '{}'), '$.late', json(?4))
WHERE task_id = ?1 AND n = ?2 AND claim_id = ?3 AND outcome IN (3, 7);

-- name: insert_payloads
INSERT INTO payload(task_id, n, kind, body) SELECT task_id, n, kind, body FROM turn_payload;

-- name: put_payload
INSERT INTO payload(task_id, n, kind, body) VALUES(?1, ?2, ?3, ?4)
ON CONFLICT(task_id, n, kind) DO UPDATE SET body = excluded.body;

-- name: insert_dead_letter
INSERT INTO dead_letter(task_id, n, reason, at_us, snapshot, resolution, notes) VALUES(?1, ?2, ?3, ?4, ?5,
       'pending', '');

-- name: resolve_dead_letters
UPDATE dead_letter SET resolution = ?3 WHERE task_id = ?1 AND n = ?2 AND resolution = 'pending';

-- name: action_exists
SELECT 1 FROM action WHERE uuid = ?1;

-- name: insert_action
INSERT INTO action(uuid, task_id, n, handler_id, at_us, actor, kind, reason, detail)
VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9);

-- name: due_steps
SELECT task_id, n, due_us FROM step WHERE due_us IS NOT NULL AND due_us <= ?1 ORDER BY due_us LIMIT ?2;

-- name: due_tasks
SELECT id FROM task WHERE start_us IS NOT NULL AND state = 0 AND start_us <= ?1 ORDER BY start_us LIMIT ?2;

-- name: overdue_tasks
SELECT id FROM task WHERE deadline_us IS NOT NULL AND ended_us IS NULL AND deadline_us <= ?1
ORDER BY deadline_us LIMIT ?2;

-- name: next_due_step
SELECT due_us FROM step WHERE due_us IS NOT NULL ORDER BY due_us LIMIT 1;

-- name: next_due_task
SELECT start_us FROM task WHERE start_us IS NOT NULL AND state = 0 ORDER BY start_us LIMIT 1;

-- name: next_deadline
SELECT deadline_us FROM task WHERE deadline_us IS NOT NULL AND ended_us IS NULL ORDER BY deadline_us LIMIT 1;

-- name: ready
SELECT s.task_id, s.n, s.priority FROM step s
WHERE s.state = 1 AND s.handler_id = ?1
  AND (?3 = 0 OR s.crashes = 0)
  AND (?4 = 0 OR EXISTS (SELECT 1 FROM task t JOIN template m ON m.id = t.template_id
                         WHERE t.id = s.task_id AND m.namespace IN (SELECT value FROM json_each(?5))))
ORDER BY s.priority DESC, s.id LIMIT ?2;

-- name: claims
SELECT task_id, n, claim_id FROM step WHERE state = 2 AND claim_id >= ?1 AND claim_id < ?2
UNION
SELECT task_id, n, claim_id FROM step INDEXED BY step_revoked WHERE revoked = 1 AND claim_id >= ?1 AND claim_id < ?2;

-- name: revoked_claims
SELECT claim_id, state FROM step INDEXED BY step_revoked WHERE revoked = 1 AND claim_id >= ?1 AND claim_id < ?2;

-- name: paused_handlers
SELECT id FROM handler WHERE paused = 1;

-- name: set_paused
UPDATE handler SET paused = ?2 WHERE id = ?1;

-- name: clear_worker_handlers
DELETE FROM worker_handler WHERE worker_id = ?1;

-- name: add_worker_handler
INSERT INTO worker_handler(worker_id, handler_id) VALUES(?1, ?2);

-- name: end_worker
UPDATE worker SET ended_us = ?2, end_reason = ?3 WHERE id = ?1 AND ended_us IS NULL;
