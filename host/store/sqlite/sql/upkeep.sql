-- Statistics, backup and pruning.

-- name: page_size
PRAGMA page_size;

-- name: page_count
PRAGMA page_count;

-- name: freelist_count
PRAGMA freelist_count;

-- Each counts a whole table, by its smallest index.
-- name: rows_template
SELECT count(*) FROM template;
-- name: rows_handler
SELECT count(*) FROM handler;
-- name: rows_worker
SELECT count(*) FROM worker;
-- name: rows_worker_handler
SELECT count(*) FROM worker_handler;
-- name: rows_task
SELECT count(*) FROM task;
-- name: rows_task_input
SELECT count(*) FROM task_input;
-- name: rows_step
SELECT count(*) FROM step;
-- name: rows_payload
SELECT count(*) FROM payload;
-- name: rows_attempt
SELECT count(*) FROM attempt;
-- name: rows_action
SELECT count(*) FROM action;
-- name: rows_dead_letter
SELECT count(*) FROM dead_letter;

-- The first of each state: ids are in the order of creation.
-- name: oldest_task
SELECT min(created_us) FROM (SELECT created_us FROM task WHERE id = (SELECT min(id) FROM task));

-- name: oldest_open_task
SELECT min(created_us) FROM task WHERE id IN (SELECT (SELECT min(id) FROM task WHERE state = value)
                                              FROM json_each('[0, 1, 2, 3]'));

-- name: oldest_ended_task
SELECT min(ended_us) FROM task WHERE id IN (SELECT (SELECT min(id) FROM task WHERE state = value)
                                            FROM json_each('[4, 5, 6, 7]'));

-- name: oldest_dead_letter
SELECT min(at_us) FROM dead_letter WHERE resolution = 'pending';

-- Tasks of one state, and the steps of those that may go; of the others -1. A pending dead letter waits for a person;
-- a revoked claim names a handler that may still run.
-- name: prunable
SELECT t.id, t.created_us,
       CASE WHEN t.ended_us < ?3
                 AND NOT EXISTS (SELECT 1 FROM dead_letter d WHERE d.task_id = t.id AND d.resolution = 'pending')
                 AND NOT EXISTS (SELECT 1 FROM step s INDEXED BY step_revoked
                           WHERE s.revoked = 1 AND s.id >= t.id << 20 AND s.id < (t.id + 1) << 20)
            THEN (SELECT count(*) FROM step s WHERE s.id >= t.id << 20 AND s.id < (t.id + 1) << 20) ELSE -1 END
FROM task t WHERE t.state = ?1 AND t.id > ?2 ORDER BY t.id LIMIT 256;

-- name: delete_task
DELETE FROM task WHERE id = ?1;
-- name: delete_task_input
DELETE FROM task_input WHERE task_id = ?1;
-- name: delete_steps
DELETE FROM step WHERE id >= ?1 << 20 AND id < (?1 + 1) << 20;
-- name: delete_payloads
DELETE FROM payload WHERE task_id = ?1;
-- name: delete_attempts
DELETE FROM attempt WHERE task_id = ?1;
-- name: delete_actions
DELETE FROM action WHERE task_id = ?1 AND task_id IS NOT NULL;
-- name: delete_dead_letters
DELETE FROM dead_letter WHERE task_id = ?1;

-- Returns a row for each page that it gives back to the file system.
-- name: vacuum_some
PRAGMA incremental_vacuum(256);

-- name: newest_task
SELECT created_us FROM task ORDER BY id DESC LIMIT 1;
