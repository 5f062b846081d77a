/* SPDX-License-Identifier: MIT
 *
 * The plugin ABI of Tasker Host (C11). C++ authors include <tasker/plugin.hpp>, which is built on
 * this.
 *
 * A plugin is a shared library that exports ONE function, tasker_plugin_v1(). The host calls init()
 * of the table that it returns, the plugin registers handlers through the host's function table,
 * and from then on the host starts steps. A plugin links to no symbol of the host.
 *
 * 1. States. LOADED -> init -> READY -> drain -> DRAINED -> shutdown -> DEAD. init, drain, reload
 * and shutdown never overlap and run on [control], one OS thread for the instance's whole life (not
 * necessarily the process's main thread). If init fails the host calls nothing else and drops what
 * was registered. After DEAD the host may call init again in the same mapped library; a plugin that
 * cannot start again answers TASKER_E_WRONG_STATE. A library is never unmapped. An attempt has
 * returned when start() has and its token was released; a plugin with attempts that did not return
 * by the drain deadline gets neither destroy nor shutdown.
 * 2. Threads. Each function's comment ends with where it is called: [control]; [worker], a thread
 * of the host's pool with all signals blocked; [any], any thread, also several at once.
 * 3. Size. Every struct starts with its size, set by whoever fills it (sizeof). The reader never
 * reads past it and takes the rest as zero; a size larger than known is fine. Structs grow at the
 * end only. tasker_str, tasker_bytes and tasker_uuid are frozen. Test for a field added after 1.0
 * with TASKER_HAS.
 * 4. Memory. Nobody frees what the other side allocated. tasker_str and pointers in arguments are
 * borrowed for the call, unless said otherwise. A "moved" tasker_bytes is consumed on every return
 * path, errors included: the host copies it or keeps it, calls its release exactly once (on any
 * thread, before shutdown) and sets release to NULL in the caller's struct.
 * 5. Errors. A tasker_error belongs to the host; error_set copies the text. It may be NULL: then
 * nobody asks why.
 * 6. Exceptions, longjmp, fork, setlocale, chdir, signal handlers and atexit are forbidden in a
 * plugin; nothing may be thrown through these functions in either direction.
 * 7. Text is UTF-8 with a length, not terminated. Payloads are JSON texts. Handler ids are 1 to 500
 * bytes without control characters or surrounding spaces; plugin names match [a-z0-9_.-]{1,128}.
 */
#ifndef TASKER_PLUGIN_H
#define TASKER_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#include "tasker/version.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TASKER_EXPORT __attribute__((visibility("default")))
#else
#define TASKER_EXPORT
#endif

/* Whether *p, as its writer filled it, has the field f of type T. */
#define TASKER_HAS(p, T, f) ((p)->size >= offsetof(T, f) + sizeof((p)->f))

/* An open set: treat an unknown status as TASKER_E_INTERNAL. */
typedef int32_t tasker_status;
enum {
  TASKER_OK = 0,
  TASKER_E_INTERNAL = 1,    /* A defect or a resource that ran out. */
  TASKER_E_INVALID = 2,     /* An argument is wrong. */
  TASKER_E_UNSUPPORTED = 3, /* The other side does not have this. */
  TASKER_E_EXISTS = 4,      /* The id is taken. */
  TASKER_E_BUSY = 5,        /* Not now. */
  TASKER_E_CANCELLED = 6,   /* Stop this attempt. */
  TASKER_E_STALE = 7,       /* The attempt has ended; the call had no effect. */
  TASKER_E_WRONG_STATE = 8, /* Not in this state of the plugin, or of what was named. */
  TASKER_E_NOT_FOUND = 9,   /* What was named does not exist. */
  TASKER_E_TIMEOUT = 10     /* It took longer than allowed. */
};

/* Levels of log(). */
enum {
  TASKER_LOG_TRACE = 0,
  TASKER_LOG_DEBUG = 1,
  TASKER_LOG_INFO = 2,
  TASKER_LOG_WARNING = 3,
  TASKER_LOG_ERROR = 4
};

typedef struct tasker_str {
  const char* data;
  size_t len;
} tasker_str;

/* Bytes with an owner. release == NULL: borrowed, or already released. */
typedef struct tasker_bytes {
  const void* data;
  size_t len;
  void (*release)(
      struct tasker_bytes* self); /* Frees data; must set self->release to NULL. [any] */
  void* owner;                    /* For release alone. */
} tasker_bytes;

typedef struct tasker_uuid {
  uint8_t bytes[16]; /* Network byte order. */
} tasker_uuid;

typedef struct tasker_error tasker_error;   /* Host-owned; filled by error_set. */
typedef struct tasker_plugin tasker_plugin; /* The host's record of one plugin instance. */
typedef struct tasker_call
    tasker_call; /* The completion token of ONE attempt; a handle, never dereferenced. */

/* One attempt of one step. It and all that it points to stays valid until the token's last
 * reference is released. */
