#include "config/load.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "config/file.h"
#include "config/keys.h"
#include "config/value.h"

namespace tasker::config {
namespace {

namespace fs = std::filesystem;

// Null for a variable that is unset or empty.
const std::string* Variable(const Environment& env, std::string_view name) {
  const auto variable = env.find(name);
  return variable == env.end() || variable->second.empty() ? nullptr : &variable->second;
}

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(separator));
    if (!part.empty()) parts.emplace_back(part);
    text.remove_prefix(std::min(text.size(), part.size() + 1));
  }
  return parts;
}

// A list of paths as PATH has it, other lists with commas.
Value ToValue(const Key& key, const std::string& text) {
  if (std::holds_alternative<PathListKey>(key.kind)) return Split(text, ':');
  if (std::holds_alternative<TextListKey>(key.kind)) return Split(text, ',');
  return text;
}

Status ApplyEnvironment(const Environment& env, Config& config) {
  for (const Key& key : Keys()) {
    const std::string* text = key.env.empty() ? nullptr : Variable(env, key.env);
    if (text == nullptr) continue;
    TRY_OK(Assign(key, "the environment variable " + std::string(key.env), ToValue(key, *text),
                  fs::current_path(), config));
    config.origins[std::string(key.name)] = "env " + std::string(key.env);
  }
  if (const std::string* name = Variable(env, "TASKER_ENV")) {
    config.notices.push_back("TASKER_ENV is " + Quoted(*name) +
                             "; this host reports it and behaves the same in every "
                             "environment");
  }
  return Ok();
}

std::string HostName() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name.front() == '\0') return "host";
  return name.data();
}

// What an empty text or list stands for.
void FillDefaults(const fs::path& base, Config& config) {
  if (config.worker.id.empty()) {
    config.worker.id = "worker-" + HostName();
    config.origins["worker.id"] = kDefaultOrigin;
  }
  if (config.templates.paths.empty()) {
    for (const auto* folder : {".tasker/templates", "config/tasks", "templates"}) {
      std::error_code ignored;  // What cannot be looked at is not there.
      if (fs::is_directory(base / folder, ignored))
        config.templates.paths.push_back(Absolute(folder, base));
    }
    config.origins["templates.paths"] = kDefaultOrigin;
  }
  if (config.plugins.dirs.empty()) {
    for (const auto* folder :
         {".tasker/plugins", "/usr/local/lib/tasker/plugins", "/usr/lib/tasker/plugins"}) {
      config.plugins.dirs.push_back(Absolute(folder, base));
    }
    config.origins["plugins.dirs"] = kDefaultOrigin;
  }
  config.store.path = Absolute(config.store.path, base);
}

// TASKER_PLUGIN_PATH does not replace the other folders: it comes before them.
void AppendPluginDirs(const std::vector<std::string>& dirs, const std::string& origin,
                      Config& config) {
  auto& all = config.plugins.dirs;
  for (const std::string& dir : dirs) {
    if (std::ranges::find(all, dir) == all.end()) all.push_back(dir);
  }
  config.origins["plugins.dirs"] += ", " + origin;
}

}  // namespace

Result<Config> Load(std::string_view path, const Environment& env) {
  Config config;
  for (const Key& key : Keys()) config.origins[std::string(key.name)] = kDefaultOrigin;

  const std::string* named = Variable(env, "TASKER_CONFIG_PATH");
  const std::string file = path.empty() && named != nullptr ? *named : std::string(path);
  fs::path base = fs::current_path();
  if (!file.empty()) {
    Status applied = ApplyFile(file, env, config);
    if (!applied)
      return path.empty() ? Prefixed("TASKER_CONFIG_PATH", applied.error()) : applied.error();
    config.file = fs::absolute(file).lexically_normal().string();
    base = fs::path(config.file).parent_path();
  }
  FillDefaults(base, config);

  const std::vector<std::string> plugin_dirs = config.plugins.dirs;
  const std::string plugin_origin = config.origins["plugins.dirs"];
  TRY_OK(ApplyEnvironment(env, config));
  if (config.origins["plugins.dirs"] != plugin_origin)
    AppendPluginDirs(plugin_dirs, plugin_origin, config);
  return config;
}

}  // namespace tasker::config
