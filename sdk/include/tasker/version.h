/* SPDX-License-Identifier: MIT */
#ifndef TASKER_VERSION_H
#define TASKER_VERSION_H

/* The version of this distribution: host, SDK and Python package are released together. */
#define TASKER_VERSION "0.1.0"

/* The ABI. The major is part of the entry symbol's name, tasker_plugin_v1; the minor counts
 * appended fields. */
#define TASKER_ABI_MAJOR 1
#define TASKER_ABI_MINOR 0

#endif
