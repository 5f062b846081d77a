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
  // How far the wall clock stood from the last Now(): more than a second means that somebody set
  // it.
  virtual std::chrono::microseconds drift() const { return {}; }
};

// Follows a wall clock that may be set: its time runs with the time since boot, and towards the
// wall clock by at most half of what has passed. So a jump neither loses nor fires a due time: a
// wait lasts between two thirds and twice as long until the jump is made up for.
class WallFollower final {
 public:
  using Micros = std::chrono::microseconds;
  // Both clocks at the same moment.
  WallFollower(Micros boot, Micros wall) : offset_(wall - boot), last_(boot) {}

  Time At(Micros boot, Micros wall);
  // Wall clock less the time that At returned before it moved.
  Micros drift() const { return drift_; }

 private:
  Micros offset_;  // wall clock - time since boot, as believed now
  Micros last_;    // time since boot, of the last call
  Micros drift_{0};
};

// Owned by one thread.
class SystemClock final : public Clock {
 public:
  SystemClock();
  Time Now() override;
  Steady Monotonic() override { return std::chrono::steady_clock::now(); }
  std::chrono::microseconds drift() const override { return follower_.drift(); }

 private:
  WallFollower follower_;
};

}  // namespace tasker