typedef struct tasker_step {
  uint32_t size;
  uint32_t attempt;      /* 1-based; counts tries that a handler or a timeout ended. */
  uint32_t max_attempts; /* As the template says; at least 1. */
  uint32_t crashes;      /* Earlier tries of this step that were lost with their process. */
  int32_t priority;      /* The task's; higher runs first. */
  int32_t reserved;
  tasker_uuid task, step, correlation;
  tasker_uuid call_id;                  /* Of this attempt; never the same twice. */
  tasker_str handler, method, resolver; /* From the template; method and resolver may be empty. */
  tasker_str task_namespace, task_name, task_version, step_name;
  tasker_str idempotency_key; /* The same for all attempts of this step: pass it to whatever has
                                 effects outside. */
  tasker_bytes context;       /* The task's input. JSON. */
  tasker_bytes
      dependencies;    /* All ancestors: {"<name>": {"success": true, "result": ..., ...}}. JSON. */
  tasker_bytes config; /* The template's handler.initialization, at least {}. JSON. */
  tasker_bytes checkpoint; /* The last checkpoint of this step; empty when there is none. JSON. */
  tasker_bytes inputs;     /* A batch worker's cursor; else the same as config. JSON. */
  tasker_bytes definition; /* The template's step. JSON. */
  tasker_bytes task_row;   /* The task without its context. JSON. */
  tasker_bytes step_row;   /* The step without inputs, results and checkpoint. JSON. */
  int64_t deadline_ns;     /* CLOCK_MONOTONIC, absolute; 0: none. */
  tasker_str traceparent;  /* W3C trace context; may be empty. */
} tasker_step;

/* The end of a successful attempt. The three are moved. */
typedef struct tasker_success {
  uint32_t size;
  uint32_t reserved;
  tasker_bytes
      result; /* JSON; empty counts as null. A text that is no JSON fails the step for good. */
  tasker_bytes metadata; /* A JSON object; empty counts as {}. Later steps see it as "custom"; one
                            that begins with the key "execution_time_ms" is Tasker's own metadata
                            and stands for itself. */
  tasker_bytes events; /* Domain events to publish in the same commit, a JSON array; empty: none. */
} tasker_success;

/* The end of a failed attempt. Strings are copied, bytes are moved. */
typedef struct tasker_failure {
  uint32_t size;
  uint8_t retryable; /* 1: try again while attempts are left. */
  uint8_t pad[3];
  tasker_str type;        /* A short name, such as "RetryableError"; for people and for metrics. */
  tasker_str message;     /* What went wrong, for people. */
  tasker_str backtrace;   /* Lines; may be empty. */
  tasker_str error_code;  /* The application's own; may be empty. */
  int32_t http_status;    /* 0: none. */
  tasker_bytes context;   /* A JSON object; may be empty. */
  tasker_bytes metadata;  /* A JSON object; may be empty. */
  int64_t retry_after_ns; /* Replaces the template's back-off, up to one hour; 0: none. */
} tasker_failure;

/* How the handler wants to be started. */
enum {
  TASKER_THREADS_CONCURRENT = 0, /* start() on several pool threads at once. */
  TASKER_THREADS_SERIAL = 1,     /* start() of this handler never overlaps itself. */
  TASKER_THREADS_RUNTIME = 2     /* start() only enqueues; demand comes from set_capacity. */
};

/* What the handler promises. */
enum {
  TASKER_CAP_CANCEL = 1u << 0, /* It stops soon after cancel or after heartbeat says E_CANCELLED. */
  TASKER_CAP_CHECKPOINT = 1u << 1, /* It resumes from step.checkpoint. */
  TASKER_CAP_IDEMPOTENT =
      1u << 2 /* Attempts may overlap: a timed-out one need not have returned. */
};

/* Why cancel() was called. An open set. */
enum {
  TASKER_CANCEL_TIMEOUT = 1,
  TASKER_CANCEL_CANCELLED = 2,
  TASKER_CANCEL_RESOLVED = 3,
  TASKER_CANCEL_SHUTDOWN = 4
};

typedef struct tasker_handler_ops {
  uint32_t size;
  uint32_t reserved;
  /* Runs or begins one attempt. TASKER_OK: the token's reference is the plugin's, which finishes it
   * exactly once, now or later, from any thread, and releases it. Anything else: the plugin kept
   * nothing and the attempt fails, retryable, with what error_set said. [worker] */
  tasker_status (*start)(void* self, const tasker_step* step, tasker_call* call,
                         tasker_error* error);
  /* Asks the attempt to stop. Advisory; may race its end (then call is stale); must not block.
   * Optional. [control] */
  void (*cancel)(void* self, tasker_call* call, int32_t reason);
  /* The handler is not used again. After drain. Optional. [control] */
  void (*destroy)(void* self);
} tasker_handler_ops;

/* A handler as it is registered. Strings are copied; ops and self must stay valid until destroy, or
 * shutdown. */
