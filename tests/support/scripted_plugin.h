#pragma once

#include <functional>
#include <memory>
#include <string>

#include <tasker/plugin.hpp>

#include "base/result.h"
#include "plugin/instance.h"
#include "tests/support/plugin_host.h"

namespace tasker::testing {

// Loads a built-in plugin, "scripted" 1.0, whose body this is. One lives at a time.
Result<std::unique_ptr<plugin::Instance>> LoadScripted(PluginHost& host,
                                                       std::function<void(Plugin&)> body,
                                                       std::string config_json = "{}");

}  // namespace tasker::testing
