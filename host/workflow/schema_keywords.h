#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tasker::workflow {

// Whether a keyword's value has the shape that the keyword needs; unknown keywords may hold
// anything. Schemas within it are not looked at. `path` is the JSON pointer of the value.
Status CheckKeyword(std::string_view key, const boost::json::value& value, bool draft4,
                    const std::string& path);

}  // namespace tasker::workflow
