#include "plugin/control_thread.h"

#include <chrono>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/gate.h"

namespace tasker::plugin {
namespace {

using std::chrono::milliseconds;
using tasker::testing::Gate;

Steady In(milliseconds time) { return std::chrono::steady_clock::now() + time; }
constexpr milliseconds kLong{20'000};

TEST(ControlThread, RunsCallsInOrderOnOneThread) {
  ControlThread control;
  std::vector<int> order;
  std::vector<std::thread::id> threads;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(control.Post("call", [&, i] {
      order.push_back(i);
      threads.push_back(std::this_thread::get_id());
    }));
  }
  ASSERT_TRUE(control.Run(
      "last", [] {}, In(kLong)));
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(threads[0], threads[2]);
  EXPECT_NE(threads[0], std::this_thread::get_id());
}

TEST(ControlThread, RunGivesUpAtTheDeadlineAndCurrentNamesTheCall) {
  Gate gate;
  ControlThread control;
  EXPECT_FALSE(control.Run(
      "drain", [&] { gate.Wait(); }, In(milliseconds(20))));
  ASSERT_TRUE(control.current().has_value());
  EXPECT_EQ(control.current()->noun, "drain");
  gate.Open();
  EXPECT_TRUE(control.Run(
      "next", [] {}, In(kLong)));
}

TEST(ControlThread, RunToEndReportsASlowCallAndWaitsForIt) {
  Gate gate;
  ControlThread control;
  int reports = 0;
  bool ran = false;
  EXPECT_TRUE(control.RunToEnd(
      "init",
      [&] {
        gate.Wait();
        ran = true;
      },
      milliseconds(5),
      [&](std::chrono::seconds) {
        if (++reports == 3) gate.Open();
      }));
  EXPECT_TRUE(ran);
  EXPECT_GE(reports, 3);
}

TEST(ControlThread, EndDropsWhatIsQueuedAndTakesNothingMore) {
  Gate begun;
  Gate gate;
  ControlThread control;
  bool dropped = true;
  ASSERT_TRUE(control.Post("first", [&] {
    begun.Open();
    gate.Wait();
  }));
  ASSERT_TRUE(begun.Wait());
  ASSERT_TRUE(control.Post("second", [&] { dropped = false; }));
  EXPECT_FALSE(control.End(In(milliseconds(5))));
  EXPECT_FALSE(control.ended());
  gate.Open();
  EXPECT_TRUE(control.End(In(kLong)));
  EXPECT_TRUE(dropped);
  EXPECT_FALSE(control.Post("third", [] {}));
  EXPECT_FALSE(control.Run(
      "fourth", [] {}, In(kLong)));
}

}  // namespace
}  // namespace tasker::plugin
