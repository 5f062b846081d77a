#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "base/result.h"

// Who does something to the work of a store, and why: kept beside what was done.
namespace tasker::cli {

struct Who {
  std::string actor;
  std::string reason;
};

// Adds --actor and --reason, which go to `who`. It outlives `app`.
void AddWhoOptions(CLI::App& app, Who& who);

// Fills in the login name of this process's user where no actor was given, and refuses texts that
// are too long to be kept.
Status CompleteWho(Who& who);

}  // namespace tasker::cli
