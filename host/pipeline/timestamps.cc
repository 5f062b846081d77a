#include "pipeline/timestamps.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tasker::pipeline {
namespace {

// Puts the number's last digits there, as many as there is place for.
void Put(std::int64_t number, char* begin, char* end) {
  for (; end != begin; number /= 10) *--end = static_cast<char>('0' + number % 10);
}

// The number that `text` begins with, which has exactly `width` digits; takes it and what
// must stand before it away.
std::optional<int> TakeDigits(std::string_view before, std::size_t width, std::string_view& text) {
  if (!text.starts_with(before)) return std::nullopt;
  text.remove_prefix(before.size());
  const std::string_view digits = text.substr(0, width);
  int number = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool all = digits.size() == width && read.ptr == digits.data() + width && digits[0] != '-';
  if (!all) return std::nullopt;
  text.remove_prefix(width);
  return number;
}

std::optional<Time> Parsed(std::string_view text) {
  constexpr std::size_t kDecimals = 6;
  const auto year = TakeDigits("", 4, text);
  const auto month = year ? TakeDigits("-", 2, text) : std::nullopt;
  const auto day = month ? TakeDigits("-", 2, text) : std::nullopt;
  const auto hour = day ? TakeDigits("T", 2, text) : std::nullopt;
  const auto minute = hour ? TakeDigits(":", 2, text) : std::nullopt;
  const auto second = minute ? TakeDigits(":", 2, text) : std::nullopt;
  if (!second) return std::nullopt;
  std::optional<int> micros = 0;
  if (text.starts_with('.')) {
    const auto end = std::min(text.find_first_not_of("0123456789", 1), text.size());
    std::string decimals(text.substr(1, end - 1));
    if (decimals.empty() || decimals.size() > kDecimals) return std::nullopt;
    decimals.resize(kDecimals, '0');
    std::string_view left = decimals;
    micros = TakeDigits("", kDecimals, left);
    text.remove_prefix(end);
  }
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  const bool zone = text.empty() || text == "Z" || text == "+00:00";
  if (!zone || !date.ok() || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  return Time(std::chrono::sys_days(date)) + std::chrono::hours(*hour) +
         std::chrono::minutes(*minute) + std::chrono::seconds(*second) +
         std::chrono::microseconds(*micros);
}

}  // namespace

Result<Time> ParseTimestamp(std::string_view text) {
  const auto time = Parsed(text);
  if (time) return *time;
  return Invalid("'" + std::string(text) +
                 "' is no time in UTC; write it like 2026-01-31T09:30:00 or "
                 "2026-01-31T09:30:00.123456Z");
}

void AppendTimestamp(Time time, std::string& out) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  char text[] = "yyyy-mm-ddThh:mm:ss.uuuuuu";
  Put(static_cast<int>(date.year()), text, text + 4);
  Put(static_cast<unsigned>(date.month()), text + 5, text + 7);
  Put(static_cast<unsigned>(date.day()), text + 8, text + 10);
  Put(clock.hours().count(), text + 11, text + 13);
  Put(clock.minutes().count(), text + 14, text + 16);
  Put(clock.seconds().count(), text + 17, text + 19);
  Put(clock.subseconds().count(), text + 20, text + 26);
  out += std::string_view(text, sizeof text - 1);
}

}  // namespace tasker::pipeline
