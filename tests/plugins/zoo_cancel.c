/* Handlers whose first attempt ends at once, and whose later ones go on until they are cancelled,
 * or beyond; compiled once for each ZOO_DEFECT. */
#include <stdatomic.h>
#include <unistd.h>

#include "zoo.h"

#define ZOO_BLOCKS_IN_CANCEL 1
#define ZOO_IGNORES_CANCEL 2

static const tasker_host* the_host;
static atomic_int attempts, asked;

static tasker_status start(void* self, const tasker_step* step, tasker_call* call,
                           tasker_error* error) {
  (void)self, (void)step, (void)error;
  if (attempts++ > 0) {
    if (ZOO_DEFECT == ZOO_IGNORES_CANCEL) return TASKER_OK; /* And keeps the token. */
    while (!asked) usleep(1000);
  }
  zoo_complete(the_host, call, "1");
  the_host->release(call);
  return TASKER_OK;
}

static void cancel(void* self, tasker_call* call, int32_t reason) {
  (void)self, (void)call, (void)reason;
  asked = 1;
  for (;;) pause();
}

static tasker_status init(const tasker_host* host, tasker_plugin* plugin, tasker_bytes config,
                          void** state, tasker_error* error) {
  static tasker_handler_ops ops;
  (void)config, (void)state;
  the_host = host;
  if (ZOO_DEFECT == ZOO_BLOCKS_IN_CANCEL) ops.cancel = cancel;
  return zoo_register(host, plugin, ZOO_NAME ".works", start, &ops, error);
}

static const tasker_plugin_entry table = {
    .size = sizeof table, .name = {ZOO_NAME, sizeof ZOO_NAME - 1}, .init = init};
const tasker_plugin_entry* tasker_plugin_v1(void) { return &table; }
