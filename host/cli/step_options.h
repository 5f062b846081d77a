#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "config/config.h"
#include "trial/step_request.h"

namespace CLI {
class App;
}

namespace tasker::cli {

// The options of plugin run and plugin check that describe one step. Texts are given as
// ReadJsonArgument takes them.
class StepOptions final {
 public:
  // handler_required: without --handler there is no step.
  void AddTo(CLI::App& app, bool handler_required);
  bool given() const { return !request_.handler.empty(); }

  // With all texts read and found to be JSON.
  Result<trial::StepRequest> Read(const config::Config& config) const;

 private:
  trial::StepRequest request_;  // its texts as they were given
  double timeout_s_ = 0;
};

// The [plugin.NAME] table of worker.toml of the plugin in this file, {} without one. Loads the
// file.
Result<std::string> PluginConfigOf(const std::string& file, const config::Config& config);

}  // namespace tasker::cli
