#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/config.h"

namespace tasker::config {

// The environment as Load sees it; the real one is made in cli/ from environ. Nothing else in the
// host reads it.
using Environment = std::map<std::string, std::string, std::less<>>;

// The origin of a value that nobody gave.
inline constexpr const char* kDefaultOrigin = "default";

// The effective configuration: defaults, then the file (`path`; empty: TASKER_CONFIG_PATH; else no
// file at all), then the environment (TASKER_TEMPLATE_PATH and TASKER_PLUGIN_PATH, lists with
// colons; TASKER_NAMESPACE, a list with commas; TASKER_LOG_LEVEL; TASKER_WORKER_ID; set but empty
// is unset). An empty worker.id, templates.paths or plugins.dirs stands for its default; the
// folders of TASKER_PLUGIN_PATH come before the others, not instead of them. Unknown keys, wrong
// types and values out of range are ONE error each load, with file and line, that says what is
// expected; an unknown key names the nearest known one. A file that is named and does not exist is
// kNotFound. TOML strings take ${VAR} and ${VAR:-default}. A file with upstream's sections
// ([common], [worker.*] of tasker-core) is accepted: template search paths and the worker's id are
// taken, the rest named in one notice.
Result<Config> Load(std::string_view path, const Environment& env);

// Every key with its effective value and origin, as an aligned table or as a JSON object
// {"key": {"value":, "origin":}}; values of keys whose name contains password, secret, token or
// key, in [plugin.*], are shown as "***".
std::string Show(const Config& config, bool json);

}  // namespace tasker::config
