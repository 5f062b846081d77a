#pragma once

#include <string>
#include <vector>

namespace tasker::python {

// The table [plugin.python] of worker.toml.
struct EmbeddedConfig {
  std::string venv;                   // a virtualenv's folder; empty: the system's packages
  std::vector<std::string> path;      // leads sys.path; empty: the folder of worker.toml
  std::vector<std::string> packages;  // with handlers; empty: what the templates name is imported
  bool auto_discover = true;
  bool strict = false;
  int max_concurrent_handlers = 10;
  int max_concurrent_async = 128;
};

// Throws std::invalid_argument with a sentence: an unknown key, a value of another type.
// `base`: relative paths are taken from it.
EmbeddedConfig ReadEmbeddedConfig(const std::string& json, const std::string& base);

// The interpreter that stands for the virtualenv; throws std::invalid_argument where it is none, or
// one of another version of Python. Empty where none is configured.
std::string ExecutableOf(const EmbeddedConfig& config);

}  // namespace tasker::python
