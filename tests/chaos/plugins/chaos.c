/* Handlers for tests that kill, freeze and starve hosts. Each start appends one line, "task step
 * call_id", to the file `record` before anything else. Around the call that ends an attempt,
 * `marks` gets "b" and "e", for the shim of the tests alone.
 *
 * chaos.work    0 to 7 ms, then success
 * chaos.flaky   the same; one call of four fails, retryable
 * chaos.yield   the same; one call of four is put off for 5 ms
 * chaos.poison  kills its host
 */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tasker/plugin.h>
#include <unistd.h>

enum { WORK, FLAKY, YIELD, POISON, BEHAVIOURS };

static const tasker_host* host;
static int record = -1, marks = -1;

static tasker_str text_of(const char* text) {
  tasker_str view = {text, strlen(text)};
  return view;
}

/* The uuid's 36 characters; returns where they end. */
static char* put_uuid(char* at, const tasker_uuid* uuid) {
  for (int i = 0; i < 16; ++i) {
    at += sprintf(at, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", uuid->bytes[i]);
  }
  return at;
}

/* One write, so that lines never mix and a killed process leaves none of it or all. */
static int append_line(const tasker_step* step) {
  /* A write that SIGKILL ends stops at a page's end: a line that crosses none is whole or not
   * there.
   */
  enum { LINE = 256 };
  char line[LINE];
  if (step->step_name.len > 128) return 0;
  char* at = put_uuid(line, &step->task);
  at += sprintf(at, " %.*s ", (int)step->step_name.len, step->step_name.data);
  at = put_uuid(at, &step->call_id);
  memset(at, ' ', (size_t)(line + LINE - at));
  line[LINE - 1] = '\n';
  return write(record, line, LINE) == LINE;
}

static int mark(const char* what) { return write(marks, what, 1) == 1; }

static tasker_status start(void* self, const tasker_step* step, tasker_call* call,
                           tasker_error* error) {
  const int behaviour = *(const int*)self;
  if (!append_line(step) || !mark("b")) {
    host->error_set(error, TASKER_E_INTERNAL,
                    text_of("the line could not be appended to the record"));
    return TASKER_E_INTERNAL;
  }
  if (behaviour == POISON) kill(getpid(), SIGKILL);
  /* Long enough to be killed in. */
  poll(NULL, 0, step->call_id.bytes[0] % 8);
  const int fourth = step->call_id.bytes[1] % 4 == 0;
  if (!mark("b")) return TASKER_E_INTERNAL;
  if (behaviour == FLAKY && fourth) {
    tasker_failure failure = {
        .size = sizeof failure, .retryable = 1, .type = {"Flaky", 5}, .message = {"by design", 9}};
    host->fail(call, &failure);
  } else if (behaviour == YIELD && fourth) {
    tasker_bytes state = {"{\"seen\":true}", 13, NULL, NULL};
    host->yield(call, &state, 5000000);
  } else {
    tasker_success success = {.size = sizeof success,
                              .result = {"{\"done\":true}", 13, NULL, NULL}};
    host->complete(call, &success);
  }
  mark("e"); /* Nothing depends on it. */
  host->release(call);
  return TASKER_OK;
}

static int open_own(const char* folder, const char* name) {
  char path[4096];
  const int size = snprintf(path, sizeof path, "%s/%s", folder, name);
  if (size < 0 || size >= (int)sizeof path) return -1;
  return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static tasker_status init(const tasker_host* h, tasker_plugin* plugin, tasker_bytes config,
                          void** state, tasker_error* error) {
  static const char* const ids[BEHAVIOURS] = {"chaos.work", "chaos.flaky", "chaos.yield",
                                              "chaos.poison"};
  static int behaviours[BEHAVIOURS] = {WORK, FLAKY, YIELD, POISON};
  static const tasker_handler_ops ops = {.size = sizeof ops, .start = start};
  (void)config, (void)state;
  host = h;
  const char* folder = getenv("TASKER_E2E_FOLDER");
  if (folder != NULL) record = open_own(folder, "record");
  if (folder != NULL) marks = open_own(folder, "marks");
  if (record < 0 || marks < 0) {
    h->error_set(error, TASKER_E_INTERNAL,
                 text_of("TASKER_E2E_FOLDER names no folder to write to"));
    return TASKER_E_INTERNAL;
  }
  for (int i = 0; i < BEHAVIOURS; ++i) {
    const tasker_handler handler = {
        .size = sizeof handler, .id = text_of(ids[i]), .ops = &ops, .self = &behaviours[i]};
    const tasker_status registered = h->register_handler(plugin, &handler, error);
    if (registered != TASKER_OK) return registered;
  }
  return TASKER_OK;
}

static const tasker_plugin_entry entry = {.size = sizeof entry, .name = {"chaos", 5}, .init = init};
TASKER_EXPORT const tasker_plugin_entry* tasker_plugin_v1(void) { return &entry; }
