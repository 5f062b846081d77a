#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/load.h"

namespace tasker::config {

// The text with each ${VAR} replaced by the variable's value and each ${VAR:-default} by its value
// or, where that is unset or empty, by the default. "$${" stands for "${". The default ends at the
// first "}" and is not replaced again.
Result<std::string> Substitute(std::string_view text, const Environment& env);

}  // namespace tasker::config
