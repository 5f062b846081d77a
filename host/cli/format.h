#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/clock.h"

namespace tasker::cli {

// "0.4 ms", "85 ms", "1.2 s", "3 min 20 s", "2 h 5 min", "3 d 4 h". Negative ones are "0 ms".
std::string DurationText(std::chrono::microseconds duration);

// "812 B", "1.5 KiB", "20 MiB".
std::string SizeText(std::int64_t bytes);

// "2026-01-02 03:04:05", local time.
std::string LocalTime(Time time);
// "03:04:05.678", local time.
std::string LocalTimeOfDay(Time time);

// "2026-01-02T03:04:05.678901Z".
std::string IsoTime(Time time);

// "1 step", "3 steps".
std::string Count(std::int64_t n, const char* noun);

}  // namespace tasker::cli
