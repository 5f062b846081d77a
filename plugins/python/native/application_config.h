#pragma once

#include "base/result.h"
#include "config/config.h"
#include "world.h"

namespace tasker::python {

// The configuration of a host in this process: worker.toml and the environment as everywhere, then
// what the program itself says. kInvalid for an unknown key or a value that it does not take.
Result<config::Config> LoadConfig(const Settings& settings);

}  // namespace tasker::python
