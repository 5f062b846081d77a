#include <tasker/plugin.h>

static const tasker_host* host;

static tasker_status greet(void* self, const tasker_step* step, tasker_call* call,
                           tasker_error* error) {
  (void)self, (void)error;
  tasker_success success = {.size = sizeof success, .result = step->context};
  success.result.release = NULL; /* The text is the host's own. */
  host->complete(call, &success);
  host->release(call);
  return TASKER_OK;
}

static const tasker_handler_ops ops = {.size = sizeof ops, .start = greet};
static const tasker_handler handler = {
    .size = sizeof handler, .id = {"hello.c_greet", 13}, .ops = &ops};

static tasker_status init(const tasker_host* h, tasker_plugin* p, tasker_bytes config, void** state,
                          tasker_error* e) {
  (void)config, (void)state;
  host = h;
  return h->register_handler(p, &handler, e);
}

static const tasker_plugin_entry entry = {
    .size = sizeof entry, .name = {"hello_c", 7}, .init = init};
const tasker_plugin_entry* tasker_plugin_v1(void) { return &entry; }
