-- Reads on connections of their own. A running task's counters may be -1: not kept (store/tx.h, kNotCounted).

-- name: task_input
SELECT context, envelope FROM task_input WHERE task_id = ?1;

-- name: payload
SELECT body FROM payload WHERE task_id = ?1 AND n = ?2 AND kind = ?3;

-- name: step_results
SELECT kind, body FROM payload WHERE task_id = ?1 AND n = ?2 AND kind >= 3 ORDER BY kind;

-- name: results_between
SELECT n, kind, body FROM payload WHERE task_id = ?1 AND n BETWEEN ?2 AND ?3 AND kind >= 3 ORDER BY n, kind;

-- name: step_ended
SELECT ended_us FROM step WHERE id = ?1 << 20 | ?2;

-- name: steps_ended_between
SELECT n, ended_us FROM step WHERE id BETWEEN ?1 << 20 | ?2 AND ?1 << 20 | ?3 ORDER BY id;

-- name: tasks
SELECT t.id, t.uuid, m.namespace, m.name, m.version, t.state, t.priority,
       CASE WHEN t.open_steps >= 0 THEN t.open_steps
            ELSE (SELECT count(*) FROM step s WHERE s.id >= t.id << 20 AND s.id < (t.id + 1) << 20
                                      AND s.state NOT IN (4, 6, 7)) END,
       CASE WHEN t.active_steps >= 0 THEN t.active_steps
            ELSE (SELECT count(*) FROM step s WHERE s.id >= t.id << 20 AND s.id < (t.id + 1) << 20
                                      AND s.state IN (1, 2, 3)) END,
       CASE WHEN t.retrying_steps >= 0 THEN t.retrying_steps
            ELSE (SELECT count(*) FROM step s WHERE s.id >= t.id << 20 AND s.id < (t.id + 1) << 20
                                      AND +s.state = 3) END,
       CASE WHEN t.failed_steps >= 0 THEN t.failed_steps
            ELSE (SELECT count(*) FROM step s WHERE s.id >= t.id << 20 AND s.id < (t.id + 1) << 20 AND s.state = 5) END,
       t.created_us, t.start_us, t.ended_us,
       (SELECT count(*) FROM step s WHERE s.id >= t.id << 20 AND s.id < (t.id + 1) << 20)
FROM task t JOIN template m ON m.id = t.template_id
WHERE t.id < ?1 AND (?2 = '' OR m.namespace = ?2) AND (?3 = '' OR m.name = ?3)
ORDER BY t.id DESC LIMIT ?4;

-- name: tasks_in_state
SELECT t.id, t.uuid, m.namespace, m.name, m.version, t.state, t.priority,
       CASE WHEN t.open_steps >= 0 THEN t.open_steps
            ELSE (SELECT count(*) FROM step s WHERE s.id >= t.id << 20 AND s.id < (t.id + 1) << 20
                                      AND s.state NOT IN (4, 6, 7)) END,
       CASE WHEN t.active_steps >= 0 THEN t.active_steps
            ELSE (SELECT count(*) FROM step s WHERE s.id >= t.id << 20 AND s.id < (t.id + 1) << 20
                                      AND s.state IN (1, 2, 3)) END,
       CASE WHEN t.retrying_steps >= 0 THEN t.retrying_steps
            ELSE (SELECT count(*) FROM step s WHERE s.id >= t.id << 20 AND s.id < (t.id + 1) << 20
                                      AND +s.state = 3) END,
       CASE WHEN t.failed_steps >= 0 THEN t.failed_steps
            ELSE (SELECT count(*) FROM step s WHERE s.id >= t.id << 20 AND s.id < (t.id + 1) << 20 AND s.state = 5) END,
       t.created_us, t.start_us, t.ended_us,
       (SELECT count(*) FROM step s WHERE s.id >= t.id << 20 AND s.id < (t.id + 1) << 20)
FROM task t JOIN template m ON m.id = t.template_id
WHERE t.state = ?5 AND t.id < ?1 AND (?2 = '' OR m.namespace = ?2) AND (?3 = '' OR m.name = ?3)
ORDER BY t.id DESC LIMIT ?4;

-- name: task
SELECT t.id, t.uuid, m.namespace, m.name, m.version, t.state, t.priority,
       CASE WHEN t.open_steps >= 0 THEN t.open_steps
            ELSE (SELECT count(*) FROM step s WHERE s.id >= t.id << 20 AND s.id < (t.id + 1) << 20
                                      AND s.state NOT IN (4, 6, 7)) END,
       CASE WHEN t.active_steps >= 0 THEN t.active_steps
            ELSE (SELECT count(*) FROM step s WHERE s.id >= t.id << 20 AND s.id < (t.id + 1) << 20
                                      AND s.state IN (1, 2, 3)) END,
       CASE WHEN t.retrying_steps >= 0 THEN t.retrying_steps
            ELSE (SELECT count(*) FROM step s WHERE s.id >= t.id << 20 AND s.id < (t.id + 1) << 20
                                      AND +s.state = 3) END,
       CASE WHEN t.failed_steps >= 0 THEN t.failed_steps
            ELSE (SELECT count(*) FROM step s WHERE s.id >= t.id << 20 AND s.id < (t.id + 1) << 20 AND s.state = 5) END,
       t.created_us, t.start_us, t.ended_us,
       (SELECT count(*) FROM step s WHERE s.id >= t.id << 20 AND s.id < (t.id + 1) << 20)
FROM task t JOIN template m ON m.id = t.template_id
WHERE t.uuid = ?1;

-- name: task_details
SELECT i.context, t.template_id, m.body, i.envelope, t.deadline_us
FROM task t JOIN task_input i ON i.task_id = t.id
JOIN template m ON m.id = t.template_id WHERE t.id = ?1;

