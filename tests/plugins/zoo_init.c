/* Plugins whose init is refused or fails; compiled once for each ZOO_DEFECT. */
#include "zoo.h"

#define ZOO_INIT_FAILS 1
#define ZOO_DUPLICATE_IDS 2

static tasker_handler_ops ops[3];

static tasker_status init(const tasker_host* host, tasker_plugin* plugin, tasker_bytes config,
                          void** state, tasker_error* error) {
#if ZOO_DEFECT == ZOO_INIT_FAILS
  static const char* const ids[3] = {"zoo.first", "zoo.second", "zoo.third"};
#else
  static const char* const ids[3] = {"zoo.first", "zoo.second", "zoo.first"};
#endif
  (void)config, (void)state;
  zoo_host = host;
  for (int i = 0; i < 3; ++i) {
    tasker_status status = zoo_register(host, plugin, ids[i], zoo_works, &ops[i], error);
    if (status != TASKER_OK) return status;
  }
  host->error_set(error, TASKER_E_INTERNAL, zoo_text("the card reader is not plugged in"));
  return TASKER_E_INTERNAL;
}

static const tasker_plugin_entry table = {
    .size = sizeof table, .name = {"zoo_init", 8}, .init = init};
const tasker_plugin_entry* tasker_plugin_v1(void) { return &table; }
