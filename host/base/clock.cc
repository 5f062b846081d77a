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

Time WallFollower::At(Micros boot, Micros wall) {
  const Micros step = std::max(boot - last_, Micros(0)) / 2;
  last_ = std::max(last_, boot);
  drift_ = wall - boot - offset_;
  offset_ += std::clamp(drift_, -step, step);
  return Time(boot + offset_);
}

SystemClock::SystemClock() : follower_(Read(CLOCK_BOOTTIME), Read(CLOCK_REALTIME)) {}

Time SystemClock::Now() {
  const microseconds boot = Read(CLOCK_BOOTTIME);
  return follower_.At(boot, Read(CLOCK_REALTIME));
}

}  // namespace tasker
