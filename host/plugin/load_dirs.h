#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "plugin/instance.h"
#include "plugin/registry.h"

namespace tasker::plugin {

// What the plugin folders gave: a broken plugin is one error and keeps none of the others from
// loading.
struct LoadedPlugins {
  std::vector<std::unique_ptr<Instance>> instances;
  std::vector<Error> errors;
};

// Loads every *.so of the folders but those of the names in `passed_over`, in the order of the
// folders and by name within each. A folder that is not there is passed over; a file that two
// folders name is loaded once. configs: a plugin's name -> its table of worker.toml as a JSON
// object; without one it gets {}.
LoadedPlugins LoadDirs(const std::vector<std::string>& dirs,
                       const std::map<std::string, std::string>& configs, HandlerRegistry& registry,
                       const HostCalls& calls, const Limits& limits,
                       const std::set<std::string>& passed_over = {});

}  // namespace tasker::plugin
