#include "pipeline/timestamps.h"

#include <chrono>
#include <cstdint>

namespace tasker::pipeline {
namespace {

void AppendDigits(std::int64_t number, int width, std::string& out) {
  const std::size_t begin = out.size();
  out.append(static_cast<std::size_t>(width), '0');
  for (std::size_t i = begin + static_cast<std::size_t>(width); i-- > begin; number /= 10) {
    out[i] = static_cast<char>('0' + number % 10);
  }
}

}  // namespace

void AppendTimestamp(Time time, std::string& out) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  AppendDigits(static_cast<int>(date.year()), 4, out);
  out += '-';
  AppendDigits(static_cast<unsigned>(date.month()), 2, out);
  out += '-';
  AppendDigits(static_cast<unsigned>(date.day()), 2, out);
  out += 'T';
  AppendDigits(clock.hours().count(), 2, out);
  out += ':';
  AppendDigits(clock.minutes().count(), 2, out);
  out += ':';
  AppendDigits(clock.seconds().count(), 2, out);
  out += '.';
  AppendDigits(clock.subseconds().count(), 6, out);
}

}  // namespace tasker::pipeline
