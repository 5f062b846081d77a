/* SPDX-License-Identifier: MIT
 *
 * The layout of the ABI on 64-bit machines, checked by the compiler: it changes by appending, and
 * then this file grows. abi_test.py sees to it that no field and no constant is missing here.
 */
#include <tasker/ext/client.h>
#include <tasker/ext/resolver.h>
#include <tasker/ext/status.h>
#include <tasker/plugin.h>

#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), "the size of " #type)
#define AT(type, field, bytes) \
  _Static_assert(offsetof(type, field) == (bytes), "the offset of " #type "." #field)
#define VALUE(name, number) _Static_assert((name) == (number), "the value of " #name)

SIZE(tasker_str, 16);
AT(tasker_str, data, 0);
AT(tasker_str, len, 8);

SIZE(tasker_bytes, 32);
AT(tasker_bytes, data, 0);
AT(tasker_bytes, len, 8);
AT(tasker_bytes, release, 16);
AT(tasker_bytes, owner, 24);

SIZE(tasker_uuid, 16);
AT(tasker_uuid, bytes, 0);

SIZE(tasker_step, 496);
AT(tasker_step, size, 0);
AT(tasker_step, attempt, 4);
AT(tasker_step, max_attempts, 8);
AT(tasker_step, crashes, 12);
AT(tasker_step, priority, 16);
AT(tasker_step, reserved, 20);
AT(tasker_step, task, 24);
AT(tasker_step, step, 40);
AT(tasker_step, correlation, 56);
AT(tasker_step, call_id, 72);
AT(tasker_step, handler, 88);
AT(tasker_step, method, 104);
AT(tasker_step, resolver, 120);
AT(tasker_step, task_namespace, 136);
AT(tasker_step, task_name, 152);
AT(tasker_step, task_version, 168);
AT(tasker_step, step_name, 184);
AT(tasker_step, idempotency_key, 200);
AT(tasker_step, context, 216);
AT(tasker_step, dependencies, 248);
AT(tasker_step, config, 280);
AT(tasker_step, checkpoint, 312);
AT(tasker_step, inputs, 344);
AT(tasker_step, definition, 376);
AT(tasker_step, task_row, 408);
AT(tasker_step, step_row, 440);
AT(tasker_step, deadline_ns, 472);
AT(tasker_step, traceparent, 480);

SIZE(tasker_success, 104);
AT(tasker_success, size, 0);
AT(tasker_success, reserved, 4);
AT(tasker_success, result, 8);
AT(tasker_success, metadata, 40);
AT(tasker_success, events, 72);

SIZE(tasker_failure, 152);
AT(tasker_failure, size, 0);
AT(tasker_failure, retryable, 4);
AT(tasker_failure, pad, 5);
AT(tasker_failure, type, 8);
AT(tasker_failure, message, 24);
AT(tasker_failure, backtrace, 40);
AT(tasker_failure, error_code, 56);
AT(tasker_failure, http_status, 72);
AT(tasker_failure, context, 80);
AT(tasker_failure, metadata, 112);
AT(tasker_failure, retry_after_ns, 144);

SIZE(tasker_handler_ops, 32);
AT(tasker_handler_ops, size, 0);
AT(tasker_handler_ops, reserved, 4);
AT(tasker_handler_ops, start, 8);
AT(tasker_handler_ops, cancel, 16);
AT(tasker_handler_ops, destroy, 24);

SIZE(tasker_handler, 120);
AT(tasker_handler, size, 0);
AT(tasker_handler, threads, 4);
AT(tasker_handler, caps, 8);
AT(tasker_handler, max_concurrency, 12);
AT(tasker_handler, pool, 16);
AT(tasker_handler, reserved, 20);
AT(tasker_handler, id, 24);
AT(tasker_handler, version, 40);
AT(tasker_handler, description, 56);
AT(tasker_handler, config_schema, 72);
AT(tasker_handler, ops, 88);
AT(tasker_handler, self, 96);
AT(tasker_handler, resolver, 104);

SIZE(tasker_host, 184);
AT(tasker_host, size, 0);
AT(tasker_host, abi_minor, 4);
AT(tasker_host, name, 8);
AT(tasker_host, version, 24);
AT(tasker_host, log, 40);
AT(tasker_host, log_enabled, 48);
AT(tasker_host, error_set, 56);
AT(tasker_host, register_handler, 64);
AT(tasker_host, unregister_handler, 72);
AT(tasker_host, set_capacity, 80);
AT(tasker_host, extension, 88);
AT(tasker_host, complete, 96);
AT(tasker_host, fail, 104);
AT(tasker_host, yield, 112);
AT(tasker_host, checkpoint, 120);
AT(tasker_host, heartbeat, 128);
AT(tasker_host, retain, 136);
AT(tasker_host, release, 144);
AT(tasker_host, hand_back, 152);
AT(tasker_host, error_new, 160);
AT(tasker_host, error_message, 168);
AT(tasker_host, error_free, 176);

SIZE(tasker_plugin_entry, 88);
AT(tasker_plugin_entry, size, 0);
AT(tasker_plugin_entry, abi_minor, 4);
AT(tasker_plugin_entry, min_host_minor, 8);
AT(tasker_plugin_entry, flags, 12);
AT(tasker_plugin_entry, name, 16);
AT(tasker_plugin_entry, version, 32);
AT(tasker_plugin_entry, init, 48);
AT(tasker_plugin_entry, drain, 56);
AT(tasker_plugin_entry, shutdown, 64);
AT(tasker_plugin_entry, reload, 72);
AT(tasker_plugin_entry, extension, 80);

SIZE(tasker_client, 16);
AT(tasker_client, size, 0);
AT(tasker_client, reserved, 4);
AT(tasker_client, call, 8);

SIZE(tasker_resolver, 16);
AT(tasker_resolver, size, 0);
AT(tasker_resolver, reserved, 4);
AT(tasker_resolver, wanted, 8);

SIZE(tasker_status_ext, 16);
AT(tasker_status_ext, size, 0);
AT(tasker_status_ext, reserved, 4);
AT(tasker_status_ext, status, 8);

VALUE(TASKER_OK, 0);
VALUE(TASKER_E_INTERNAL, 1);
VALUE(TASKER_E_INVALID, 2);
VALUE(TASKER_E_UNSUPPORTED, 3);
VALUE(TASKER_E_EXISTS, 4);
VALUE(TASKER_E_BUSY, 5);
VALUE(TASKER_E_CANCELLED, 6);
VALUE(TASKER_E_STALE, 7);
VALUE(TASKER_E_WRONG_STATE, 8);
VALUE(TASKER_E_NOT_FOUND, 9);
VALUE(TASKER_E_TIMEOUT, 10);
VALUE(TASKER_LOG_TRACE, 0);
VALUE(TASKER_LOG_DEBUG, 1);
VALUE(TASKER_LOG_INFO, 2);
VALUE(TASKER_LOG_WARNING, 3);
VALUE(TASKER_LOG_ERROR, 4);
VALUE(TASKER_THREADS_CONCURRENT, 0);
VALUE(TASKER_THREADS_SERIAL, 1);
VALUE(TASKER_THREADS_RUNTIME, 2);
VALUE(TASKER_CAP_CANCEL, 1u << 0);
VALUE(TASKER_CAP_CHECKPOINT, 1u << 1);
VALUE(TASKER_CAP_IDEMPOTENT, 1u << 2);
VALUE(TASKER_CANCEL_TIMEOUT, 1);
VALUE(TASKER_CANCEL_CANCELLED, 2);
VALUE(TASKER_CANCEL_RESOLVED, 3);
VALUE(TASKER_CANCEL_SHUTDOWN, 4);

_Static_assert(sizeof(void*) == 8, "a 64-bit machine");
VALUE(TASKER_ABI_MAJOR, 1);
VALUE(TASKER_ABI_MINOR, 0);
