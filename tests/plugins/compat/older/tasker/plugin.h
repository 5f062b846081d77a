/* SPDX-License-Identifier: MIT
 *
 * Frozen: <tasker/plugin.h> as a plugin of an earlier minor version would have had it, with the
 * ends of tasker_step, tasker_handler and tasker_host missing. What is built with it must load and
 * run for ever. Replaced by the header of 1.0 once that is tagged.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#define TASKER_ABI_MAJOR 1
#define TASKER_ABI_MINOR 0
#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#define TASKER_EXPORT __attribute__((visibility("default")))
#else
#define TASKER_EXPORT
#endif
#define TASKER_HAS(p, T, f) ((p)->size >= offsetof(T, f) + sizeof((p)->f))
typedef int32_t tasker_status;
enum {
  TASKER_OK = 0,
  TASKER_E_INTERNAL = 1,
  TASKER_E_INVALID = 2,
  TASKER_E_UNSUPPORTED = 3,
  TASKER_E_EXISTS = 4,
  TASKER_E_BUSY = 5,
  TASKER_E_CANCELLED = 6,
  TASKER_E_STALE = 7,
  TASKER_E_WRONG_STATE = 8,
  TASKER_E_NOT_FOUND = 9,
  TASKER_E_TIMEOUT = 10
};
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
typedef struct tasker_bytes {
  const void* data;
  size_t len;
  void (*release)(struct tasker_bytes* self);
  void* owner;
} tasker_bytes;
typedef struct tasker_uuid {
  uint8_t bytes[16];
} tasker_uuid;
typedef struct tasker_error tasker_error;
typedef struct tasker_plugin tasker_plugin;
typedef struct tasker_call tasker_call;
typedef struct tasker_step {
  uint32_t size;
  uint32_t attempt;
  uint32_t max_attempts;
  uint32_t crashes;
  int32_t priority;
  int32_t reserved;
  tasker_uuid task, step, correlation;
  tasker_uuid call_id;
  tasker_str handler, method, resolver;
  tasker_str task_namespace, task_name, task_version, step_name;
  tasker_str idempotency_key;
  tasker_bytes context;
  tasker_bytes dependencies;
  tasker_bytes config;
  tasker_bytes checkpoint;
  tasker_bytes inputs;
  tasker_bytes definition;
  tasker_bytes task_row;
  tasker_bytes step_row;
} tasker_step;
typedef struct tasker_success {
  uint32_t size;
  uint32_t reserved;
  tasker_bytes result;
  tasker_bytes metadata;
  tasker_bytes events;
} tasker_success;
typedef struct tasker_failure {
  uint32_t size;
  uint8_t retryable;
  uint8_t pad[3];
  tasker_str type;
  tasker_str message;
  tasker_str backtrace;
  tasker_str error_code;
  int32_t http_status;
  tasker_bytes context;
  tasker_bytes metadata;
  int64_t retry_after_ns;
} tasker_failure;
enum { TASKER_THREADS_CONCURRENT = 0, TASKER_THREADS_SERIAL = 1, TASKER_THREADS_RUNTIME = 2 };
enum {
  TASKER_CAP_CANCEL = 1u << 0,
  TASKER_CAP_CHECKPOINT = 1u << 1,
  TASKER_CAP_IDEMPOTENT = 1u << 2
};
enum {
  TASKER_CANCEL_TIMEOUT = 1,
  TASKER_CANCEL_CANCELLED = 2,
  TASKER_CANCEL_RESOLVED = 3,
  TASKER_CANCEL_SHUTDOWN = 4
};
typedef struct tasker_handler_ops {
  uint32_t size;
  uint32_t reserved;
  tasker_status (*start)(void* self, const tasker_step* step, tasker_call* call,
                         tasker_error* error);
  void (*cancel)(void* self, tasker_call* call, int32_t reason);
  void (*destroy)(void* self);
} tasker_handler_ops;
typedef struct tasker_handler {
  uint32_t size;
  uint32_t threads;
  uint32_t caps;
  uint32_t max_concurrency;
  uint32_t pool;
  uint32_t reserved;
  tasker_str id;
  tasker_str version, description;
  tasker_str config_schema;
  const tasker_handler_ops* ops;
  void* self;
} tasker_handler;
typedef struct tasker_host {
  uint32_t size;
  uint32_t abi_minor;
  tasker_str name, version;
  void (*log)(tasker_plugin* plugin, tasker_call* call_or_null, int32_t level, tasker_str message,
              tasker_str fields);
  int (*log_enabled)(tasker_plugin* plugin, int32_t level);
  void (*error_set)(tasker_error* error, tasker_status status, tasker_str message);
  tasker_status (*register_handler)(tasker_plugin* plugin, const tasker_handler* handler,
                                    tasker_error* error);
  tasker_status (*unregister_handler)(tasker_plugin* plugin, tasker_str id, tasker_error* error);
  void (*set_capacity)(tasker_plugin* plugin, uint32_t pool, uint32_t free);
  const void* (*extension)(tasker_plugin* plugin, const char* id);
  tasker_status (*complete)(tasker_call* call, tasker_success* moved);
  tasker_status (*fail)(tasker_call* call, const tasker_failure* failure);
  tasker_status (*yield)(tasker_call* call, tasker_bytes* moved_checkpoint,
                         int64_t resume_after_ns);
  tasker_status (*checkpoint)(tasker_call* call, tasker_bytes* moved_state);
  tasker_status (*heartbeat)(tasker_call* call, double progress, tasker_str note);
  void (*retain)(tasker_call* call);
  void (*release)(tasker_call* call);
} tasker_host;
typedef struct tasker_plugin_entry {
  uint32_t size;
  uint32_t abi_minor;
  uint32_t min_host_minor;
  uint32_t flags;
  tasker_str name, version;
  tasker_status (*init)(const tasker_host* host, tasker_plugin* plugin, tasker_bytes config,
                        void** state, tasker_error* error);
  tasker_status (*drain)(void* state, int64_t deadline_ns);
  void (*shutdown)(void* state);
  tasker_status (*reload)(void* state, tasker_bytes config, tasker_error* error);
  const void* (*extension)(void* state, const char* id);
} tasker_plugin_entry;
TASKER_EXPORT const tasker_plugin_entry* tasker_plugin_v1(void);
#ifdef __cplusplus
}
#endif
