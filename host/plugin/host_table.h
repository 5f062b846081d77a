#pragma once

#include <tasker/plugin.h>

namespace tasker::plugin {

// The functions that a plugin gets: the same table for all, valid for as long as the process lives.
const tasker_host& HostTable();

}  // namespace tasker::plugin
