#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "workflow/outcome.h"

namespace tasker::workflow {

// What an attempt's row keeps of a failure: type, message, retryable, and what else the handler
// said.
std::string ErrorJson(const Failed& failed);
// The same for a failure that the host itself states.
std::string ErrorJson(bool retryable, std::string_view type, std::string_view message);
// What is kept of the end of an attempt that had ended here before: its times, and its result or
// error.
std::string LateJson(const Outcome& outcome, Time started, Time ended);

}  // namespace tasker::workflow
