#include "log/repeats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tasker::log {
namespace {

using std::chrono::seconds;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RepeatFilterTest : public ::testing::Test {
 protected:
  RepeatFilter::Verdict Admit(std::string_view module, std::string_view message) {
    return filter_.Admit(Level::kError, module, message, now_);
  }

  RepeatFilter filter_;
  RepeatFilter::Clock::time_point now_{seconds(1000)};
};

TEST_F(RepeatFilterTest, WritesALineOnceAMinuteAndCountsTheOthers) {
  EXPECT_TRUE(Admit("store", "disk full").write);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(Admit("store", "disk full").write);
  now_ += seconds(59);
  EXPECT_FALSE(Admit("store", "disk full").write);
  now_ += seconds(1);
  const RepeatFilter::Verdict verdict = Admit("store", "disk full");
  EXPECT_TRUE(verdict.write);
  EXPECT_EQ(verdict.repeated, 6U);
  EXPECT_FALSE(Admit("store", "disk full").write);
  now_ += seconds(60);
  EXPECT_EQ(Admit("store", "disk full").repeated, 1U);
  now_ += seconds(3600);
  EXPECT_EQ(Admit("store", "disk full").repeated, 0U);
}

TEST_F(RepeatFilterTest, TellsModulesAndMessagesApart) {
  EXPECT_TRUE(Admit("store", "a").write);
  EXPECT_TRUE(Admit("store", "b").write);
  EXPECT_TRUE(Admit("plugin", "a").write);
  EXPECT_FALSE(Admit("store", "a").write);
}

TEST_F(RepeatFilterTest, ForgetsTheOldestWhenFullAndHandsOutItsCount) {
  Admit("m", "first");
  Admit("m", "first");
  for (std::size_t i = 1; i < RepeatFilter::kMax; ++i) {
    now_ += std::chrono::milliseconds(1);
    EXPECT_FALSE(Admit("m", std::to_string(i)).evicted.has_value());
  }
  const RepeatFilter::Verdict verdict = Admit("m", "one too many");
  EXPECT_TRUE(verdict.write);
  ASSERT_TRUE(verdict.evicted.has_value());
  EXPECT_EQ(verdict.evicted->message, "first");
  EXPECT_EQ(verdict.evicted->level, Level::kError);
  EXPECT_EQ(verdict.evicted->count, 1U);
  EXPECT_FALSE(Admit("m", std::to_string(RepeatFilter::kMax - 1)).write)
      << "the others are still known";
  EXPECT_FALSE(Admit("m", "another").evicted.has_value()) << "line 1 had no count to lose";
}

TEST_F(RepeatFilterTest, DrainsWhatNoLineHasCounted) {
  Admit("m", "once");
  Admit("m", "twice");
  Admit("m", "twice");
  const std::vector<Repeated> rest = filter_.Drain();
  ASSERT_THAT(rest, SizeIs(1));
  EXPECT_EQ(rest.front().message, "twice");
  EXPECT_EQ(rest.front().count, 1U);
  EXPECT_THAT(filter_.Drain(), IsEmpty());
  EXPECT_TRUE(Admit("m", "twice").write);
}

}  // namespace
}  // namespace tasker::log
