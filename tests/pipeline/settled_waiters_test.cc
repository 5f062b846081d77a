#include "pipeline/settled_waiters.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "tests/support/gate.h"

namespace tasker::pipeline {
namespace {

using workflow::TaskState;

const Uuid kTask = *Uuid::Parse("01920000-0000-7000-8000-000000000001");

Steady Soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(20); }

TEST(SettledWaiters, ReturnsAtOnceWhatIsSettledInTheStore) {
  SettledWaiters waiters;
  const auto state = waiters.Wait(
      kTask, Soon(), [](const Uuid&) -> Result<TaskState> { return TaskState::kComplete; });
  ASSERT_TRUE(state);
  EXPECT_EQ(*state, TaskState::kComplete);
}

TEST(SettledWaiters, ReturnsWhatATurnSettles) {
  SettledWaiters waiters;
  testing::Gate looked;
  std::thread turn([&] {
    EXPECT_TRUE(looked.Wait());
    const store::Settled settled[] = {{kTask, TaskState::kBlockedByFailures}};
    waiters.Tell(settled);
  });
  const auto state = waiters.Wait(kTask, Soon(), [&](const Uuid&) -> Result<TaskState> {
    looked.Open();
    return TaskState::kStepsInProcess;
  });
  turn.join();
  ASSERT_TRUE(state);
  EXPECT_EQ(*state, TaskState::kBlockedByFailures);
}

TEST(SettledWaiters, LooksAgainWhenAnotherProcessHasCommitted) {
  SettledWaiters waiters;
  testing::Gate looked;
  std::thread turn([&] {
    EXPECT_TRUE(looked.Wait());
    waiters.LookAgain();
  });
  int looks = 0;
  const auto state = waiters.Wait(kTask, Soon(), [&](const Uuid&) -> Result<TaskState> {
    looked.Open();
    return ++looks == 1 ? TaskState::kPending : TaskState::kCancelled;
  });
  turn.join();
  ASSERT_TRUE(state);
  EXPECT_EQ(*state, TaskState::kCancelled);
}

TEST(SettledWaiters, EndsAtTheDeadline) {
  SettledWaiters waiters;
  const auto state =
      waiters.Wait(kTask, std::chrono::steady_clock::now(),
                   [](const Uuid&) -> Result<TaskState> { return TaskState::kPending; });
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, ErrorCode::kTimeout);
}

TEST(SettledWaiters, PassesOnThatThereIsNoSuchTask) {
  SettledWaiters waiters;
  const auto state =
      waiters.Wait(kTask, Soon(), [](const Uuid&) -> Result<TaskState> { return NotFound("no"); });
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, ErrorCode::kNotFound);
}

TEST(SettledWaiters, AWatcherLooksAfterEveryCommit) {
  SettledWaiters waiters;
  testing::Gate looked;
  testing::Gate looked_twice;
  std::thread turn([&] {
    EXPECT_TRUE(looked.Wait());
    waiters.Tell({});
    EXPECT_TRUE(looked_twice.Wait());
    waiters.LookAgain();
  });
  int looks = 0;
  const Status found = waiters.Watch(Soon(), [&]() -> Result<bool> {
    ++looks;
    (looks == 1 ? looked : looked_twice).Open();
    return looks == 3;
  });
  turn.join();
  EXPECT_TRUE(found);
  EXPECT_EQ(looks, 3);
}

TEST(SettledWaiters, AWatcherEndsAtTheDeadlineAndWhenItIsClosed) {
  SettledWaiters waiters;
  const auto nothing = []() -> Result<bool> { return false; };
  const Status late = waiters.Watch(std::chrono::steady_clock::now(), nothing);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kTimeout);
  const Status broken =
      waiters.Watch(Soon(), []() -> Result<bool> { return NotFound("no such task"); });
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, ErrorCode::kNotFound);
  testing::Gate looked;
  std::thread host([&] {
    EXPECT_TRUE(looked.Wait());
    waiters.Close();
  });
  const Status closed = waiters.Watch(Soon(), [&]() -> Result<bool> {
    looked.Open();
    return false;
  });
  host.join();
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().code, ErrorCode::kUnavailable);
}

TEST(SettledWaiters, EndsWhenItIsClosed) {
  SettledWaiters waiters;
  waiters.Close();
  const auto state = waiters.Wait(
      kTask, Soon(), [](const Uuid&) -> Result<TaskState> { return TaskState::kPending; });
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace tasker::pipeline