-- name: tasks_by_prefix
SELECT uuid FROM task WHERE uuid >= ?1 AND uuid <= ?2 ORDER BY uuid LIMIT 2;

-- name: steps
SELECT s.n, s.template_step, s.handler_id, s.state, s.waiting_for, s.priority, s.attempts, s.crashes,
       s.claim_id, s.revoked,
       s.due_us, s.ready_us, s.claimed_us, s.ended_us, h.callable, h.resolver,
       EXISTS (SELECT 1 FROM worker w JOIN worker_handler wh ON wh.worker_id = w.id
               WHERE w.ended_us IS NULL AND wh.handler_id = s.handler_id)
FROM step s JOIN handler h ON h.id = s.handler_id WHERE s.id >= ?1 << 20 AND s.id < (?1 + 1) << 20 ORDER BY s.id;

-- name: attempts
SELECT n, claim_id, outcome, ready_us, claimed_us, started_us, ended_us, error FROM attempt WHERE task_id = ?1
ORDER BY ended_us, n, claim_id;

-- name: last_attempt
SELECT max(ended_us) FROM attempt WHERE task_id = ?1 AND n = ?2;

-- name: actions
SELECT n, at_us, kind, actor, reason FROM action WHERE task_id = ?1 AND task_id IS NOT NULL ORDER BY id;

-- name: templates
SELECT id, namespace, name, version, sha256, body, is_current, created_us FROM template
WHERE is_current = 1 OR ?1 = 1 ORDER BY namespace, name, version, id;

-- name: template
SELECT id, namespace, name, version, sha256, body, is_current, created_us FROM template WHERE id = ?1;

-- name: handlers_not_served
SELECT h.id, h.callable, h.resolver FROM handler h
WHERE NOT EXISTS (SELECT 1 FROM worker_handler wh WHERE wh.handler_id = h.id
                  AND wh.worker_id IN (SELECT value FROM json_each(?1)))
ORDER BY h.callable, h.resolver;

-- name: enqueued_of_handler
SELECT count(*), min(ready_us) FROM (SELECT ready_us FROM step WHERE state = 1 AND handler_id = ?1 LIMIT 10000);

-- name: handlers_of_worker
SELECT h.callable, h.resolver, h.idempotent FROM worker_handler wh JOIN handler h ON h.id = wh.handler_id
WHERE wh.worker_id = ?1 ORDER BY h.callable, h.resolver;

-- name: handler_ids_of_worker
SELECT handler_id FROM worker_handler WHERE worker_id = ?1;

-- name: count_tasks
SELECT state, count(*) FROM task GROUP BY state ORDER BY state;

-- name: count_enqueued
SELECT count(*) FROM step INDEXED BY step_ready WHERE state = 1;

-- name: count_claimed
SELECT count(*) FROM step INDEXED BY step_claimed WHERE state = 2;

-- name: count_due
SELECT count(*) FROM step INDEXED BY step_due WHERE due_us IS NOT NULL;

-- name: oldest_ready
SELECT s.ready_us, t.uuid, s.n, h.callable
FROM (SELECT ready_us, task_id, n, handler_id FROM step INDEXED BY step_ready WHERE state = 1 LIMIT 10000) s
JOIN task t ON t.id = s.task_id JOIN handler h ON h.id = s.handler_id ORDER BY s.ready_us LIMIT 1;

-- name: count_dead_letters
SELECT count(*) FROM dead_letter WHERE resolution = 'pending';

-- name: handlers
SELECT id, callable, resolver, idempotent, paused FROM handler ORDER BY callable, resolver;

-- name: handlers_of_open_workers
SELECT wh.handler_id, wh.worker_id FROM worker w JOIN worker_handler wh ON wh.worker_id = w.id
WHERE w.ended_us IS NULL ORDER BY wh.worker_id;

-- name: running_by_handler
SELECT handler_id, claim_id >> 40, count(*) FROM (
  SELECT handler_id, claim_id FROM step INDEXED BY step_claimed WHERE state = 2
  UNION ALL SELECT handler_id, claim_id FROM step INDEXED BY step_revoked WHERE revoked = 1)
GROUP BY 1, 2;

-- name: pauses
SELECT a.handler_id, a.at_us, a.actor, a.reason FROM action a JOIN handler h ON h.id = a.handler_id
WHERE a.kind = 10 AND h.paused = 1 ORDER BY a.id;

-- name: dead_letters
SELECT d.id, t.uuid, m.namespace, m.name, d.n, json_extract(d.snapshot, '$.step'), h.callable, d.reason, d.at_us,
       d.snapshot, d.resolution, d.notes, s.state
FROM dead_letter d JOIN task t ON t.id = d.task_id JOIN template m ON m.id = t.template_id
JOIN step s ON s.id = d.task_id << 20 | d.n JOIN handler h ON h.id = s.handler_id
WHERE d.id < ?1 AND (?2 = 1 OR d.resolution = 'pending') ORDER BY d.id DESC LIMIT ?3;

-- name: dead_letters_of_step
SELECT d.id, t.uuid, m.namespace, m.name, d.n, json_extract(d.snapshot, '$.step'), h.callable, d.reason, d.at_us,
       d.snapshot, d.resolution, d.notes, s.state
FROM dead_letter d JOIN task t ON t.id = d.task_id JOIN template m ON m.id = t.template_id
JOIN step s ON s.id = d.task_id << 20 | d.n JOIN handler h ON h.id = s.handler_id
WHERE d.task_id = ?1 AND d.n = ?2 ORDER BY d.id DESC;
