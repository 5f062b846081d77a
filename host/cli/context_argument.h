#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace tasker::cli {

// The context that --context names: "JSON", "@FILE" or "-" for standard input. At most `bytes_max`;
// whether it is JSON is checked by PrepareSubmit.
Result<std::string> ReadContext(const std::string& argument, std::int64_t bytes_max);

}  // namespace tasker::cli
