#include <stdio.h>
#include <string.h>

#include <tasker/plugin.h>

static const tasker_host* host;

static tasker_str text(const char* characters) {
  tasker_str out = {characters, strlen(characters)};
  return out;
}

/* Ends the attempt and lets go of it; the host copies the text. */
static void complete(tasker_call* call, const void* json, size_t length) {
  tasker_success success = {.size = sizeof success};
  success.result.data = json;
  success.result.len = length;
  host->complete(call, &success);
  host->release(call);
}

/* Returns the task's context as it is. */
static tasker_status greet(void* self, const tasker_step* step, tasker_call* call,
                           tasker_error* error) {
  (void)self, (void)error;
  complete(call, step->context.data, step->context.len);
  return TASKER_OK;
}

/* Counts the bytes of what the steps before it returned. */
static tasker_status count(void* self, const tasker_step* step, tasker_call* call,
                           tasker_error* error) {
  char json[64];
  (void)self, (void)error;
  if (host->heartbeat(call, 0.5, text("half way")) != TASKER_OK) {
    tasker_failure failure = {.size = sizeof failure, .retryable = 1};
    failure.type = text("Cancelled");
    failure.message = text("asked to stop");
    host->fail(call, &failure);
    host->release(call);
    return TASKER_OK;
  }
  const int length = snprintf(json, sizeof json, "{\"bytes\":%zu}", step->dependencies.len);
  complete(call, json, (size_t)length);
  return TASKER_OK;
}

static const tasker_handler_ops greet_ops = {.size = sizeof greet_ops, .start = greet};
static const tasker_handler_ops count_ops = {.size = sizeof count_ops, .start = count};

static tasker_status init(const tasker_host* h, tasker_plugin* plugin, tasker_bytes config,
                          void** state, tasker_error* error) {
  tasker_handler handler = {.size = sizeof handler};
  (void)config, (void)state;
  host = h;
  handler.id = text("@NAME@.greet");
  handler.ops = &greet_ops;
  const tasker_status status = host->register_handler(plugin, &handler, error);
  if (status != TASKER_OK) return status;
  handler.id = text("@NAME@.count");
  handler.ops = &count_ops;
  return host->register_handler(plugin, &handler, error);
}

static const tasker_plugin_entry entry = {.size = sizeof entry,
                                          .abi_minor = TASKER_ABI_MINOR,
                                          .name = {"@NAME@", sizeof "@NAME@" - 1},
                                          .version = {"0.1.0", 5},
                                          .init = init};
const tasker_plugin_entry* tasker_plugin_v1(void) { return &entry; }
