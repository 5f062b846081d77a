#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.h"

namespace tasker::log {

using Level = config::LogLevel;

// One key and its value. Values are identifiers, numbers and states: never payloads, never secrets.
struct Field {
  Field(std::string_view name, std::string_view text) : key(name), value(text) {}
  Field(std::string_view name, const char* text) : key(name), value(text) {}
  Field(std::string_view name, const std::string& text) : key(name), value(text) {}
  Field(std::string_view name, std::int64_t n)
      : key(name), value(std::to_string(n)), number(true) {}
  Field(std::string_view name, std::int32_t n) : Field(name, std::int64_t{n}) {}
  Field(std::string_view name, std::uint64_t n)
      : key(name), value(std::to_string(n)), number(true) {}
  Field(std::string_view name, std::uint32_t n) : Field(name, std::uint64_t{n}) {}

  std::string key;
  std::string value;
  bool number = false;
};
using Fields = std::vector<Field>;

// Starts writing to stderr. Before the first call nothing below kWarning is written, and it is
// written as text. Not thread-safe against Write; once, early in main.
void Start(const config::Log& config);
// Writes the counts of repeated lines that no line has carried yet, and flushes. Idempotent; Write
// works after it, too.
void Stop();

// Whether a line of this module and level would be written. Cheap: test it before building fields
// on a hot path.
bool Enabled(std::string_view module, Level level);

// Writes one line, of at most 8 KiB: the ends of what is longer are cut off, and the line says so.
// Thread-safe; may block as long as stderr does, so never under a lock. The same (module, message)
// at kWarning or kError within a minute is written once and counted; the next line after that
// minute carries "repeated": N.
void Write(Level level, std::string_view module, std::string_view message,
           const Fields& fields = {});

inline void Debug(std::string_view module, std::string_view message, const Fields& fields = {}) {
  if (Enabled(module, Level::kDebug)) Write(Level::kDebug, module, message, fields);
}
inline void Info(std::string_view module, std::string_view message, const Fields& fields = {}) {
  Write(Level::kInfo, module, message, fields);
}
inline void Warning(std::string_view module, std::string_view message, const Fields& fields = {}) {
  Write(Level::kWarning, module, message, fields);
}
inline void Error(std::string_view module, std::string_view message, const Fields& fields = {}) {
  Write(Level::kError, module, message, fields);
}

}  // namespace tasker::log
