#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace tasker::log {

using Level = config::LogLevel;

// One key and its value. Values are identifiers, numbers and states: never payloads, never secrets.
struct Field {
  Field(std::string_view key, std::string_view value) : key(key), value(value) {}
  Field(std::string_view key, const char* value) : key(key), value(value) {}
  Field(std::string_view key, const std::string& value) : key(key), value(value) {}
  Field(std::string_view key, std::int64_t value) : key(key), value(std::to_string(value)), number(true) {}
  Field(std::string_view key, std::int32_t value) : Field(key, std::int64_t{value}) {}
  Field(std::string_view key, std::uint64_t value) : key(key), value(std::to_string(value)), number(true) {}
  Field(std::string_view key, std::uint32_t value) : Field(key, std::uint64_t{value}) {}

  std::string key;
  std::string value;
  bool number = false;
};
using Fields = std::vector<Field>;

// Starts writing to stderr. Before the first call nothing below kWarning is written, and it is written as text. Not
// thread-safe against Write; once, early in main.
void Start(const config::Log& config);
// Flushes. Idempotent.
void Stop();

// Whether a line of this module and level would be written. Cheap: callers test it before building fields on a hot path.
bool Enabled(std::string_view module, Level level);

// Writes one line. Thread-safe. The same (module, message) at kWarning or kError within a minute is written once and
// counted; the next line after that minute carries "repeated": N.
void Write(Level level, std::string_view module, std::string_view message, Fields fields = {});

inline void Debug(std::string_view module, std::string_view message, Fields fields = {}) {
  if (Enabled(module, Level::kDebug)) Write(Level::kDebug, module, message, std::move(fields));
}
inline void Info(std::string_view module, std::string_view message, Fields fields = {}) {
  Write(Level::kInfo, module, message, std::move(fields));
}
inline void Warning(std::string_view module, std::string_view message, Fields fields = {}) {
  Write(Level::kWarning, module, message, std::move(fields));
}
inline void Error(std::string_view module, std::string_view message, Fields fields = {}) {
  Write(Level::kError, module, message, std::move(fields));
}

}  // namespace tasker::log
