#pragma once

#include <cstddef>
#include <string>

#include "config/config.h"
#include "pipeline/host.h"
#include "plugin/registry.h"

namespace tasker::pipeline {

// What tasker.status/1 answers (sdk/include/tasker/ext/status.h).
std::string StatusJson(const HostStatus& status, const config::Config& config,
                       const plugin::HandlerRegistry& registry, std::size_t templates);

}  // namespace tasker::pipeline
