/* SPDX-License-Identifier: MIT
 *
 * What the host knows of itself: tasker_host.extension(plugin, TASKER_EXT_STATUS).
 */
#ifndef TASKER_EXT_STATUS_H
#define TASKER_EXT_STATUS_H

#include "tasker/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TASKER_EXT_STATUS "tasker.status/1"

typedef struct tasker_status_ext {
  uint32_t size;
  uint32_t reserved;
  /* A JSON object, which the caller releases: worker, worker_name, version, pid, store_path,
   * durability, config_file, ready, not_ready, turns, commits, claimed, ended, submitted,
   * in_flight, places, running, handlers, missing_handlers, templates, last_error, config. Keys are
   * only added. While init runs it has no counts. [any] */
  tasker_status (*status)(tasker_plugin* plugin, tasker_bytes* reply);
} tasker_status_ext;

#ifdef __cplusplus
}
#endif

#endif
