/* A plugin that is built with the header of another minor version: compiled with the frozen older
 * one, and, as COMPAT_NEWER, with one that has more fields than this host knows. Its results say
 * what each side sees of the other. */
#include <stdio.h>
#include <string.h>
#include <tasker/plugin.h>

static const tasker_host* host;
static tasker_plugin* record;

static tasker_str text(const char* from) { return (tasker_str){from, strlen(from)}; }
static tasker_bytes json(const char* from) {
  return (tasker_bytes){.data = from, .len = strlen(from)};
}

/* What a host of this version must not look at. */
#ifdef COMPAT_NEWER
#define FILL_LATER(what) memset((what)->later, 0xa5, sizeof(what)->later)
#else
#define FILL_LATER(what) (void)(what)
#endif

static tasker_status start(void* self, const tasker_step* step, tasker_call* call,
                           tasker_error* error) {
  const char* kind = self;
  char result[160];
  tasker_bytes state = json("{\"seen\": 1}");
  host->log(record, call, TASKER_LOG_DEBUG, text("runs"), text("{}"));
  if (host->heartbeat(call, 0.5, text("half way")) != TASKER_OK) kind = "fail";
  if (host->checkpoint(call, &state) != TASKER_OK) kind = "fail";
  if (strcmp(kind, "refuse") == 0) {
    host->error_set(error, TASKER_E_BUSY, text("not now"));
    return TASKER_E_BUSY;
  }
  if (strcmp(kind, "complete") == 0) {
    tasker_success success = {.size = sizeof success};
    FILL_LATER(&success);
#ifdef COMPAT_NEWER
    const int sees_later =
        TASKER_HAS(host, tasker_host, later) || TASKER_HAS(step, tasker_step, later);
#else
    const int sees_later = host->size > sizeof *host && step->size > sizeof *step;
#endif
    snprintf(result, sizeof result, "{\"order\":%.*s,\"sees_later\":%s}", (int)step->context.len,
             (const char*)step->context.data, sees_later ? "true" : "false");
    success.result = json(result);
    success.metadata = json("{\"m\":1}");
    host->complete(call, &success);
  } else if (strcmp(kind, "fail") == 0) {
    tasker_failure failure = {.size = sizeof failure};
    FILL_LATER(&failure);
    failure.type = text("Compat");
    failure.message = text("as it should");
    host->fail(call, &failure);
  } else {
    tasker_bytes checkpoint = json("[2]");
    host->yield(call, &checkpoint, 5000000);
  }
  host->release(call);
  return TASKER_OK;
}

static tasker_status add(const char* id, const char* kind, tasker_error* error) {
  static tasker_handler_ops ops = {.size = sizeof ops, .start = start};
  tasker_handler handler = {.size = sizeof handler, .ops = &ops, .self = (void*)(uintptr_t)kind};
  FILL_LATER(&ops);
  FILL_LATER(&handler);
  handler.id = text(id);
  return host->register_handler(record, &handler, error);
}

static tasker_status init(const tasker_host* the_host, tasker_plugin* plugin, tasker_bytes config,
                          void** state, tasker_error* error) {
  (void)config, (void)state;
  host = the_host;
  record = plugin;
  tasker_status status = add("compat.complete", "complete", error);
  if (status == TASKER_OK) status = add("compat.fail", "fail", error);
  if (status == TASKER_OK) status = add("compat.yield", "yield", error);
  if (status == TASKER_OK) status = add("compat.refuse", "refuse", error);
  return status;
}

const tasker_plugin_entry* tasker_plugin_v1(void) {
  static tasker_plugin_entry entry = {
      .size = sizeof entry, .abi_minor = TASKER_ABI_MINOR, .name = {"compat", 6}, .init = init};
  FILL_LATER(&entry);
  return &entry;
}
