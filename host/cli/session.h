#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/terminal.h"
#include "config/config.h"
#include "config/load.h"

namespace tasker::cli {

// What every command is given.
struct Session {
  std::string config_path;  // --config; empty: not given
  config::Environment env;
  bool json = false;
  Terminal& out;
  Terminal& err;

  Result<config::Config> LoadConfig() const { return config::Load(config_path, env); }

  // "tasker-host [--config FILE] COMMAND", as a person would have to type it to work on the same
  // store.
  std::string CommandLine(std::string_view command) const;
  // One line on stderr, for people.
  void Note(std::string_view text) const;
};

}  // namespace tasker::cli
