/* SPDX-License-Identifier: MIT
 *
 * Handlers that nobody listed: what tasker_plugin_entry.extension(state, TASKER_EXT_RESOLVER)
 * returns. A runtime whose handlers are an open set, such as dotted paths, learns from it which
 * ones templates name.
 */
#ifndef TASKER_EXT_RESOLVER_H
#define TASKER_EXT_RESOLVER_H

#include "tasker/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TASKER_EXT_RESOLVER "tasker.resolver/1"

typedef struct tasker_resolver {
  uint32_t size;
  uint32_t reserved;
  /* Steps name this handler and no live worker here serves it. A plugin that can run it registers
   * (id, resolver) now, or later. The same handler may be asked for again. [control] */
  void (*wanted)(void* state, tasker_str id, tasker_str method, tasker_str resolver);
} tasker_resolver;

#ifdef __cplusplus
}
#endif

#endif
