#pragma once

#include <string>

#include "base/result.h"
#include "config/config.h"
#include "config/load.h"

namespace tasker::config {

// Reads the TOML file and puts what it says into `config`: values, origins ("<path>:LINE") and
// notices. Relative paths are taken from the file's folder. Of all that is wrong in it, the error
// names what stands first.
Status ApplyFile(const std::string& path, const Environment& env, Config& config);

}  // namespace tasker::config
