/* Measures what a step is given. A C program brings its own JSON library; this one needs none. */
#include <stdio.h>
#include <string.h>

#include <tasker/plugin.h>

static const tasker_host* host;

static tasker_str text(const char* characters) {
  tasker_str out = {characters, strlen(characters)};
  return out;
}

/* {"bytes": ..., "commas": ...}; an empty context fails for good. */
static tasker_status measure(void* self, const tasker_step* step, tasker_call* call,
                             tasker_error* error) {
  const char* const bytes = step->context.data;
  size_t commas = 0;
  char json[96];
  (void)self, (void)error;
  if (step->context.len <= 2) {
    tasker_failure failure = {.size = sizeof failure, .retryable = 0};
    failure.type = text("NothingToMeasure");
    failure.message = text("the task's context is empty");
    host->fail(call, &failure);
    host->release(call); /* Finishing does not release. */
    return TASKER_OK;
  }
  for (size_t i = 0; i < step->context.len; ++i) {
    /* Long work says now and then that it is alive, and learns whether it should stop. */
    if (i % (1 << 20) == 0 && host->heartbeat(call, (double)i / (double)step->context.len,
                                              text("counting")) != TASKER_OK) {
      host->release(call); /* Unfinished: fails as tasker.dropped, retryable. */
      return TASKER_OK;
    }
    commas += bytes[i] == ',';
  }
  const int length =
      snprintf(json, sizeof json, "{\"bytes\": %zu, \"commas\": %zu}", step->context.len, commas);
  tasker_success success = {.size = sizeof success};
  success.result.data = json; /* Borrowed: without a release the host copies it. */
  success.result.len = (size_t)length;
  host->complete(call, &success);
  host->release(call);
  return TASKER_OK;
}

static const tasker_handler_ops ops = {.size = sizeof ops, .start = measure};

static tasker_status init(const tasker_host* h, tasker_plugin* plugin, tasker_bytes config,
                          void** state, tasker_error* error) {
  tasker_handler handler = {.size = sizeof handler, .ops = &ops};
  (void)config, (void)state;
  host = h;
  handler.id = text("c_example.measure");
  handler.description = text("Counts the bytes and commas of the task's context");
  return host->register_handler(plugin, &handler, error);
}

static const tasker_plugin_entry entry = {.size = sizeof entry,
                                          .abi_minor = TASKER_ABI_MINOR,
                                          .name = {"c_example", 9},
                                          .version = {"1.0.0", 5},
                                          .init = init};
const tasker_plugin_entry* tasker_plugin_v1(void) { return &entry; }
