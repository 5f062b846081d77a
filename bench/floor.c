// How fast a loop on SQLite does the durable work of four-step tasks, in a row or as a diamond,
// with no engine around it: the yardstick for the host's own benchmarks. It shares nothing with
// host/: neither headers nor schema.

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { kSteps = 4, kResultBytes = 500, kTasksPerSubmit = 1000, kHandler = 1 };

// Keys are packed integers, so that each row is found by one integer search: step and payload are
// task << 16 | n (payload n = 0 is the task's input), attempt is that << 8 | attempt. The indexes
// are what a claim and a reaper need.
static const char kSchema[] =
    "CREATE TABLE task(id INTEGER PRIMARY KEY, state INTEGER NOT NULL, priority INTEGER NOT NULL,"
    "  open_steps INTEGER NOT NULL, created_us INTEGER NOT NULL, ended_us INTEGER);"
    "CREATE TABLE step(id INTEGER PRIMARY KEY, handler INTEGER NOT NULL, state INTEGER NOT NULL,"
    "  waiting_for INTEGER NOT NULL, priority INTEGER NOT NULL, attempts INTEGER NOT NULL,"
    "  claim_id INTEGER, ready_us INTEGER, claimed_us INTEGER, ended_us INTEGER);"
    "CREATE TABLE attempt(id INTEGER PRIMARY KEY, claim_id INTEGER NOT NULL,"
    "  outcome INTEGER NOT NULL, claimed_us INTEGER NOT NULL, ended_us INTEGER NOT NULL);"
    "CREATE TABLE payload(id INTEGER PRIMARY KEY, body TEXT NOT NULL);"
    "CREATE INDEX step_ready ON step(handler, priority DESC) WHERE state = 1;"
    "CREATE INDEX step_claimed ON step(claim_id) WHERE state = 2;";

typedef struct {
  sqlite3* db;
  sqlite3_stmt *begin, *commit, *add_task, *add_step, *add_attempt, *add_payload;
  sqlite3_stmt *end_step, *hand_on, *wait_less, *end_task, *find_ready, *claim;
  int64_t next_claim;
  int64_t commits;
  bool diamond;  // 1 -> 2 and 3 -> 4; else 1 -> 2 -> 3 -> 4
  char result[kResultBytes + 1];
} Floor;

typedef struct {
  int64_t task, n, claim, claimed_us;
} Claim;

typedef struct {
  const char *mode, *dir, *synchronous;
  int64_t tasks, in_flight, runs;
} Options;

static _Noreturn void Fail(const char* what, const char* why) {
  fprintf(stderr, "floor: %s: %s.\n", what, why);
  exit(1);
}

