#include "embedded_config.h"

#include <Python.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string_view>

namespace tasker::python {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

[[noreturn]] void Refuse(std::string_view key, const std::string& expected) {
  throw std::invalid_argument("[plugin.python] " + std::string(key) + " is not " + expected);
}

std::string Text(std::string_view key, const json::value& value) {
  if (!value.is_string()) Refuse(key, "a text");
  return std::string(value.as_string());
}

std::vector<std::string> Texts(std::string_view key, const json::value& value) {
  if (value.is_string()) return {Text(key, value)};
  if (!value.is_array()) Refuse(key, "a list of texts");
  std::vector<std::string> texts;
  for (const json::value& one : value.as_array()) texts.push_back(Text(key, one));
  return texts;
}

bool Flag(std::string_view key, const json::value& value) {
  if (!value.is_bool()) Refuse(key, "true or false");
  return value.as_bool();
}

int Count(std::string_view key, const json::value& value) {
  constexpr int kMax = 1024;
  if (!value.is_int64() || value.as_int64() < 1 || value.as_int64() > kMax)
    Refuse(key, "a number from 1 to 1024");
  return static_cast<int>(value.as_int64());
}

std::string Absolute(const std::string& path, const std::string& base) {
  return (fs::path(base) / path).lexically_normal().string();
}

void Set(const std::string& key, const json::value& value, EmbeddedConfig& config) {
  if (key == "venv") {
    config.venv = Text(key, value);
  } else if (key == "path") {
    config.path = Texts(key, value);
  } else if (key == "packages") {
    config.packages = Texts(key, value);
  } else if (key == "auto_discover") {
    config.auto_discover = Flag(key, value);
  } else if (key == "strict") {
    config.strict = Flag(key, value);
  } else if (key == "max_concurrent_handlers") {
    config.max_concurrent_handlers = Count(key, value);
  } else if (key == "max_concurrent_async") {
    config.max_concurrent_async = Count(key, value);
  } else {
    throw std::invalid_argument(
        "[plugin.python] has no key '" + key +
        "'; it knows venv, path, packages, auto_discover, strict, max_concurrent_handlers and "
        "max_concurrent_async");
  }
}

// "3.11.2" of the line "version = 3.11.2"; uv writes "version_info".
std::string VersionOf(const fs::path& file) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find('=');
    if (line.rfind("version", 0) != 0 || equals == std::string::npos) continue;
    const std::size_t first = line.find_first_not_of(' ', equals + 1);
    return first == std::string::npos ? "" : line.substr(first);
  }
  return {};
}

}  // namespace

EmbeddedConfig ReadEmbeddedConfig(const std::string& text, const std::string& base) {
  EmbeddedConfig config;
  json::error_code error;
  const json::value parsed = json::parse(text, error);
  if (error || !parsed.is_object())
    throw std::invalid_argument("[plugin.python] did not arrive as a JSON object");
  for (const auto& [key, value] : parsed.as_object()) Set(std::string(key), value, config);
  if (!config.venv.empty()) config.venv = Absolute(config.venv, base);
  if (config.path.empty()) config.path = {"."};
  for (std::string& folder : config.path) folder = Absolute(folder, base);
  return config;
}

std::string ExecutableOf(const EmbeddedConfig& config) {
  if (config.venv.empty()) return {};
  const fs::path venv = config.venv;
  const fs::path executable = venv / "bin" / "python";
  std::error_code ignored;  // What cannot be looked at is not there.
  if (!fs::exists(executable, ignored) || !fs::exists(venv / "pyvenv.cfg", ignored)) {
    throw std::invalid_argument("[plugin.python] venv: " + config.venv +
                                " is no virtualenv; make it with /usr/bin/python3 -m venv " +
                                config.venv);
  }
  const std::string version = VersionOf(venv / "pyvenv.cfg");
  const std::string wanted =
      std::to_string(PY_MAJOR_VERSION) + "." + std::to_string(PY_MINOR_VERSION);
  if (version.rfind(wanted + ".", 0) != 0) {
    throw std::invalid_argument("[plugin.python] venv: " + config.venv + " is of Python " +
                                version + ", and this plugin embeds Python " + wanted +
                                "; make a virtualenv of that version");
  }
  return executable.string();
}

}  // namespace tasker::python
