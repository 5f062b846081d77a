#include "base/clock.h"

#include <time.h>

#include <algorithm>

namespace tasker {
namespace {

using std::chrono::microseconds;

microseconds Read(clockid_t id) {
  timespec ts{};
  ::clock_gettime(id, &ts);
  return std::chrono::seconds(ts.tv_sec) +
         std::chrono::duration_cast<microseconds>(std::chrono::nanoseconds(ts.tv_nsec));
}

}  // namespace

SystemClock::SystemClock() : offset_(Read(CLOCK_REALTIME) - Read(CLOCK_BOOTTIME)) {}

Time SystemClock::Now() {
  constexpr microseconds kStep = std::chrono::seconds(1);
  const microseconds boot = Read(CLOCK_BOOTTIME);
  drift_ = Read(CLOCK_REALTIME) - boot - offset_;
  offset_ += std::clamp(drift_, -kStep, kStep);
  return Time(boot + offset_);
}

}  // namespace tasker
