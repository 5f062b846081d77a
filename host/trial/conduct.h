#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/findings.h"
#include "plugin/instance.h"
#include "trial/step_request.h"

namespace tasker::trial {

// What a plugin is put through, in a process that may be lost by it.
struct Trial {
  std::string file;
  std::map<std::string, std::string> configs;  // a plugin's name -> its table of worker.toml
  plugin::Limits limits;
  std::chrono::milliseconds patience{10'000};  // for a step, its cancel, and the end
  // One attempt to its end, and one that is cancelled. A handler may have effects, so nothing is
  // started unless a person names it.
  std::optional<StepRequest> step;
};

// Told while Conduct goes on: what comes next ("init"), and what was found.
struct Observer {
  std::function<void(const std::string& phase)> begins;
  std::function<void(Finding finding)> found;
};

// Loads the plugin and has it init, run the step, drain, shut down, and init again; looks at what
// it did to the process. False: the plugin still runs, so the process has to end by _exit.
bool Conduct(const Trial& trial, const Observer& observer);

}  // namespace tasker::trial
