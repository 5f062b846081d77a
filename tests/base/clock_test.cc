#include "base/clock.h"

#include <gtest/gtest.h>

namespace tasker {
namespace {

TEST(SystemClock, FollowsTheWallClock) {
  SystemClock clock;
  const auto wall =
      std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  const Time now = clock.Now();
  EXPECT_LT(std::chrono::abs(now - wall), std::chrono::seconds(1));
  EXPECT_LT(std::chrono::abs(clock.drift()), std::chrono::seconds(1));
}

TEST(Clock, KeepsMicrosecondsExactly) {
  EXPECT_EQ(Micros(FromMicros(1'766'000'000'123'456)), 1'766'000'000'123'456);
}

}  // namespace
}  // namespace tasker
