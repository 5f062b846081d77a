-- How the virtual tables of turn_rows.cc look to SQLite.

-- name: turn_attempt
CREATE TABLE turn_attempt(task_id, n, claim_id, outcome, ready_us, claimed_us, started_us, ended_us, error);

-- name: turn_payload
CREATE TABLE turn_payload(task_id, n, kind, body);

-- name: turn_step
CREATE TABLE turn_step(task_id, n, template_step, handler_id, state, waiting_for, priority, claim_id, ready_us,
                       claimed_us);
