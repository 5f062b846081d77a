-- Rare transactions: workers, templates, handlers.

-- name: application_id
PRAGMA application_id;

-- name: user_version
PRAGMA user_version;

-- name: count_objects
SELECT count(*) FROM sqlite_schema;

-- name: open_workers
SELECT id, pid, host, version, started_us FROM worker WHERE ended_us IS NULL ORDER BY id;

-- name: insert_worker
INSERT INTO worker(uuid, host, pid, version, started_us, ended_us, end_reason) VALUES(?1, ?2, ?3, ?4, ?5, NULL, NULL);

-- name: find_template
SELECT id, is_current FROM template WHERE namespace = ?1 AND name = ?2 AND version = ?3 AND sha256 = ?4;

-- name: current_template
SELECT id, sha256 FROM template WHERE namespace = ?1 AND name = ?2 AND version = ?3 AND is_current = 1;

-- name: insert_template
INSERT INTO template(namespace, name, version, sha256, body, is_current, created_us) VALUES(?1, ?2, ?3, ?4, ?5, 0, ?6);

-- name: set_current_template
UPDATE template SET is_current = ?2 WHERE id = ?1;

-- name: template_body
SELECT body, namespace FROM template WHERE id = ?1;

-- name: find_handler
SELECT id, idempotent FROM handler WHERE callable = ?1 AND resolver = ?2;

-- name: insert_handler
INSERT INTO handler(callable, resolver, idempotent, paused) VALUES(?1, ?2, ?3, 0);

-- name: set_handler_idempotent
UPDATE handler SET idempotent = 1 WHERE id = ?1 AND idempotent = 0;
