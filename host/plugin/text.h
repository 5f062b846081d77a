#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tasker::plugin {

// The text with U+FFFD for what is no UTF-8, and cut, with a notice that says so, when it is longer
// than `bytes_max`.
std::string CleanText(std::string_view text, std::size_t bytes_max);

// Ok if `text` is one JSON value within the depth; kInvalid says what is wrong at which byte.
// Builds nothing.
Status CheckJsonText(std::string_view text, std::size_t depth_max);

}  // namespace tasker::plugin
