#include "crowd.h"

#include <gtest/gtest.h>

namespace tasker::python {
namespace {

using std::chrono::microseconds;

class CrowdTest : public ::testing::Test {
 protected:
  // So many steps as a crowd is judged by.
  void Steps(microseconds out, microseconds busy) {
    for (int i = 0; i < 64; ++i) crowd_.CameBack(out, busy);
    crowd_.Took(now_);
  }

  Crowd::Steady now_{std::chrono::seconds(1000)};
  Crowd crowd_;
};

TEST_F(CrowdTest, IsInTheWayWhileShortStepsDoNothingButCompute) {
  EXPECT_FALSE(crowd_.IsInTheWay(now_));
  Steps(microseconds(30), microseconds(25));
  EXPECT_TRUE(crowd_.IsInTheWay(now_));
  Steps(microseconds(300), microseconds(25));
  EXPECT_FALSE(crowd_.IsInTheWay(now_));
}

TEST_F(CrowdTest, HelpsWithStepsThatComputeForLong) {
  Steps(microseconds(200), microseconds(200));
  EXPECT_FALSE(crowd_.IsInTheWay(now_));
}

TEST_F(CrowdTest, HelpsOnceNobodyHasComeForAStepForAWhile) {
  Steps(microseconds(30), microseconds(25));
  now_ += Crowd::kPatience;
  EXPECT_FALSE(crowd_.IsInTheWay(now_));
  crowd_.Took(now_);
  EXPECT_FALSE(crowd_.IsInTheWay(now_));
}

}  // namespace
}  // namespace tasker::python
