#include "application_config.h"

#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/uuid.h"
#include "config/keys.h"
#include "config/load.h"
#include "config/value.h"

namespace tasker::python {
namespace {

constexpr const char* kOrigin = "program";

config::Environment EnvironmentNow() {
  config::Environment env;
  for (const char* const* entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos)
      env.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return env;
}

// A scalar as TOML writes it: true, 12, "text"; what is none of these is a text as it stands.
config::Value ToValue(const std::string& text) {
  if (text == "true" || text == "false") return text == "true";
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (!text.empty() && read.ec == std::errc() && read.ptr == text.data() + text.size())
    return number;
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    return text.substr(1, text.size() - 2);
  return text;
}

Status Set(std::string_view name, const config::Value& value, config::Config& config) {
  const config::Key* const key = config::FindKey(name);
  if (key == nullptr) {
    return Invalid("the program sets " + std::string(name) +
                   ", which is no key of worker.toml; the nearest is " +
                   std::string(config::NearestKey(name)));
  }
  TRY_OK(config::Assign(*key, name, value, std::filesystem::current_path(), config));
  config.origins[std::string(name)] = kOrigin;
  return Ok();
}

}  // namespace

Result<config::Config> LoadConfig(const Settings& settings) {
  TRY(config::Config config, config::Load(settings.config_path, EnvironmentNow()));
  if (config.origins["worker.id"] == config::kDefaultOrigin)
    config.worker.id = "python-worker-" + Uuid::New().ToString();
  if (!settings.worker_id.empty()) TRY_OK(Set("worker.id", settings.worker_id, config));
  if (!settings.ns.empty())
    TRY_OK(Set("worker.namespaces", std::vector<std::string>{settings.ns}, config));
  if (!settings.log_level.empty()) TRY_OK(Set("log.level", settings.log_level, config));
  for (const Settings::Override& override : settings.overrides) {
    const config::Value value =
        override.is_list ? config::Value(override.list) : ToValue(override.value);
    TRY_OK(Set(override.key, value, config));
  }
  return config;
}

}  // namespace tasker::python
