/* Handlers that end their attempts wrongly, or from where one would not expect it. What the host's
 * functions answered is in the table zoo.answers/1, an array of tasker_status. */
#include <pthread.h>

#include "zoo.h"

static const tasker_host* host;
static tasker_status answers[2];
static pthread_t thread;
static int thread_made;

static tasker_status twice(void* self, const tasker_step* step, tasker_call* call,
                           tasker_error* error) {
  (void)self, (void)step, (void)error;
  answers[0] = zoo_complete(host, call, "\"first\"");
  answers[1] = zoo_complete(host, call, "\"second\"");
  host->release(call);
  return TASKER_OK;
}

static void* finish(void* call) {
  answers[0] = zoo_complete(host, call, "\"from a thread\"");
  host->release(call);
  return NULL;
}

static tasker_status from_thread(void* self, const tasker_step* step, tasker_call* call,
                                 tasker_error* error) {
  (void)self, (void)step, (void)error;
  if (pthread_create(&thread, NULL, finish, call) != 0) return TASKER_E_INTERNAL;
  thread_made = 1;
  return TASKER_OK;
}

static tasker_status after_release(void* self, const tasker_step* step, tasker_call* call,
                                   tasker_error* error) {
  (void)self, (void)step, (void)error;
  answers[0] = zoo_complete(host, call, "1");
  host->release(call);
  answers[1] = zoo_complete(host, call, "2");
  host->release(call);
  return TASKER_OK;
}

static tasker_status never(void* self, const tasker_step* step, tasker_call* call,
                           tasker_error* error) {
  (void)self, (void)step, (void)error;
  host->release(call);
  return TASKER_OK;
}

static tasker_status no_json(void* self, const tasker_step* step, tasker_call* call,
                             tasker_error* error) {
  (void)self, (void)step, (void)error;
  answers[0] = zoo_complete(host, call, "{\"total\": ");
  host->release(call);
  return TASKER_OK;
}

static tasker_status no_utf8(void* self, const tasker_step* step, tasker_call* call,
                             tasker_error* error) {
  (void)self, (void)step, (void)error;
  answers[0] = zoo_complete(host, call, "\"caf\xe9\"");
  host->release(call);
  return TASKER_OK;
}

/* The token is never seen again. */
static tasker_status holds(void* self, const tasker_step* step, tasker_call* call,
                           tasker_error* error) {
  (void)self, (void)step, (void)call, (void)error;
  return TASKER_OK;
}

static tasker_status unreleased(void* self, const tasker_step* step, tasker_call* call,
                                tasker_error* error) {
  (void)self, (void)step, (void)error;
  answers[0] = zoo_complete(host, call, "1");
  return TASKER_OK;
}

static tasker_status released_twice(void* self, const tasker_step* step, tasker_call* call,
                                    tasker_error* error) {
  (void)self, (void)step, (void)error;
  answers[0] = zoo_complete(host, call, "1");
  host->release(call);
  host->release(call);
  return TASKER_OK;
}

static tasker_status too_large(void* self, const tasker_step* step, tasker_call* call,
                               tasker_error* error) {
  static char text[8192];
  (void)self, (void)step, (void)error;
  memset(text, '1', sizeof text - 1);
  answers[0] = zoo_complete(host, call, text);
  host->release(call);
  return TASKER_OK;
}

static tasker_status refuses(void* self, const tasker_step* step, tasker_call* call,
                             tasker_error* error) {
  (void)self, (void)step, (void)call;
  host->error_set(error, TASKER_E_BUSY, zoo_text("the queue is full"));
  return TASKER_E_BUSY;
}

static tasker_status init(const tasker_host* h, tasker_plugin* plugin, tasker_bytes config,
                          void** state, tasker_error* error) {
  static const struct {
    const char* id;
    zoo_start start;
  } handlers[] = {{"ends.twice", twice},
                  {"ends.from_thread", from_thread},
                  {"ends.after_release", after_release},
                  {"ends.never", never},
                  {"ends.no_json", no_json},
                  {"ends.no_utf8", no_utf8},
                  {"ends.holds", holds},
                  {"ends.unreleased", unreleased},
                  {"ends.released_twice", released_twice},
                  {"ends.too_large", too_large},
                  {"ends.refuses", refuses}};
  static tasker_handler_ops ops[sizeof handlers / sizeof *handlers];
  (void)config, (void)state;
  host = h;
  for (size_t i = 0; i < sizeof handlers / sizeof *handlers; ++i) {
    tasker_status status =
        zoo_register(host, plugin, handlers[i].id, handlers[i].start, &ops[i], error);
    if (status != TASKER_OK) return status;
  }
  return TASKER_OK;
}

static void shut_down(void* state) {
  (void)state;
  if (thread_made) pthread_join(thread, NULL);
  thread_made = 0;
}

static const void* extension(void* state, const char* id) {
  (void)state;
  return strcmp(id, "zoo.answers/1") == 0 ? answers : NULL;
}

static const tasker_plugin_entry table = {.size = sizeof table,
                                          .name = {"zoo_ends", 8},
                                          .init = init,
                                          .shutdown = shut_down,
                                          .extension = extension};
const tasker_plugin_entry* tasker_plugin_v1(void) { return &table; }
