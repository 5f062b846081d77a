#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tasker::cli {

// The text that an option names: "JSON", "@FILE" or "-" for standard input. At most `bytes_max`,
// which the setting `limit` says; `noun` is what it is, for errors. Not checked to be JSON.
Result<std::string> ReadJsonArgument(std::string_view noun, const std::string& argument,
                                     std::string_view limit, std::int64_t bytes_max);

// The context that --context names: "JSON", "@FILE" or "-" for standard input. At most `bytes_max`;
// whether it is JSON is checked by PrepareSubmit.
Result<std::string> ReadContext(const std::string& argument, std::int64_t bytes_max);

}  // namespace tasker::cli
