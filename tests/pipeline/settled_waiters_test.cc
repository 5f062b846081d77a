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
