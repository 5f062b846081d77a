#include "pipeline/timestamps.h"

#include <chrono>
#include <cstdint>
#include <string_view>

namespace tasker::pipeline {
namespace {

// Puts the number's last digits there, as many as there is place for.
void Put(std::int64_t number, char* begin, char* end) {
  for (; end != begin; number /= 10) *--end = static_cast<char>('0' + number % 10);
}

}  // namespace

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
