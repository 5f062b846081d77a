#include "cli/format.h"

#include <gtest/gtest.h>

#include <chrono>

namespace tasker::cli {
namespace {

using std::chrono::microseconds;

TEST(DurationText, HasTheUnitsOfPeople) {
  EXPECT_EQ(DurationText(microseconds(-5)), "0 ms");
  EXPECT_EQ(DurationText(microseconds(420)), "0.4 ms");
  EXPECT_EQ(DurationText(microseconds(85'300)), "85 ms");
  EXPECT_EQ(DurationText(microseconds(999'700)), "1.0 s");
  EXPECT_EQ(DurationText(microseconds(1'240'000)), "1.2 s");
  EXPECT_EQ(DurationText(microseconds(59'960'000)), "1 min");
  EXPECT_EQ(DurationText(std::chrono::seconds(200)), "3 min 20 s");
  EXPECT_EQ(DurationText(std::chrono::minutes(125)), "2 h 5 min");
  EXPECT_EQ(DurationText(std::chrono::hours(76)), "3 d 4 h");
}

TEST(SizeText, StepsByKibibytes) {
  EXPECT_EQ(SizeText(812), "812 B");
  EXPECT_EQ(SizeText(1536), "1.5 KiB");
  EXPECT_EQ(SizeText(1'048'570), "1.0 MiB");
  EXPECT_EQ(SizeText(std::int64_t{20} << 20), "20 MiB");
}

TEST(IsoTime, HasMicrosecondsAndTheZone) {
  EXPECT_EQ(IsoTime(FromMicros(1'767'323'045'000'089)), "2026-01-02T03:04:05.000089Z");
}

TEST(Count, KnowsThePlural) {
  EXPECT_EQ(Count(1, "step"), "1 step");
  EXPECT_EQ(Count(0, "step"), "0 steps");
}

}  // namespace
}  // namespace tasker::cli
