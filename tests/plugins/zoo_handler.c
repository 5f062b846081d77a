/* Plugins that register a handler wrongly, or export more than they should; compiled once for each
 * ZOO_DEFECT. */
#include "zoo.h"

#define ZOO_LONG_ID 1
#define ZOO_ID_NO_UTF8 2
#define ZOO_NO_START 3
#define ZOO_NO_OPS 4
#define ZOO_TAKEN_ID 5 /* By hello_c. */
#define ZOO_HANDLER_SIZE_ZERO 6
#define ZOO_EXPORTS 7
#define ZOO_UNIQUE 8

#if ZOO_DEFECT == ZOO_EXPORTS
TASKER_EXPORT int zoo_more(void);
int zoo_more(void) { return 1; }
#elif ZOO_DEFECT == ZOO_UNIQUE
__asm__(
    ".data\n.globl zoo_one\n.type zoo_one, %gnu_unique_object\n.size zoo_one, 4\n"
    "zoo_one: .long 0\n.text");
#endif

static tasker_status init(const tasker_host* host, tasker_plugin* plugin, tasker_bytes config,
                          void** state, tasker_error* error) {
  static char long_id[501];
  static tasker_handler_ops ops = {.size = sizeof ops, .start = zoo_works};
  tasker_handler handler = {
      .size = sizeof handler, .ops = &ops, .id = {ZOO_NAME ".works", sizeof ZOO_NAME + 5}};
  (void)config, (void)state;
  zoo_host = host;
  switch (ZOO_DEFECT) {
    case ZOO_LONG_ID:
      memset(long_id, 'x', sizeof long_id);
      handler.id = (tasker_str){long_id, sizeof long_id};
      break;
    case ZOO_ID_NO_UTF8:
      handler.id = zoo_text("caf\xe9");
      break;
    case ZOO_NO_START:
      ops.start = NULL;
      break;
    case ZOO_NO_OPS:
      handler.ops = NULL;
      break;
    case ZOO_TAKEN_ID:
      handler.id = zoo_text("hello.c_greet");
      break;
    case ZOO_HANDLER_SIZE_ZERO:
      handler.size = 0;
      break;
    default:
      break;
  }
  return host->register_handler(plugin, &handler, error);
}

static const tasker_plugin_entry table = {
    .size = sizeof table, .name = {ZOO_NAME, sizeof ZOO_NAME - 1}, .init = init};
const tasker_plugin_entry* tasker_plugin_v1(void) { return &table; }
