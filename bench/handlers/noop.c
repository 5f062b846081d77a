// The handler of the benchmarks. It does nothing, or sleeps for TASKER_BENCH_SLEEP_MS, returns 500
// bytes, and keeps its own record of when it did, so that the code under test is not asked how fast
// it was: the file that TASKER_BENCH_RECORD names, which scripts/bench reads.

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "tasker/plugin.h"

enum { kResultBytes = 500, kStartsKept = 4096 };

// Times are CLOCK_MONOTONIC in nanoseconds.
typedef struct {
  _Atomic int64_t starts, ends, first_start_ns, last_end_ns;
  int64_t start_ns[kStartsKept];  // of the first ones
} Record;

typedef struct {
  const tasker_host* host;
  Record* record;
  struct timespec sleep;
  char result[kResultBytes];
} Noop;

static Noop noop;

static int64_t NowNs(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static tasker_str Text(const char* text) { return (tasker_str){text, strlen(text)}; }

static tasker_status Start(void* self, const tasker_step* step, tasker_call* call,
                           tasker_error* error) {
  (void)step;
  (void)error;
  const Noop* n = self;
  const int64_t number = atomic_fetch_add_explicit(&n->record->starts, 1, memory_order_relaxed);
  if (number < kStartsKept) {
    const int64_t now_ns = NowNs();
    if (number == 0) atomic_store(&n->record->first_start_ns, now_ns);
    n->record->start_ns[number] = now_ns;
  }
  if (n->sleep.tv_sec > 0 || n->sleep.tv_nsec > 0) nanosleep(&n->sleep, NULL);
  tasker_success success = {.size = sizeof success,
                            .result = {.data = n->result, .len = kResultBytes}};
  const tasker_status status = n->host->complete(call, &success);
  n->host->release(call);
  // Only ends that the host took count, so that a defect shows as a benchmark that never finishes.
  if (status == TASKER_OK) {
    atomic_store_explicit(&n->record->last_end_ns, NowNs(), memory_order_relaxed);
    atomic_fetch_add(&n->record->ends, 1);
  }
  return TASKER_OK;
}

// Without a record: its caller counts (bench/abi_call.cc).
static tasker_status StartBare(void* self, const tasker_step* step, tasker_call* call,
                               tasker_error* error) {
  (void)step;
  (void)error;
  const Noop* n = self;
  tasker_success success = {.size = sizeof success};
  const tasker_status status = n->host->complete(call, &success);
  n->host->release(call);
  return status;
}

static tasker_status Fail(tasker_error* error, const char* what, const char* path) {
  char message[512];
  snprintf(message, sizeof message, "%s %s: %s", what, path, strerror(errno));
  noop.host->error_set(error, TASKER_E_INTERNAL, Text(message));
  return TASKER_E_INTERNAL;
}

static tasker_status MapRecord(tasker_error* error) {
  const char* path = getenv("TASKER_BENCH_RECORD");
  if (path == NULL) {
    noop.host->error_set(
        error, TASKER_E_INVALID,
        Text("set TASKER_BENCH_RECORD to the file that is to hold the record of this run"));
    return TASKER_E_INVALID;
  }
  const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return Fail(error, "open", path);
  void* memory = MAP_FAILED;
  if (ftruncate(fd, sizeof(Record)) == 0) {
    memory = mmap(NULL, sizeof(Record), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  }
  close(fd);
  if (memory == MAP_FAILED) return Fail(error, "map", path);
  noop.record = memory;
  return TASKER_OK;
}

static tasker_status Init(const tasker_host* host, tasker_plugin* plugin, tasker_bytes config,
                          void** state, tasker_error* error) {
  (void)config;
  static const tasker_handler_ops kOps = {.size = sizeof kOps, .start = Start};
  noop.host = host;
  memset(noop.result, 'x', kResultBytes);
  memcpy(noop.result, "{\"value\":\"", 10);
  memcpy(noop.result + kResultBytes - 2, "\"}", 2);
  const char* sleep_ms = getenv("TASKER_BENCH_SLEEP_MS");
  const long ms = sleep_ms == NULL ? 0 : atol(sleep_ms);
  noop.sleep = (struct timespec){ms / 1000, ms % 1000 * 1000000};
  const tasker_status status = MapRecord(error);
  if (status != TASKER_OK) return status;
  *state = &noop;
  static const tasker_handler_ops kBareOps = {.size = sizeof kBareOps, .start = StartBare};
  const tasker_handler bare = {.size = sizeof bare,
                               .id = Text("bench.bare"),
                               .version = Text(TASKER_VERSION),
                               .description = Text("Does nothing."),
                               .ops = &kBareOps,
                               .self = &noop};
  const tasker_status registered = host->register_handler(plugin, &bare, error);
  if (registered != TASKER_OK) return registered;
  const tasker_handler handler = {.size = sizeof handler,
                                  .threads = TASKER_THREADS_CONCURRENT,
                                  .caps = TASKER_CAP_IDEMPOTENT,
                                  .id = Text("bench.noop"),
                                  .version = Text(TASKER_VERSION),
                                  .description = Text("Does nothing and returns 500 bytes."),
                                  .ops = &kOps,
                                  .self = &noop};
  return host->register_handler(plugin, &handler, error);
}

static void Shutdown(void* state) {
  Noop* n = state;
  munmap(n->record, sizeof *n->record);
  n->record = NULL;
}

TASKER_EXPORT const tasker_plugin_entry* tasker_plugin_v1(void) {
  static tasker_plugin_entry entry = {
      .size = sizeof entry, .abi_minor = TASKER_ABI_MINOR, .init = Init, .shutdown = Shutdown};
  entry.name = Text("bench_noop");
  entry.version = Text(TASKER_VERSION);
  return &entry;
}
