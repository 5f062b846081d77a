#pragma once

#include <string>

#include "base/findings.h"

namespace tasker::trial {

// Looks at a plugin's file, named by its resolved path, without loading it. False: a host would not
// load it.
bool LookAtFile(const std::string& file, Findings& findings);

}  // namespace tasker::trial
