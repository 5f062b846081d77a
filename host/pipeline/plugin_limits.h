#pragma once

#include <cstddef>

#include "config/config.h"
#include "plugin/instance.h"

namespace tasker::pipeline {

inline plugin::Limits PluginLimitsOf(const config::Limits& limits) {
  plugin::Limits out;
  out.result_max_bytes = static_cast<std::size_t>(limits.result_max_bytes);
  out.checkpoint_max_bytes = static_cast<std::size_t>(limits.checkpoint_max_bytes);
  out.json_depth_max = static_cast<std::size_t>(limits.json_depth_max);
  return out;
}

}  // namespace tasker::pipeline
