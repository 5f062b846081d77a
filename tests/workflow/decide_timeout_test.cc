// Attempts that outlive their step's time, and tasks that outlive theirs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "tests/support/task_driver.h"
#include "tests/support/workflow_builder.h"

namespace tasker::workflow {
namespace {

using std::chrono::minutes;
using testing::BuildWorkflow;
using testing::TaskDriver;
using Kind = TaskAct::Kind;
using ::testing::HasSubstr;
using ::testing::SizeIs;

RetryPolicy Attempts(std::int32_t max) {
  RetryPolicy retry;
  retry.max_attempts = max;
  retry.base_ms = 100;
  return retry;
}

TEST(DecideTimeout, TheNextAttemptWaitsForTheHandlersReturn) {
  TaskDriver task(BuildWorkflow({{}}, Attempts(3)));
  task.Create();
  const ClaimId claim = task.Claim(0);
  EXPECT_EQ(task.End(0, claim, TimedOut{}).verdict, Verdict::kApplied);
  EXPECT_EQ(task.step(0).state, StepState::kWaitingForRetry);
  EXPECT_TRUE(task.step(0).revoked);
  EXPECT_EQ(task.step(0).claim, claim);
  EXPECT_EQ(task.step(0).due, std::nullopt) << "no time makes it ready";
  ASSERT_THAT(task.effects().revoked, SizeIs(1));
  EXPECT_EQ(task.effects().revoked[0].claim, claim);
  EXPECT_EQ(task.effects().revoked[0].why, Revocation::Why::kTimeout);

  task.now += std::chrono::seconds(10);
  EXPECT_EQ(task.End(0, claim, Succeeded{.result = "7", .metadata = {}, .events = {}}).verdict,
            Verdict::kApplied);
  EXPECT_EQ(task.step(0).state, StepState::kWaitingForRetry) << "the late success does not count";
  EXPECT_FALSE(task.step(0).revoked);
  ASSERT_NE(task.step(0).due, std::nullopt);
  EXPECT_GT(*task.step(0).due, task.now);
  ASSERT_THAT(task.effects().late, SizeIs(1));
  EXPECT_THAT(task.effects().late[0].late, HasSubstr("7"));
  task.now = *task.step(0).due;
  task.Apply(StepDue{0});
  EXPECT_EQ(task.step(0).state, StepState::kEnqueued);
  EXPECT_EQ(task.step(0).attempts, 1);
}

TEST(DecideTimeout, AnIdempotentHandlersNextAttemptWaitsForNothing) {
  TaskDriver task(BuildWorkflow({{}}, Attempts(3)));
  task.Create();
  const ClaimId claim = task.Claim(0);
  task.End(0, claim, TimedOut{.idempotent = true});
  EXPECT_FALSE(task.step(0).revoked);
  ASSERT_NE(task.step(0).due, std::nullopt);
  ASSERT_THAT(task.effects().revoked, SizeIs(1)) << "its handler is told all the same";
  task.now = *task.step(0).due;
  task.Apply(StepDue{0});
  const ClaimId second = task.Claim(0);
  EXPECT_EQ(task.End(0, claim, Succeeded{}).verdict, Verdict::kStale);
  EXPECT_THAT(task.effects().late, SizeIs(1)) << "what it returned is kept";
  EXPECT_EQ(task.End(0, second, Succeeded{}).verdict, Verdict::kApplied);
}

TEST(DecideTimeout, TheLastTimeoutFailsTheStepAndStillNamesItsHandler) {
  TaskDriver task(BuildWorkflow({{}}, Attempts(1)));
  task.Create();
  const ClaimId claim = task.Claim(0);
  task.End(0, claim, TimedOut{});
  EXPECT_EQ(task.step(0).state, StepState::kError);
  EXPECT_TRUE(task.step(0).revoked);
  EXPECT_EQ(task.Act(Kind::kRetry, 0).verdict, Verdict::kConflict);
  task.End(0, claim, TaskDriver::Failure());
  EXPECT_FALSE(task.step(0).revoked);
  EXPECT_EQ(task.Act(Kind::kRetry, 0).verdict, Verdict::kApplied);
}

TEST(DecideTimeout, ADeadWorkersStuckHandlerIsGone) {
  TaskDriver task(BuildWorkflow({{}}, Attempts(3)));
  task.Create();
  const ClaimId claim = task.Claim(0);
  task.End(0, claim, TimedOut{});
  EXPECT_EQ(task.Apply(StepLost{0, claim, true, "died"}).verdict, Verdict::kApplied);
  EXPECT_FALSE(task.step(0).revoked);
  EXPECT_NE(task.step(0).due, std::nullopt);
  EXPECT_EQ(task.step(0).crashes, 0) << "the timeout counted it as an attempt";
}

Workflow Limited(int max_minutes) {
  Workflow workflow = BuildWorkflow({{}, {0}});
  workflow.definition.max_duration_minutes = max_minutes;
  return workflow;
}

TEST(DecideTimeout, ATaskEndsAtItsDeadline) {
  TaskDriver task(Limited(5));
  task.Create();
  EXPECT_EQ(task.task().deadline, task.now + minutes(5));
  const ClaimId claim = task.Claim(0);
  task.now += minutes(5) - std::chrono::microseconds(1);
  task.Apply(TaskDeadline{});
  EXPECT_EQ(task.task().state, TaskState::kStepsInProcess) << "not yet";
  task.now += std::chrono::microseconds(1);
  task.Apply(TaskDeadline{});
  EXPECT_EQ(task.task().state, TaskState::kError);
  EXPECT_EQ(task.task().ended, task.now);
  EXPECT_EQ(task.step(0).state, StepState::kCancelled);
  EXPECT_EQ(task.step(1).state, StepState::kCancelled);
  ASSERT_THAT(task.effects().revoked, SizeIs(1));
  EXPECT_EQ(task.effects().revoked[0].claim, claim);
}

TEST(DecideTimeout, ATaskThatStartsLaterHasItsTimeFromThen) {
  TaskDriver task(Limited(5));
  const Time start = task.now + minutes(60);
  task.Create(start);
  EXPECT_EQ(task.task().deadline, start + minutes(5));
}

TEST(DecideTimeout, ATaskThatHasEndedHasNoDeadline) {
  TaskDriver task(Limited(5));
  task.Create();
  task.Run(0, Succeeded{});
  task.Run(1, Succeeded{});
  task.now += minutes(6);
  task.Apply(TaskDeadline{});
  EXPECT_EQ(task.task().state, TaskState::kComplete);
}

}  // namespace
}  // namespace tasker::workflow
