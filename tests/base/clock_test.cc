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

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(WallFollower, RunsWithTheWallClock) {
  WallFollower follower(seconds(100), seconds(1'000));
  EXPECT_EQ(follower.At(seconds(101), seconds(1'001)), Time(seconds(1'001)));
  EXPECT_EQ(follower.drift(), seconds(0));
}

TEST(WallFollower, ABusyHostFollowsAJumpNoFasterThanTimePasses) {
  WallFollower follower(seconds(0), seconds(1'000));
  Time last(seconds(1'000));
  seconds begun(0);
  // Ten thousand calls in one second, an hour ahead, then an hour back.
  for (const auto jump : {hours(1), hours(-1)}) {
    const Time before = last;

    for (int i = 1; i <= 10'000; ++i) {
      const auto boot = begun + std::chrono::microseconds(100 * i);
      const Time now = follower.At(boot, seconds(1'000) + boot + jump);
      EXPECT_GE(now, last) << "time never runs backwards";
      last = now;
    }
    begun += seconds(1);
    EXPECT_GE(last - before, milliseconds(499));
    EXPECT_LE(last - before, milliseconds(1'501));
    EXPECT_GT(std::chrono::abs(follower.drift()), hours(1) - seconds(3));
  }
}

TEST(WallFollower, MakesUpForAJumpInTime) {
  WallFollower follower(seconds(0), seconds(1'000));
  EXPECT_EQ(follower.At(seconds(10), seconds(1'011)), Time(seconds(1'011)));
}

TEST(Clock, KeepsMicrosecondsExactly) {
  EXPECT_EQ(Micros(FromMicros(1'766'000'000'123'456)), 1'766'000'000'123'456);
}

}  // namespace
}  // namespace tasker