typedef struct tasker_handler {
  uint32_t size;
  uint32_t threads;         /* TASKER_THREADS_... */
  uint32_t caps;            /* TASKER_CAP_... */
  uint32_t max_concurrency; /* Attempts at once on this host; 0: no limit of its own. */
  uint32_t pool;            /* Of a runtime: which set_capacity pool it draws on. */
  uint32_t reserved;
  tasker_str id; /* What templates name in handler.callable. */
  tasker_str version, description;
  tasker_str config_schema; /* JSON Schema of handler.initialization; may be empty. */
  const tasker_handler_ops* ops;
  void* self;
  tasker_str resolver; /* Serves steps whose template names this handler.resolver; empty: those that
                          name none. */
} tasker_handler;

/* The host's functions. The table outlives the plugin. All are [any], never throw, and never call
 * back into the plugin. */
typedef struct tasker_host {
  uint32_t size;
  uint32_t abi_minor;
  tasker_str name, version;

  /* Writes one line of the host's log; with a call, the host adds task, step, attempt and handler.
   * fields: a JSON object or empty. */
  void (*log)(tasker_plugin* plugin, tasker_call* call_or_null, int32_t level, tasker_str message,
              tasker_str fields);
  int (*log_enabled)(tasker_plugin* plugin, int32_t level);
  void (*error_set)(tasker_error* error, tasker_status status, tasker_str message);

  /* Legal in init, in reload and while READY. E_EXISTS: the id is taken, the error names both
   * files. */
  tasker_status (*register_handler)(tasker_plugin* plugin, const tasker_handler* handler,
                                    tasker_error* error);
  /* Nothing new is started for it; what runs goes on. */
  tasker_status (*unregister_handler)(tasker_plugin* plugin, tasker_str id, tasker_error* error);
  /* For THREADS_RUNTIME handlers: how many more steps this pool takes now. Starts at 0; counts down
   * by itself as steps are handed over. */
  void (*set_capacity)(tasker_plugin* plugin, uint32_t pool, uint32_t free);
  /* A table by id, such as "tasker.client/1", or NULL. */
  const void* (*extension)(tasker_plugin* plugin, const char* id);

  /* The end of an attempt. The first of complete, fail and yield wins and returns TASKER_OK: the
   * end is queued, and durable after the host's next commit; if the process dies before that, the
   * step runs again. The others get E_STALE. Finishing does not release the token. */
  tasker_status (*complete)(tasker_call* call, tasker_success* moved);
  tasker_status (*fail)(tasker_call* call, const tasker_failure* failure);
  /* Ends the attempt without counting it: saves the checkpoint (NULL or empty: keeps the last one)
   * and runs the step again after the delay. */
  tasker_status (*yield)(tasker_call* call, tasker_bytes* moved_checkpoint,
                         int64_t resume_after_ns);
  /* Saves a checkpoint, a JSON text; returns when it is durable. A later attempt finds it in
   * step.checkpoint. */
  tasker_status (*checkpoint)(tasker_call* call, tasker_bytes* moved_state);
  /* Says that the attempt is alive: progress 0 to 1 (negative: unknown), a short note. TASKER_OK:
   * go on. E_CANCELLED: stop. E_STALE: it has ended. */
  tasker_status (*heartbeat)(tasker_call* call, double progress, tasker_str note);
  /* One more reference; one less. Releasing the last reference of an unfinished token fails the
   * attempt as tasker.dropped, retryable. */
  void (*retain)(tasker_call* call);
  void (*release)(tasker_call* call);

  /* Gives back an attempt that the plugin took and never began: it counts in nothing, and the step
   * is ready again. Otherwise as complete. */
  tasker_status (*hand_back)(tasker_call* call);
  /* An error of the plugin's own, to be told why a call failed; freed by error_free. The message is
   * borrowed until the error is used again. */
  tasker_error* (*error_new)(void);
  tasker_str (*error_message)(const tasker_error* error);
  void (*error_free)(tasker_error* error);
} tasker_host;

/* What the plugin's one exported function returns: a table that stays valid for ever. */
typedef struct tasker_plugin_entry {
  uint32_t size;
  uint32_t abi_minor;      /* TASKER_ABI_MINOR of the header it was built with. */
  uint32_t min_host_minor; /* The host is refused below this. */
  uint32_t flags;          /* 0. */
  tasker_str name, version;
  /* config: the [plugin.NAME] table of worker.toml as a JSON object, borrowed for the call.
   * [control] */
  tasker_status (*init)(const tasker_host* host, tasker_plugin* plugin, tasker_bytes config,
                        void** state, tasker_error* error);
  /* No start() follows. Finish or fail what is in flight by the deadline (CLOCK_MONOTONIC).
   * Optional. [control] */
  tasker_status (*drain)(void* state, int64_t deadline_ns);
  /* Join every thread you made, free the state. Optional. [control] */
  void (*shutdown)(void* state);
  /* Take a new configuration. Optional. [control] */
  tasker_status (*reload)(void* state, tasker_bytes config, tasker_error* error);
  /* A table of the plugin's by id, or NULL. Optional. [any] */
  const void* (*extension)(void* state, const char* id);
} tasker_plugin_entry;

/* The one exported symbol. */
TASKER_EXPORT const tasker_plugin_entry* tasker_plugin_v1(void);

#ifdef __cplusplus
}
#endif

#endif
