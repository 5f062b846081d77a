-- Times end in _us: microseconds since the epoch. Uuids are 16 bytes. States and kinds are the numbers of
-- workflow/state.h and
-- workflow/rows.h. Rows that change often (task, step) hold no text: SQLite rewrites a whole record on every change.

CREATE TABLE template(
  id INTEGER PRIMARY KEY,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  body TEXT NOT NULL,
  is_current INTEGER NOT NULL,
  created_us INTEGER NOT NULL,
  UNIQUE(namespace, name, version, sha256)
) STRICT;

CREATE TABLE handler(
  id INTEGER PRIMARY KEY,
  callable TEXT NOT NULL,
  resolver TEXT NOT NULL,
  idempotent INTEGER NOT NULL,
  paused INTEGER NOT NULL,
  UNIQUE(callable, resolver)
) STRICT;

CREATE TABLE worker(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid BLOB NOT NULL UNIQUE,
  host TEXT NOT NULL,
  pid INTEGER NOT NULL,
  version TEXT NOT NULL,
  started_us INTEGER NOT NULL,
  ended_us INTEGER,
  end_reason TEXT
) STRICT;

CREATE TABLE worker_handler(
  worker_id INTEGER NOT NULL,
  handler_id INTEGER NOT NULL,
  PRIMARY KEY(worker_id, handler_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE task(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid BLOB NOT NULL UNIQUE,
  template_id INTEGER NOT NULL,
  state INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  open_steps INTEGER NOT NULL,
  active_steps INTEGER NOT NULL,
  retrying_steps INTEGER NOT NULL,
  failed_steps INTEGER NOT NULL,
  identity TEXT,
  start_us INTEGER,
  deadline_us INTEGER,
  created_us INTEGER NOT NULL,
  ended_us INTEGER
) STRICT;

CREATE TABLE task_input(
  task_id INTEGER PRIMARY KEY,
  envelope TEXT NOT NULL,
  context TEXT NOT NULL
) STRICT;

-- The task's id and the step's number within it (less than 2^20) in one integer: a row is found by one search for a
-- number, where a key of two columns costs a comparison of records at each level of the tree.
CREATE TABLE step(
  id INTEGER PRIMARY KEY,
  task_id INTEGER GENERATED ALWAYS AS (id >> 20) VIRTUAL,
  n INTEGER GENERATED ALWAYS AS (id & 1048575) VIRTUAL,
  template_step INTEGER NOT NULL,
  batch_id TEXT,
  handler_id INTEGER NOT NULL,
  state INTEGER NOT NULL,
  waiting_for INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  crashes INTEGER NOT NULL,
  claim_id INTEGER,
  revoked INTEGER NOT NULL,
  due_us INTEGER,
  ready_us INTEGER,
  claimed_us INTEGER,
  ended_us INTEGER
) STRICT;

-- A rowid table: bodies are appended one after the other, and only the small index is written in the order of tasks.
-- With the bodies in that order a turn rewrote a page of nearly every task that it touched: half of the log.
CREATE TABLE payload(
  task_id INTEGER NOT NULL,
  n INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY(task_id, n, kind)
) STRICT;

CREATE TABLE attempt(
  task_id INTEGER NOT NULL,
  n INTEGER NOT NULL,
  claim_id INTEGER NOT NULL,
  outcome INTEGER NOT NULL,
  ready_us INTEGER,
  claimed_us INTEGER,
  started_us INTEGER,
  ended_us INTEGER NOT NULL,
  error TEXT,
  PRIMARY KEY(task_id, n, claim_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE action(
  id INTEGER PRIMARY KEY,
  uuid BLOB NOT NULL UNIQUE,
  task_id INTEGER,
  n INTEGER,
  handler_id INTEGER,
  at_us INTEGER NOT NULL,
  actor TEXT NOT NULL,
  kind INTEGER NOT NULL,
  reason TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;

CREATE TABLE dead_letter(
  id INTEGER PRIMARY KEY,
  task_id INTEGER NOT NULL,
  n INTEGER NOT NULL,
  reason TEXT NOT NULL,
  at_us INTEGER NOT NULL,
  snapshot TEXT NOT NULL,
  resolution TEXT NOT NULL,
  notes TEXT NOT NULL
) STRICT;

-- A partial index is used only by a query that repeats its predicate literally.
CREATE UNIQUE INDEX task_identity    ON task(identity) WHERE identity IS NOT NULL;
CREATE UNIQUE INDEX template_current ON template(namespace, name, version) WHERE is_current = 1;
CREATE INDEX task_state    ON task(state, id);
CREATE INDEX task_start    ON task(start_us)    WHERE start_us IS NOT NULL AND state = 0;
CREATE INDEX task_deadline ON task(deadline_us) WHERE deadline_us IS NOT NULL AND ended_us IS NULL;
CREATE INDEX step_ready    ON step(handler_id, priority DESC) WHERE state = 1;
CREATE INDEX step_claimed  ON step(claim_id) WHERE state = 2;
-- An UPDATE opens every index that has one of its columns, or whose predicate has. These two are left alone
-- by a claim and by
-- an end: a time is due only while the step waits for it, and the few revoked steps are found without their claim.
CREATE INDEX step_due      ON step(due_us)   WHERE due_us IS NOT NULL;
CREATE INDEX step_revoked  ON step(revoked)  WHERE revoked = 1;
CREATE INDEX action_task   ON action(task_id) WHERE task_id IS NOT NULL;
CREATE INDEX dead_letter_task ON dead_letter(task_id);

-- "Task": tells a store from somebody else's database. Version 1 was never released.
PRAGMA application_id = 1415672683;
PRAGMA user_version = 2;
