/* A plugin whose drain does not return before zoo.gate/1, a function, opens it. */
#include <pthread.h>

#include "zoo.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int open;

static void open_gate(void) {
  pthread_mutex_lock(&mutex);
  open = 1;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
}

static tasker_status drain(void* state, int64_t deadline_ns) {
  (void)state, (void)deadline_ns;
  pthread_mutex_lock(&mutex);
  while (!open) pthread_cond_wait(&changed, &mutex);
  pthread_mutex_unlock(&mutex);
  return TASKER_OK;
}

static tasker_status init(const tasker_host* host, tasker_plugin* plugin, tasker_bytes config,
                          void** state, tasker_error* error) {
  (void)host, (void)plugin, (void)config, (void)state, (void)error;
  return TASKER_OK;
}

static const void* extension(void* state, const char* id) {
  static void (*const gate)(void) = open_gate;
  (void)state;
  return strcmp(id, "zoo.gate/1") == 0 ? (const void*)&gate : NULL;
}

static const tasker_plugin_entry table = {.size = sizeof table,
                                          .name = {"zoo_drain", 9},
                                          .init = init,
                                          .drain = drain,
                                          .extension = extension};
const tasker_plugin_entry* tasker_plugin_v1(void) { return &table; }
