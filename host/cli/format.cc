#include "cli/format.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace tasker::cli {
namespace {

std::string OneDecimal(double value, const char* unit) {
  std::array<char, 64> text{};
  // 9.96 would be "10.0": from there on no decimal is shown.
  std::snprintf(text.data(), text.size(), value < 9.95 ? "%.1f %s" : "%.0f %s", value, unit);
  return text.data();
}

std::string Two(std::int64_t large, const char* large_unit, std::int64_t small,
                const char* small_unit) {
  std::string text = std::to_string(large).append(" ").append(large_unit);
  if (small > 0) text.append(" ").append(std::to_string(small)).append(" ").append(small_unit);
  return text;
}

std::tm Broken(Time time, bool local) {
  const std::time_t seconds =
      std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm broken{};
  if (local) {
    ::localtime_r(&seconds, &broken);
  } else {
    ::gmtime_r(&seconds, &broken);
  }
  return broken;
}

std::string Formatted(const std::tm& broken, const char* format) {
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), format, &broken)};
}

std::string Fraction(Time time, int digits, std::int64_t divisor) {
  const auto micros = (time - std::chrono::floor<std::chrono::seconds>(time)).count();
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), ".%0*lld", digits,
                static_cast<long long>(micros / divisor));
  return text.data();
}

}  // namespace

std::string DurationText(std::chrono::microseconds duration) {
  const std::int64_t us = duration.count();
  if (us <= 0) return "0 ms";
  if (us < 999'500) return OneDecimal(static_cast<double>(us) / 1e3, "ms");
  if (us < 59'950'000) return OneDecimal(static_cast<double>(us) / 1e6, "s");
  const std::int64_t seconds = (us + 500'000) / 1'000'000;
  if (seconds < 3600) return Two(seconds / 60, "min", seconds % 60, "s");
  if (seconds < 86'400) return Two(seconds / 3600, "h", seconds % 3600 / 60, "min");
  return Two(seconds / 86'400, "d", seconds % 86'400 / 3600, "h");
}

std::string SizeText(std::int64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  double value = static_cast<double>(bytes);
  const char* unit = "B";
  for (const char* larger : {"KiB", "MiB", "GiB", "TiB"}) {
    if (value < 1023.5) break;
    value /= 1024;
    unit = larger;
  }
  return OneDecimal(value, unit);
}

std::string LocalTime(Time time) { return Formatted(Broken(time, true), "%Y-%m-%d %H:%M:%S"); }

std::string LocalTimeOfDay(Time time) {
  return Formatted(Broken(time, true), "%H:%M:%S") + Fraction(time, 3, 1000);
}

std::string IsoTime(Time time) {
  return Formatted(Broken(time, false), "%Y-%m-%dT%H:%M:%S") + Fraction(time, 6, 1) + "Z";
}

std::string Count(std::int64_t n, const char* noun) {
  return std::to_string(n).append(" ").append(noun).append(n == 1 ? "" : "s");
}

}  // namespace tasker::cli
