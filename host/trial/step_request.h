#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "plugin/instance.h"

namespace tasker::trial {

// One step as a person asks for it. Texts are JSON.
struct StepRequest {
  std::string handler, method, resolver;
  std::string context = "{}";
  std::string dependencies = "{}";    // what a step's ancestors left: {"<name>": {"result": ...}}
  std::string initialization = "{}";  // the template's handler.initialization
  std::string checkpoint;             // empty: none
  std::uint32_t attempt = 1;
  std::optional<std::chrono::milliseconds> timeout;
};

// kInvalid names what is no JSON.
Status CheckTexts(const StepRequest& request, const plugin::Limits& limits);

// The attempt of that step, of a task of its own. Its deadline runs from now.
std::unique_ptr<plugin::StepInput> InputOf(const StepRequest& request, std::int64_t claim);

}  // namespace tasker::trial
