#pragma once

#include <filesystem>
#include <string>

namespace tasker::testing {

// Copies a plugin of tests/plugins to the file `to`, whose folder is made where there is none, and
// returns its path. Each test takes a copy of its own: a library stays loaded, and known by its
// path.
inline std::string CopyPlugin(const std::string& plugin, const std::filesystem::path& to) {
  namespace fs = std::filesystem;
  fs::create_directories(to.parent_path());
  fs::permissions(to.parent_path(), fs::perms(0755));
  fs::copy_file(fs::path(TASKER_TEST_PLUGINS) / (plugin + ".so"), to);
  fs::permissions(to, fs::perms(0644));
  return to.string();
}

}  // namespace tasker::testing
