#pragma once

#include <chrono>
#include <cstdint>

namespace tasker {

// Wall-clock time of rows and people, microseconds since the epoch.
using Time = std::chrono::sys_time<std::chrono::microseconds>;
// For durations, deadlines and waiting: CLOCK_MONOTONIC.
using Steady = std::chrono::steady_clock::time_point;

inline std::int64_t Micros(Time t) { return t.time_since_epoch().count(); }
inline Time FromMicros(std::int64_t us) { return Time(std::chrono::microseconds(us)); }

// The time that the host lives by; a fake in tests.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time Now() = 0;
  virtual Steady Monotonic() = 0;
};

// Now() = wall clock at construction + CLOCK_BOOTTIME since, moved towards the wall clock by at
// most one second a call, so that a jump of the wall clock neither loses nor fires a due time.
// Owned by one thread.
class SystemClock final : public Clock {
 public:
  SystemClock();
  Time Now() override;
  Steady Monotonic() override { return std::chrono::steady_clock::now(); }
  // How far the wall clock stands from Now(): more than a second means that somebody set it.
  std::chrono::microseconds drift() const { return drift_; }

 private:
  std::chrono::microseconds offset_;  // wall clock - CLOCK_BOOTTIME, as believed now
  std::chrono::microseconds drift_{0};
};

}  // namespace tasker
