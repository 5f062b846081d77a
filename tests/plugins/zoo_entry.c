/* Plugins whose table or entry is wrong; compiled once for each ZOO_DEFECT. */
#include "zoo.h"

#define ZOO_NO_ENTRY 1
#define ZOO_OTHER_MAJOR 2
#define ZOO_NULL_TABLE 3
#define ZOO_SIZE_ZERO 4
#define ZOO_SIZE_HUGE 5 /* No defect: made with a later header. */
#define ZOO_NEWER_HOST 6
#define ZOO_BAD_NAME 7
#define ZOO_NO_INIT 8

static tasker_status init(const tasker_host* host, tasker_plugin* plugin, tasker_bytes config,
                          void** state, tasker_error* error) {
  (void)host, (void)plugin, (void)config, (void)state, (void)error;
  return TASKER_OK;
}

static const struct {
  tasker_plugin_entry known;
  char later[4096];
} table = {.known = {
#if ZOO_DEFECT == ZOO_SIZE_HUGE
               .size = sizeof table,
#elif ZOO_DEFECT != ZOO_SIZE_ZERO
               .size = sizeof(tasker_plugin_entry),
#endif
#if ZOO_DEFECT == ZOO_NEWER_HOST
               .min_host_minor = 99,
#endif
#if ZOO_DEFECT == ZOO_BAD_NAME
               .name = {"Zoo Plugin", 10},
#else
               .name = {"zoo", 3},
#endif
               .version = {"1", 1},
#if ZOO_DEFECT != ZOO_NO_INIT
               .init = init,
#endif
           }};

#if ZOO_DEFECT == ZOO_NO_ENTRY
TASKER_EXPORT const tasker_plugin_entry* plugin_entry(void);
const tasker_plugin_entry* plugin_entry(void) { return &table.known; }
#elif ZOO_DEFECT == ZOO_OTHER_MAJOR
TASKER_EXPORT const tasker_plugin_entry* tasker_plugin_v2(void);
const tasker_plugin_entry* tasker_plugin_v2(void) { return &table.known; }
#elif ZOO_DEFECT == ZOO_NULL_TABLE
const tasker_plugin_entry* tasker_plugin_v1(void) { return NULL; }
#else
const tasker_plugin_entry* tasker_plugin_v1(void) { return &table.known; }
#endif

/* What a defect leaves unused is not reported as such. */
typedef struct {
  const void* table;
  tasker_status (*init)(const tasker_host*, tasker_plugin*, tasker_bytes, void**, tasker_error*);
} zoo_parts;
TASKER_EXPORT zoo_parts zoo_unused(void);
zoo_parts zoo_unused(void) { return (zoo_parts){&table, init}; }
