#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "log/log.h"

namespace tasker::log {

// One line before it is written. Refers to what Write was given; lives as long as that call.
struct Line {
  std::chrono::system_clock::time_point at;
  Level level = Level::kInfo;
  std::string_view module;
  std::string_view message;
  const Fields& fields;
  std::uint64_t repeated = 0;  // how often the same line was left out since it was last written
};

// The longest line, in bytes, without its newline. Of a longer one the message's and the fields'
// ends are cut off, and the line says so: "cut": true, or "(cut)".
inline constexpr std::size_t kLineMax = 8192;

// {"ts":"2026-01-02T03:04:05.678Z","level":"info","module":"store","message":"...","task":"..."}:
// one JSON object in one line of valid UTF-8, without a newline, whatever the line holds.
std::string FormatJson(const Line& line);

// 12:34:56.789 info  store: message key=value key="value with spaces". Local time; control
// characters are escaped.
std::string FormatText(const Line& line);

}  // namespace tasker::log
