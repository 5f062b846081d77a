/* Plugins that do to the process what a plugin must not, most of it in init; compiled once for each
 * ZOO_DEFECT. Their one handler, "<ZOO_NAME>.works", has no defect. */
#define _GNU_SOURCE
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <tasker/ext/status.h>
#include <unistd.h>

#include "zoo.h"

#define ZOO_PRINTS 1
#define ZOO_FORKS 2
#define ZOO_LEAVES_THREAD 3
#define ZOO_SIGNAL_HANDLER 4
#define ZOO_LOCALE 5
#define ZOO_FOLDER 6
#define ZOO_CRASHES 7
#define ZOO_EXITS 8
#define ZOO_HANGS_IN_INIT 9
#define ZOO_HANGS_IN_SHUTDOWN 10
#define ZOO_STARTS_ONCE_SILENTLY 11
#define ZOO_STARTS_ONCE 12 /* No defect: it says so. */
#define ZOO_KEEPS_BUFFER 13
#define ZOO_NO_HANDLER 14
#define ZOO_LATE_END 15
#define ZOO_CRASHES_AT_EXIT 16

static const tasker_host* the_host;
static tasker_call* ended;
static int inits;

static void* wait_for_ever(void* unused) {
  (void)unused;
  for (;;) pause();
  return NULL;
}

static tasker_status start(void* self, const tasker_step* step, tasker_call* call,
                           tasker_error* error) {
  (void)self, (void)step, (void)error;
  zoo_complete(the_host, call, "1");
  the_host->release(call);
  ended = call;
  return TASKER_OK;
}

static void on_signal(int number) { (void)number; }

static void misbehave(const tasker_host* host, tasker_plugin* plugin) {
  (void)host, (void)plugin;
  switch (ZOO_DEFECT) {
    case ZOO_PRINTS:
      puts("zoo: ready");
      fflush(stdout);
      break;
    case ZOO_FORKS:
      if (fork() == 0) wait_for_ever(NULL);
      break;
    case ZOO_LEAVES_THREAD: {
      pthread_t thread;
      pthread_create(&thread, NULL, wait_for_ever, NULL);
      pthread_setname_np(thread, "zoo-poller");
      break;
    }
    case ZOO_SIGNAL_HANDLER:
      signal(SIGTERM, on_signal);
      break;
    case ZOO_LOCALE:
      setlocale(LC_ALL, "C.UTF-8");
      break;
    case ZOO_FOLDER:
      if (chdir("/") != 0) abort();
      break;
    case ZOO_CRASHES:
      __builtin_trap();
    case ZOO_EXITS:
      exit(0);
    case ZOO_HANGS_IN_INIT:
      wait_for_ever(NULL);
      break;
    case ZOO_KEEPS_BUFFER: {
      const tasker_status_ext* status = host->extension(plugin, TASKER_EXT_STATUS);
      static tasker_bytes kept;
      if (status != NULL) status->status(plugin, &kept);
      break;
    }
    case ZOO_CRASHES_AT_EXIT:
      atexit(abort);
      break;
    default:
      break;
  }
}

static tasker_status init(const tasker_host* host, tasker_plugin* plugin, tasker_bytes config,
                          void** state, tasker_error* error) {
  static tasker_handler_ops ops;
  (void)config, (void)state;
  the_host = host;
  if (inits++ > 0 && ZOO_DEFECT == ZOO_STARTS_ONCE_SILENTLY) return TASKER_E_INTERNAL;
  if (inits > 1 && ZOO_DEFECT == ZOO_STARTS_ONCE) return TASKER_E_WRONG_STATE;
  misbehave(host, plugin);
  if (ZOO_DEFECT == ZOO_NO_HANDLER) return TASKER_OK;
  return zoo_register(host, plugin, ZOO_NAME ".works", start, &ops, error);
}

static void shut_down(void* state) {
  (void)state;
  if (ZOO_DEFECT == ZOO_HANGS_IN_SHUTDOWN) wait_for_ever(NULL);
  if (ZOO_DEFECT == ZOO_LATE_END) zoo_complete(the_host, ended, "2");
}

static const tasker_plugin_entry table = {.size = sizeof table,
                                          .name = {ZOO_NAME, sizeof ZOO_NAME - 1},
                                          .init = init,
                                          .shutdown = shut_down};
const tasker_plugin_entry* tasker_plugin_v1(void) { return &table; }
