#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "base/findings.h"
#include "cli/style.h"

namespace tasker::cli {

// {"findings": [{name, severity: "ok" | "warning" | "error", found, mend}]}
boost::json::object ToJson(const Findings& findings);

// A line each, and one below it for what is to be done.
std::string ToText(const Findings& findings, const Style& style);

}  // namespace tasker::cli
