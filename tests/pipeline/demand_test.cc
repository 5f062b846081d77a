#include "pipeline/demand.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>

#include "pipeline/rate_window.h"

namespace tasker::pipeline {
namespace {

using std::chrono::milliseconds;

const Steady kStart = Steady{} + std::chrono::hours(1);

// handler -> how many of it alone could be claimed.
std::map<std::int64_t, std::int32_t> FreeOf(const Plan& plan) {
  std::map<std::int64_t, std::int32_t> free;
  for (const store::Demand& group : plan.demand) {
    for (const std::int64_t handler : group.handlers) free[handler] = group.free;
  }
  return free;
}

Load NewLoad() {
  Load load;
  load.in_flight_max = 256;
  load.threads = 2;
  return load;
}

TEST(RateWindow, CountsTheLastSecondOnly) {
  RateWindow window;
  window.Add(kStart, 5);
  window.Add(kStart + milliseconds(600), 7);
  EXPECT_EQ(window.LastSecond(kStart + milliseconds(900)), 12);
  EXPECT_EQ(window.LastSecond(kStart + milliseconds(1100)), 7);
  EXPECT_EQ(window.LastSecond(kStart + milliseconds(1700)), 0);
}

TEST(RateWindow, ForgetsAllAfterALongPause) {
  RateWindow window;
  for (int i = 0; i < 100; ++i) window.Add(kStart + milliseconds(10 * i), 1);
  EXPECT_EQ(window.LastSecond(kStart + std::chrono::hours(5)), 0);
  window.Add(kStart + std::chrono::hours(5), 3);
  EXPECT_EQ(window.LastSecond(kStart + std::chrono::hours(5)), 3);
}

TEST(Demand, IsOnePlaceAThreadWhenNothingWasStarted) {
  const HandlerLoad handlers[] = {{.handler = 1}, {.handler = 2}};
  const Plan plan = PlanDemand(NewLoad(), {}, handlers);
  ASSERT_EQ(plan.demand.size(), 1U);
  EXPECT_EQ(plan.demand[0].handlers, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(plan.demand[0].free, 2);
  EXPECT_EQ(plan.free_total, 2);
}

// A backlog of fast steps: each turn ends what it claimed, and claims what it may.
TEST(Demand, ReachesInFlightMaxWithinTenTurnsOfFastSteps) {
  const HandlerLoad handlers[] = {{.handler = 1}};
  RateWindow starts;
  Load load = NewLoad();
  std::int32_t claimed = 0;
  int turns = 0;
  while (claimed < 256) {
    ASSERT_LT(++turns, 11);
    const Steady now = kStart + milliseconds(turns);
    load.starts_last_second = starts.LastSecond(now);
    const Plan plan = PlanDemand(load, {}, handlers);
    EXPECT_GE(plan.free_total, std::min(256, 2 * claimed));
    claimed = plan.free_total;
    starts.Add(now, claimed);
  }
  EXPECT_EQ(claimed, 256);
}

TEST(Demand, DoesNotHoardSlowSteps) {
  const HandlerLoad handlers[] = {{.handler = 1, .in_flight = 4}};
  Load load = NewLoad();
  load.in_flight = 4;
  load.unstarted = 4;  // two run, two wait
  EXPECT_TRUE(PlanDemand(load, {}, handlers).demand.empty());
  EXPECT_EQ(PlanDemand(load, {}, handlers).free_total, 0);
}

TEST(Demand, NeverExceedsInFlightMax) {
  const HandlerLoad handlers[] = {{.handler = 1}, {.handler = 2, .limit = 100}};
  Load load = NewLoad();
  load.starts_last_second = 10'000;
  load.in_flight = 250;
  const Plan plan = PlanDemand(load, {}, handlers);
  EXPECT_EQ(plan.free_total, 6);
  EXPECT_EQ(FreeOf(plan), (std::map<std::int64_t, std::int32_t>{{1, 6}, {2, 6}}));
}

TEST(Demand, BoundsALimitedHandlerByWhatOfItIsInFlight) {
  const HandlerLoad handlers[] = {{.handler = 1},
                                  {.handler = 2, .limit = 3, .in_flight = 1},
                                  {.handler = 3, .limit = 2, .in_flight = 2}};
  Load load = NewLoad();
  load.starts_last_second = 50;
  load.in_flight = 3;
  const auto free = FreeOf(PlanDemand(load, {}, handlers));
  EXPECT_EQ(free.at(1), 52);
  EXPECT_EQ(free.at(2), 2);
  EXPECT_FALSE(free.contains(3));
}

TEST(Demand, AsksNothingForARuntimeWithoutCapacity) {
  const HandlerLoad handlers[] = {{.handler = 1, .pool = 0}};
  const PoolLoad pools[] = {{.capacity = 0}};
  EXPECT_TRUE(PlanDemand(NewLoad(), pools, handlers).demand.empty());
}

TEST(Demand, TakesARuntimesCapacityLessWhatIsOnItsWay) {
  const HandlerLoad handlers[] = {
      {.handler = 1, .pool = 0}, {.handler = 2, .pool = 1}, {.handler = 3}};
  const PoolLoad pools[] = {{.capacity = 10, .unstarted = 4}, {.capacity = 3, .unstarted = 3}};
  const Plan plan = PlanDemand(NewLoad(), pools, handlers);
  EXPECT_EQ(FreeOf(plan), (std::map<std::int64_t, std::int32_t>{{1, 6}, {3, 2}}));
  EXPECT_EQ(plan.free_total, 8);
}

TEST(Demand, LetsARuntimeClaimWhileTheExecutorThreadsAreFull) {
  const HandlerLoad handlers[] = {{.handler = 1, .pool = 0}, {.handler = 2}};
  const PoolLoad pools[] = {{.capacity = 5}};
  Load load = NewLoad();
  load.unstarted = 2;
  load.in_flight = 2;
  const Plan plan = PlanDemand(load, pools, handlers);
  EXPECT_EQ(FreeOf(plan), (std::map<std::int64_t, std::int32_t>{{1, 5}}));
  EXPECT_EQ(plan.free_total, 5);
}

}  // namespace
}  // namespace tasker::pipeline
