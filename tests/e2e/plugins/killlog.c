/* killlog.work: before it does anything it appends one line, "task step call_id", to a file of its
 * own. */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tasker/plugin.h>
#include <unistd.h>

static const tasker_host* host;
static int record = -1;

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

static tasker_status work(void* self, const tasker_step* step, tasker_call* call,
                          tasker_error* error) {
  (void)self;
  if (!append_line(step)) {
    host->error_set(error, TASKER_E_INTERNAL,
                    text_of("the line could not be appended to the record"));
    return TASKER_E_INTERNAL;
  }
  /* The work, of 0 to 7 ms: long enough to be killed in. */
  poll(NULL, 0, step->call_id.bytes[0] % 8);
  tasker_success success = {.size = sizeof success, .result = {"{\"done\":true}", 13, NULL, NULL}};
  host->complete(call, &success);
  host->release(call);
  return TASKER_OK;
}

static const tasker_handler_ops ops = {.size = sizeof ops, .start = work};
static const tasker_handler handler = {
    .size = sizeof handler, .id = {"killlog.work", 12}, .ops = &ops};

static tasker_status init(const tasker_host* h, tasker_plugin* plugin, tasker_bytes config,
                          void** state, tasker_error* error) {
  (void)config, (void)state;
  host = h;
  char path[4096];
  const char* folder = getenv("TASKER_E2E_FOLDER");
  const int size = snprintf(path, sizeof path, "%s/record", folder == NULL ? "" : folder);
  if (folder != NULL && size < (int)sizeof path)
    record = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (record < 0) {
    h->error_set(error, TASKER_E_INTERNAL,
                 text_of("TASKER_E2E_FOLDER names no folder to write to"));
    return TASKER_E_INTERNAL;
  }
  return h->register_handler(plugin, &handler, error);
}

static const tasker_plugin_entry entry = {
    .size = sizeof entry, .name = {"killlog", 7}, .init = init};
TASKER_EXPORT const tasker_plugin_entry* tasker_plugin_v1(void) { return &entry; }
