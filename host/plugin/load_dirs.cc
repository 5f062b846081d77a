#include "plugin/load_dirs.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "base/result.h"
#include "log/log.h"
#include "plugin/in_process.h"
#include "plugin/library.h"

namespace tasker::plugin {
namespace {

Result<std::vector<std::string>> ListLibraries(const std::string& dir) {
  std::vector<std::string> files;
  std::error_code code;
  std::filesystem::directory_iterator entry(dir, code);
  if (code == std::errc::no_such_file_or_directory) {
    log::Debug("plugin", "a plugin folder is not there", {{"dir", dir}});
    return files;
  }
  while (!code && entry != std::filesystem::directory_iterator()) {
    if (entry->path().extension() == ".so") files.push_back(entry->path().string());
    entry.increment(code);
  }
  if (code) return Invalid("plugin folder " + dir + ": it cannot be read: " + code.message());
  std::ranges::sort(files);
  return files;
}

}  // namespace

LoadedPlugins LoadDirs(const std::vector<std::string>& dirs,
                       const std::map<std::string, std::string>& configs, HandlerRegistry& registry,
                       const HostCalls& calls, const Limits& limits,
                       const std::set<std::string>& passed_over) {
  LoadedPlugins loaded;
  std::set<const Library*> seen;
  for (const std::string& dir : dirs) {
    auto files = ListLibraries(dir);
    if (!files) {
      loaded.errors.push_back(files.error());
      continue;
    }
    for (const std::string& file : *files) {
      if (passed_over.contains(std::filesystem::path(file).filename().string())) {
        log::Info("plugin", "a plugin is not loaded: this program contains it", {{"file", file}});
        continue;
      }
      const auto library = Library::Open(file);
      if (!library) {
        loaded.errors.push_back(library.error());
        continue;
      }
      if (!seen.insert(*library).second) {
        log::Debug("plugin", "a plugin is named twice and loaded once", {{"file", file}});
        continue;
      }
      const auto config = configs.find((*library)->entry().name);
      auto instance = InProcess::Load(file, registry, calls, limits,
                                      config == configs.end() ? "{}" : config->second);
      if (instance) {
        loaded.instances.push_back(*std::move(instance));
      } else {
        loaded.errors.push_back(instance.error());
      }
    }
  }
  return loaded;
}

}  // namespace tasker::plugin
