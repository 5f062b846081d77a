/* SPDX-License-Identifier: MIT
 *
 * Tasks from inside a plugin: tasker_host.extension(plugin, TASKER_EXT_CLIENT). Requests and
 * replies are JSON objects in the shapes of Tasker's clients.
 */
#ifndef TASKER_EXT_CLIENT_H
#define TASKER_EXT_CLIENT_H

#include "tasker/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TASKER_EXT_CLIENT "tasker.client/1"

/* operation                request                               reply
 * create_task              name, namespace, version, context,    the task
 *                          initiator, source_system, reason,
 *                          priority, idempotency_key, tags,
 *                          correlation_id, requested_at,
 *                          parent_correlation_id, options
 * get_task                 task_uuid                             the task
 * list_tasks               limit, offset, namespace, status      tasks, pagination
 * cancel_task              task_uuid                             cancelled
 * list_task_steps          task_uuid                             steps
 * get_step                 task_uuid, step_uuid                  the step
 * get_step_audit_history   task_uuid, step_uuid                  entries
 * health_check                                                   healthy
 * wait_task                task_uuid, timeout_ms                 the task, once nothing more
 *                                                                happens in it without a person
 * watch_task               task_uuid, seen, timeout_ms           the task, and seen: at once
 *                                                                without `seen`, else when its
 *                                                                steps differ from when a reply
 *                                                                said that */
typedef struct tasker_client {
  uint32_t size;
  uint32_t reserved;
  /* Blocks until the store has answered: never call it from start() of a handler. On TASKER_OK
   * *reply is the caller's, who releases it; else nothing, and the error says why. E_INVALID: the
   * request is wrong. E_NOT_FOUND, E_WRONG_STATE: of what it names. E_BUSY: not now. E_TIMEOUT: of
   * wait_task and watch_task. [any] */
  tasker_status (*call)(tasker_plugin* plugin, tasker_str operation, tasker_str request,
                        tasker_bytes* reply, tasker_error* error);
} tasker_client;

#ifdef __cplusplus
}
#endif

#endif