static int64_t ClockUs(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static double SteadyMs(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void Run(sqlite3_stmt* statement, int count, const int64_t* values) {
  for (int i = 0; i < count; ++i) sqlite3_bind_int64(statement, i + 1, values[i]);
  if (sqlite3_step(statement) != SQLITE_DONE) {
    Fail(sqlite3_sql(statement), sqlite3_errmsg(sqlite3_db_handle(statement)));
  }
  sqlite3_reset(statement);
}

#define RUN(statement, ...)                                                 \
  Run(statement, (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), \
      (const int64_t[]){__VA_ARGS__})

// Every change of state tests the old state: without that fence the loop would do less than a claim
// needs.
static void RunOnOneRow(const Floor* f, sqlite3_stmt* statement, int count, const int64_t* values) {
  Run(statement, count, values);
  if (sqlite3_changes(f->db) != 1) Fail(sqlite3_sql(statement), "the row is not as expected");
}

#define RUN_ON_ONE_ROW(f, statement, ...)                                              \
  RunOnOneRow(f, statement, (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), \
              (const int64_t[]){__VA_ARGS__})

static void Begin(Floor* f) { Run(f->begin, 0, NULL); }

static void Commit(Floor* f) {
  Run(f->commit, 0, NULL);
  ++f->commits;
}

static void Execute(const Floor* f, const char* sql) {
  if (sqlite3_exec(f->db, sql, NULL, NULL, NULL) != SQLITE_OK) Fail(sql, sqlite3_errmsg(f->db));
}

static int64_t QueryInt(const Floor* f, const char* sql) {
  sqlite3_stmt* statement = NULL;
  if (sqlite3_prepare_v2(f->db, sql, -1, &statement, NULL) != SQLITE_OK ||
      sqlite3_step(statement) != SQLITE_ROW) {
    Fail(sql, sqlite3_errmsg(f->db));
  }
  const int64_t value = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  return value;
}

static void Prepare(Floor* f, sqlite3_stmt** statement, const char* sql) {
  if (sqlite3_prepare_v3(f->db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL) != SQLITE_OK) {
    Fail(sql, sqlite3_errmsg(f->db));
  }
}

static void PrepareAll(Floor* f) {
  Prepare(f, &f->begin, "BEGIN IMMEDIATE");
  Prepare(f, &f->commit, "COMMIT");
  Prepare(f, &f->add_task, "INSERT INTO task VALUES(?1, 0, 0, ?2, ?3, NULL)");
  Prepare(f, &f->add_step,
          "INSERT INTO step VALUES(?1, ?2, ?3, ?4, 0, 0, NULLIF(?5, 0), ?6, ?7, NULL)");
  Prepare(f, &f->add_attempt, "INSERT INTO attempt VALUES(?1, ?2, 0, ?3, ?4)");
  Prepare(f, &f->add_payload, "INSERT INTO payload VALUES(?1, ?2)");
  Prepare(f, &f->end_step,
          "UPDATE step SET state = 4, attempts = attempts + 1, ended_us = ?3"
          " WHERE id = ?1 AND state = 2 AND claim_id = ?2");
  Prepare(f, &f->hand_on,
          "UPDATE step SET state = 2, waiting_for = waiting_for - 1, claim_id = ?2, ready_us = ?3,"
          " claimed_us = ?3 WHERE id = ?1 AND state = 0 AND waiting_for = 1");
  Prepare(f, &f->wait_less,
          "UPDATE step SET waiting_for = waiting_for - 1 WHERE id = ?1 AND state = 0"
          " AND waiting_for > 1");
  Prepare(f, &f->end_task,
          "UPDATE task SET state = 1, open_steps = 0, ended_us = ?2 WHERE id = ?1 AND state = 0");
  Prepare(
      f, &f->find_ready,
      "SELECT id FROM step WHERE state = 1 AND handler = ?1 ORDER BY priority DESC, id LIMIT ?2");
  Prepare(f, &f->claim,
          "UPDATE step SET state = 2, claim_id = ?2, claimed_us = ?3 WHERE id = ?1 AND state = 1");
}

static void RemoveOld(const char* path, const char* suffix) {
  char file[PATH_MAX + 8];
  snprintf(file, sizeof file, "%s%s", path, suffix);
  if (unlink(file) != 0 && errno != ENOENT) Fail(file, strerror(errno));
}

static void Open(Floor* f, const Options* options) {
  char path[PATH_MAX], pragma[64];
  if (snprintf(path, sizeof path, "%s/floor.db", options->dir) >= (int)sizeof path) {
    Fail("--dir", "the path is too long");
  }
  RemoveOld(path, "");
  RemoveOld(path, "-wal");
  RemoveOld(path, "-shm");
  sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(path, &f->db, flags, NULL) != SQLITE_OK) Fail(path, sqlite3_errmsg(f->db));
  Execute(f, "PRAGMA journal_mode = WAL");
  Execute(f, "PRAGMA wal_autocheckpoint = 4000");
  snprintf(pragma, sizeof pragma, "PRAGMA synchronous = %s", options->synchronous);
  Execute(f, pragma);
  Execute(f, kSchema);
  PrepareAll(f);
  memset(f->result, 'x', kResultBytes);
  memcpy(f->result, "{\"value\":\"", 10);
  memcpy(f->result + kResultBytes - 2, "\"}", 2);
}

static void Close(Floor* f) {
  for (sqlite3_stmt* s; (s = sqlite3_next_stmt(f->db, NULL)) != NULL;) sqlite3_finalize(s);
  sqlite3_close(f->db);
}

static void AddPayload(Floor* f, int64_t id, const char* body, int length) {
  sqlite3_bind_text(f->add_payload, 2, body, length, SQLITE_STATIC);
  RUN(f->add_payload, id);
}

// claim is 0 when the first step is only made ready.
static void AddTask(Floor* f, int64_t task, int64_t claim, int64_t now_us) {
  RUN(f->add_task, task, kSteps, now_us);
  AddPayload(f, task << 16, "{}", 2);
  RUN(f->add_step, task << 16 | 1, kHandler, claim != 0 ? 2 : 1, 0, claim, now_us, now_us);
  for (int64_t n = 2; n <= kSteps; ++n) {
    const int64_t parents = f->diamond && n == kSteps ? 2 : 1;
    RUN(f->add_step, task << 16 | n, kHandler, 0, parents, 0, 0, 0);
  }
}

static Claim HandOn(Floor* f, int64_t task, int64_t n, int64_t now_us) {
  const Claim next = {task, n, f->next_claim++, now_us};
  RUN_ON_ONE_ROW(f, f->hand_on, task << 16 | n, next.claim, now_us);
  return next;
}

// Ends the step and claims what it makes ready of its task: puts these claims into next, and
// returns how many they are. A diamond's third step is the one that makes the fourth ready: claims
// are taken in order, and in order they end.
static int64_t EndAndHandOn(Floor* f, Claim c, Claim* next, int64_t now_us) {
  const int64_t id = c.task << 16 | c.n;
  RUN_ON_ONE_ROW(f, f->end_step, id, c.claim, now_us);
  RUN(f->add_attempt, id << 8 | 1, c.claim, c.claimed_us, now_us);
  AddPayload(f, id, f->result, kResultBytes);
  if (c.n == kSteps) {
    RUN_ON_ONE_ROW(f, f->end_task, c.task, now_us);
    return 0;
  }
  if (f->diamond && c.n == 2) {
    RUN_ON_ONE_ROW(f, f->wait_less, c.task << 16 | kSteps);
    return 0;
  }
  next[0] = HandOn(f, c.task, c.n + 1, now_us);
  if (!f->diamond || c.n != 1) return 1;
  next[1] = HandOn(f, c.task, 3, now_us);
  return 2;
}

static int64_t Refill(Floor* f, Claim* claims, int64_t count, int64_t limit, int64_t now_us) {
  const int64_t first = count;
  sqlite3_bind_int64(f->find_ready, 1, kHandler);
  sqlite3_bind_int64(f->find_ready, 2, limit - count);
  while (sqlite3_step(f->find_ready) == SQLITE_ROW) {
    const int64_t id = sqlite3_column_int64(f->find_ready, 0);
    claims[count++] = (Claim){id >> 16, id & 0xffff, f->next_claim++, now_us};
  }
  if (sqlite3_reset(f->find_ready) != SQLITE_OK) Fail("find ready steps", sqlite3_errmsg(f->db));
  for (int64_t i = first; i < count; ++i) {
    RUN_ON_ONE_ROW(f, f->claim, claims[i].task << 16 | claims[i].n, claims[i].claim, now_us);
  }
  return count;
}

static void Drain(Floor* f, int64_t in_flight) {
  Claim* claims = calloc((size_t)in_flight * 2, sizeof *claims);  // each may become two
  Claim* next = calloc((size_t)in_flight * 2, sizeof *next);
  if (claims == NULL || next == NULL) Fail("--in-flight", "there is not that much memory");
  int64_t count = 0;
  do {
    const int64_t now_us = ClockUs(CLOCK_REALTIME);
    const int64_t ends = count < in_flight ? count : in_flight;
    int64_t kept = 0;
    Begin(f);
    for (int64_t i = 0; i < ends; ++i) {
      kept += EndAndHandOn(f, claims[i], next + kept, now_us);
    }
    for (int64_t i = ends; i < count; ++i) next[kept++] = claims[i];
    count = kept < in_flight ? Refill(f, next, kept, in_flight, now_us) : kept;
    Commit(f);
    Claim* const spare = claims;
    claims = next;
    next = spare;
  } while (count > 0);
  free(claims);
  free(next);
}

static void Throughput4(Floor* f, const Options* options) {
  for (int64_t task = 1; task <= options->tasks;) {
    const int64_t now_us = ClockUs(CLOCK_REALTIME);
    Begin(f);
    for (int i = 0; i < kTasksPerSubmit && task <= options->tasks; ++i) {
      AddTask(f, task++, 0, now_us);
    }
    Commit(f);
  }
  f->commits = 0;
  const double start_ms = SteadyMs();
  Drain(f, options->in_flight);
  const double elapsed_ms = SteadyMs() - start_ms;
  Execute(f, "PRAGMA wal_checkpoint(TRUNCATE)");
  const int64_t ended = QueryInt(f, "SELECT count(*) FROM task WHERE state = 1");
  const int64_t results = QueryInt(f, "SELECT count(*) FROM payload WHERE id & 65535 > 0");
  if (ended != options->tasks || results != options->tasks * kSteps) {
    Fail(options->mode, "not every task ended with its results");
  }
  const int64_t bytes = QueryInt(f, "PRAGMA page_count") * QueryInt(f, "PRAGMA page_size");
  printf("{\"name\":\"floor %s\",\"unit\":\"steps/s\",\"value\":%.0f,\"tasks\":%" PRId64
         ",\"in_flight\":%" PRId64 ",\"commits\":%" PRId64
         ",\"bytes_per_task\":%.0f,\"synchronous\":\"%s\"}\n",
         options->mode, (double)(options->tasks * kSteps) * 1e3 / elapsed_ms, options->tasks,
         options->in_flight, f->commits, (double)bytes / (double)options->tasks,
         options->synchronous);
}

static void RunLatency4(Floor* f, int64_t task) {
  int64_t now_us = ClockUs(CLOCK_REALTIME);
  Claim claim = {task, 1, f->next_claim++, now_us};
  Begin(f);
  AddTask(f, task, claim.claim, now_us);
  Commit(f);
  bool more = true;
  while (more) {
    now_us = ClockUs(CLOCK_REALTIME);
    Begin(f);
    more = EndAndHandOn(f, claim, &claim, now_us) == 1;
    Commit(f);
  }
}

static void RunCommit(Floor* f, int64_t task) {
  Begin(f);
  RUN(f->add_task, task, kSteps, ClockUs(CLOCK_REALTIME));
  Commit(f);
}

static int CompareMs(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

static void Measure(Floor* f, const Options* options, void (*run)(Floor*, int64_t)) {
  double* ms = calloc((size_t)options->runs, sizeof *ms);
  if (ms == NULL) Fail("--runs", "there is not that much memory");
  for (int64_t i = 0; i < options->runs; ++i) {
    const double start_ms = SteadyMs();
    run(f, i + 1);
    ms[i] = SteadyMs() - start_ms;
  }
  qsort(ms, (size_t)options->runs, sizeof *ms, CompareMs);
  const int64_t p50 = (options->runs - 1) / 2, p99 = (options->runs * 99 + 99) / 100 - 1;
  printf("{\"name\":\"floor %s\",\"unit\":\"ms\",\"p50\":%.3f,\"p99\":%.3f,\"runs\":%" PRId64
         ",\"commits\":%" PRId64 ",\"synchronous\":\"%s\"}\n",
         options->mode, ms[p50], ms[p99], options->runs, f->commits, options->synchronous);
  free(ms);
}

static int64_t Positive(const char* option, const char* text) {
  char* end = NULL;
  errno = 0;
  const long long value = strtoll(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0' || value < 1 || value > 100000000) {
    Fail(option, "pass a whole number from 1 to 100000000");
  }
  return value;
}

static Options ParseOptions(int argc, char** argv) {
  static const struct option kLong[] = {
      {"dir", required_argument, NULL, 'd'},         {"tasks", required_argument, NULL, 't'},
      {"in-flight", required_argument, NULL, 'i'},   {"runs", required_argument, NULL, 'r'},
      {"synchronous", required_argument, NULL, 's'}, {NULL, 0, NULL, 0}};
  Options options = {.synchronous = "full", .tasks = 20000, .in_flight = 256, .runs = 300};
  for (int c; (c = getopt_long(argc, argv, "", kLong, NULL)) != -1;) {
    switch (c) {
      case 'd':
        options.dir = optarg;
        break;
      case 't':
        options.tasks = Positive("--tasks", optarg);
        break;
      case 'i':
        options.in_flight = Positive("--in-flight", optarg);
        break;
      case 'r':
        options.runs = Positive("--runs", optarg);
        break;
      case 's':
        options.synchronous = optarg;
        break;
      default:
        exit(2);
    }
  }
  if (strcmp(options.synchronous, "full") != 0 && strcmp(options.synchronous, "normal") != 0) {
    Fail("--synchronous", "pass full or normal");
  }
  if (optind + 1 != argc)
    Fail("usage", "floor linear4|diamond4|latency4|commit --dir DIR [options]");
  options.mode = argv[optind];
  if (options.dir == NULL) Fail("--dir", "pass an existing folder for floor.db");
  return options;
}

int main(int argc, char** argv) {
  const Options options = ParseOptions(argc, argv);
  const bool diamond = strcmp(options.mode, "diamond4") == 0;
  const bool throughput = diamond || strcmp(options.mode, "linear4") == 0;
  const bool latency = strcmp(options.mode, "latency4") == 0;
  if (!throughput && !latency && strcmp(options.mode, "commit") != 0) {
    Fail(options.mode, "the modes are linear4, diamond4, latency4 and commit");
  }
  Floor f = {.next_claim = (int64_t)1 << 40, .diamond = diamond};
  Open(&f, &options);
  if (throughput) {
    Throughput4(&f, &options);
  } else {
    Measure(&f, &options, latency ? RunLatency4 : RunCommit);
  }
  Close(&f);
  return 0;
}
