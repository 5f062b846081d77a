#include "workflow/decide.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/support/task_driver.h"
#include "tests/support/workflow_builder.h"

namespace tasker::workflow {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using tasker::testing::BuildWorkflow;
using tasker::testing::TaskDriver;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

//  0 -> 1, 0 -> 2, both -> 3
TaskDriver Diamond(const RetryPolicy& retry = {}) {
  return TaskDriver(BuildWorkflow({{}, {0}, {0}, {1, 2}}, retry));
}
TaskDriver Single(const RetryPolicy& retry = {}, Policy policy = {}) {
  return TaskDriver(BuildWorkflow({{}}, retry), policy);
}

RetryPolicy Attempts(std::int32_t max) {
  RetryPolicy retry;
  retry.max_attempts = max;
  retry.base_ms = 100;
  return retry;
}

TEST(Create, EnqueuesTheRoots) {
  TaskDriver task(BuildWorkflow({{}, {0}, {}}));
  task.Create();
  EXPECT_EQ(task.Ready(), (std::set<std::int32_t>{0, 2}));
  EXPECT_EQ(task.task().state, TaskState::kPending);
  EXPECT_EQ(task.task().template_id, 7);
  EXPECT_EQ(task.step(1).waiting_for, 1);
  EXPECT_EQ(task.step(0).ready, task.now);
  EXPECT_THAT(task.effects().ready, ElementsAre(StepKey{42, 0}, StepKey{42, 2}));
}

TEST(Create, WaitsForAStartInTheFuture) {
  TaskDriver task = Diamond();
  const Time start = task.now + seconds(10);
  task.Create(start);
  EXPECT_THAT(task.Ready(), IsEmpty());
  EXPECT_EQ(task.task().start, start);

  task.now += seconds(9);
  task.Apply(TaskStart{});
  EXPECT_THAT(task.Ready(), IsEmpty());
  task.now += seconds(1);
  task.Apply(TaskStart{});
  EXPECT_EQ(task.Ready(), std::set<std::int32_t>{0});
  EXPECT_EQ(task.task().start, std::nullopt);
  task.Apply(TaskStart{});
  EXPECT_THAT(task.effects().ready, IsEmpty());
}

TEST(Create, StartsAtOnceWhenTheStartHasPassed) {
  TaskDriver task = Diamond();
  task.Create(task.now);
  EXPECT_EQ(task.Ready(), std::set<std::int32_t>{0});
  EXPECT_EQ(task.task().start, std::nullopt);
}

TEST(Decide, RunsADiamondToItsEnd) {
  TaskDriver task = Diamond();
  task.Create();
  EXPECT_EQ(task.task().state, TaskState::kPending);
  const ClaimId claim = task.Claim(0);
  EXPECT_EQ(task.task().state, TaskState::kStepsInProcess);
  EXPECT_EQ(task.step(0).claim, claim);
  EXPECT_EQ(task.step(0).claimed, task.now);

  task.now += milliseconds(5);
  EXPECT_EQ(task.End(0, claim, Succeeded{"{\"a\":1}", "{\"ms\":5}", ""}).verdict,
            Verdict::kApplied);
  EXPECT_THAT(task.effects().ready, ElementsAre(StepKey{42, 1}, StepKey{42, 2}));
  ASSERT_EQ(task.effects().payloads.size(), 2u);
  EXPECT_EQ(task.effects().payloads[0].kind, PayloadKind::kResult);
  EXPECT_EQ(task.effects().payloads[0].body, "{\"a\":1}");
  EXPECT_EQ(task.effects().payloads[1].kind, PayloadKind::kMetadata);
  EXPECT_EQ(task.effects().payloads[1].body, "{\"ms\":5}");
  ASSERT_EQ(task.effects().attempts.size(), 1u);
  EXPECT_EQ(task.effects().attempts[0].outcome, AttemptOutcome::kComplete);
  EXPECT_EQ(task.effects().attempts[0].claim, claim);
  EXPECT_EQ(task.effects().attempts[0].error, "");

  task.Run(1, Succeeded{});
  EXPECT_THAT(task.effects().ready, IsEmpty()) << "3 waits for 2 as well";
  task.Run(2, Succeeded{});
  EXPECT_THAT(task.effects().ready, ElementsAre(StepKey{42, 3}));
  task.Run(3, Succeeded{});
  EXPECT_EQ(task.task().state, TaskState::kComplete);
  EXPECT_EQ(task.task().ended, task.now);
}

TEST(Decide, WritesNoMetadataWhereThereIsNone) {
  TaskDriver task = Single();
  task.Create();
  task.Run(0, Succeeded{"1", "{}", ""});
  ASSERT_EQ(task.effects().payloads.size(), 1u);
  EXPECT_EQ(task.effects().payloads[0].kind, PayloadKind::kResult);
}

TEST(Decide, RetriesUntilTheAttemptsAreUsedUp) {
  TaskDriver task = Single(Attempts(3));
  task.Create();
  for (std::int32_t attempt = 1; attempt <= 2; ++attempt) {
    task.Run(0, TaskDriver::Failure());
    EXPECT_EQ(task.step(0).state, StepState::kWaitingForRetry);
    EXPECT_EQ(task.step(0).attempts, attempt);
    EXPECT_EQ(task.task().state, TaskState::kWaitingForRetry);
    const microseconds delay = *task.step(0).due - task.now;
    EXPECT_GE(delay, milliseconds(85 * attempt));
    EXPECT_LE(delay, milliseconds(115 * attempt));

    task.now = *task.step(0).due - microseconds(1);
    task.Apply(StepDue{0});
    EXPECT_EQ(task.step(0).state, StepState::kWaitingForRetry) << "not a microsecond early";
    task.now += microseconds(1);
    task.Apply(StepDue{0});
    EXPECT_EQ(task.step(0).state, StepState::kEnqueued);
    EXPECT_EQ(task.task().state, TaskState::kStepsInProcess) << "before anybody claims it";
    task.Apply(StepDue{0});
    EXPECT_THAT(task.effects().ready, IsEmpty()) << "due twice is due once";
  }
  task.Run(0, TaskDriver::Failure());
  EXPECT_EQ(task.step(0).state, StepState::kError);
  EXPECT_EQ(task.step(0).attempts, 3);
  EXPECT_EQ(task.task().state, TaskState::kBlockedByFailures);
  ASSERT_EQ(task.effects().dead_letters.size(), 1u);
  EXPECT_EQ(task.effects().dead_letters[0].reason, "max_attempts_exceeded");
  EXPECT_EQ(task.effects().dead_letters[0].snapshot,
            R"({"step":"s0","handler":"handler_0","attempts":3,"crashes":0,)"
            R"("error":{"type":"io","message":"no route","retryable":true}})");
  EXPECT_EQ(task.effects().attempts[0].outcome, AttemptOutcome::kError);
  EXPECT_EQ(task.effects().attempts[0].error,
            R"({"type":"io","message":"no route","retryable":true})");
}

TEST(Decide, GivesOneAttemptWhereTheTemplateSaysNone) {
  TaskDriver task = Single(Attempts(0));
  task.Create();
  task.Run(0, TaskDriver::Failure());
  EXPECT_EQ(task.step(0).state, StepState::kError);
  EXPECT_EQ(task.effects().dead_letters[0].reason, "max_attempts_exceeded");
}

TEST(Decide, DoesNotRetryWhatNeitherSideCallsRetryable) {
  TaskDriver handler_says = Single(Attempts(3));
  handler_says.Create();
  handler_says.Run(0, TaskDriver::Failure(false));
  EXPECT_EQ(handler_says.step(0).state, StepState::kError);
  EXPECT_EQ(handler_says.effects().dead_letters[0].reason, "permanent_error");

  RetryPolicy never = Attempts(3);
  never.retryable = false;
  TaskDriver template_says = Single(never);
  template_says.Create();
  template_says.Run(0, TaskDriver::Failure());
  EXPECT_EQ(template_says.step(0).state, StepState::kError);
  EXPECT_EQ(template_says.step(0).attempts, 1);
  EXPECT_EQ(template_says.effects().dead_letters[0].reason, "permanent_error");
}

TEST(Decide, FollowsRetryAfter) {
  TaskDriver task = Single(Attempts(3));
  task.Create();
  Failed failed = TaskDriver::Failure();
  failed.retry_after = seconds(7);
  task.Run(0, failed);
  EXPECT_EQ(task.step(0).due, task.now + seconds(7));
}

TEST(Decide, KeepsWhatAFailureSays) {
  TaskDriver task = Single(Attempts(1));
  task.Create();
  Failed failed = TaskDriver::Failure(false);
  failed.backtrace = "line 1\nline 2";
  failed.error_code = "E42";
  failed.http_status = 503;
  failed.context = R"({"a":1})";
  failed.metadata = R"({"b":2})";
  failed.retry_after = milliseconds(1500);
  task.Run(0, failed);
  EXPECT_EQ(
      task.effects().attempts[0].error,
      R"({"type":"io","message":"no route","retryable":false,"backtrace":"line 1\nline 2","error_code":"E42",)"
      R"("http_status":503,"retry_after_ms":1500,"context":{"a":1},"metadata":{"b":2}})");
}

TEST(Decide, CountsATimeoutAsAnAttempt) {
  TaskDriver task = Single(Attempts(2));
  task.Create();
  task.Run(0, TimedOut{});
  EXPECT_EQ(task.step(0).state, StepState::kWaitingForRetry);
  EXPECT_EQ(task.step(0).attempts, 1);
  EXPECT_EQ(task.effects().attempts[0].outcome, AttemptOutcome::kTimeout);
  EXPECT_THAT(task.effects().attempts[0].error, ::testing::HasSubstr("handler_timeout"));
}

TEST(Decide, AFailedStepStopsOnlyItsDescendants) {
  TaskDriver task = Diamond(Attempts(1));
  task.Create();
  task.Run(0, Succeeded{});
  task.Run(1, TaskDriver::Failure(false));
  EXPECT_EQ(task.task().state, TaskState::kStepsInProcess) << "2 can still run";
  task.Run(2, Succeeded{});
  EXPECT_EQ(task.step(3).state, StepState::kPending);
  EXPECT_EQ(task.task().state, TaskState::kBlockedByFailures);
  EXPECT_EQ(task.task().ended, std::nullopt);
}

TEST(Decide, ATaskWaitsForRetryOnlyWhenNothingElseRuns) {
  TaskDriver task = Diamond(Attempts(3));
  task.Create();
  task.Run(0, Succeeded{});
  const ClaimId claim = task.Claim(2);
  task.Run(1, TaskDriver::Failure());
  EXPECT_EQ(task.task().state, TaskState::kStepsInProcess);
  task.End(2, claim, Succeeded{});
  EXPECT_EQ(task.task().state, TaskState::kWaitingForRetry);
  task.now = *task.step(1).due;
  task.Apply(StepDue{1});
  EXPECT_EQ(task.task().state, TaskState::kStepsInProcess);
  task.Claim(1);
  EXPECT_EQ(task.task().state, TaskState::kStepsInProcess);
}

TEST(Decide, AYieldCountsInNothing) {
  TaskDriver task = Single(Attempts(1));
  task.Create();
  for (int i = 0; i < 5; ++i) {
    task.Run(
        0, Yielded{.checkpoint = "{\"at\":" + std::to_string(i) + "}", .resume_after = seconds(3)});
    EXPECT_EQ(task.step(0).state, StepState::kWaitingForRetry);
    EXPECT_EQ(task.step(0).due, task.now + seconds(3));
    EXPECT_EQ(task.effects().payloads[0].kind, PayloadKind::kCheckpoint);
    EXPECT_EQ(task.effects().payloads[0].body, "{\"at\":" + std::to_string(i) + "}");
    EXPECT_EQ(task.effects().attempts[0].outcome, AttemptOutcome::kYielded);
    task.now += seconds(3);
    task.Apply(StepDue{0});
  }
  task.Run(0, Yielded{});
  EXPECT_EQ(task.step(0).state, StepState::kEnqueued) << "without a delay it goes on at once";
  EXPECT_THAT(task.effects().payloads, IsEmpty()) << "the last checkpoint stays";
  EXPECT_EQ(task.step(0).attempts, 0);
  EXPECT_EQ(task.step(0).crashes, 0);
}

TEST(Decide, AnEndlessYieldDoesNotOverflow) {
  TaskDriver task = Single();
  task.Create();
  task.Run(0, Yielded{.checkpoint = {}, .resume_after = microseconds::max()});
  EXPECT_GT(*task.step(0).due, task.now + hours(24 * 365));
}

TEST(Decide, AHandBackCountsInNothing) {
  TaskDriver task = Single(Attempts(1));
  task.Create();
  task.Run(0, HandedBack{.started = false});
  EXPECT_EQ(task.step(0).state, StepState::kEnqueued);
  EXPECT_THAT(task.effects().attempts, IsEmpty());
  EXPECT_THAT(task.effects().ready, ElementsAre(StepKey{42, 0}));
  task.Run(0, HandedBack{.started = true});
  EXPECT_EQ(task.effects().attempts[0].outcome, AttemptOutcome::kHandedBack);
  EXPECT_EQ(task.step(0).attempts, 0);
  EXPECT_EQ(task.task().state, TaskState::kStepsInProcess);
}

TEST(Decide, KeepsACheckpointOfTheClaimThatRuns) {
  TaskDriver task = Single();
  task.Create();
  const ClaimId old = task.Claim(0);
  EXPECT_EQ(task.Apply(StepCheckpoint{0, old, "{\"row\":9}"}).verdict, Verdict::kApplied);
  ASSERT_EQ(task.effects().payloads.size(), 1u);
  EXPECT_EQ(task.effects().payloads[0].body, "{\"row\":9}");
  EXPECT_EQ(task.step(0).state, StepState::kInProgress);
  task.End(0, old, HandedBack{});
  task.Claim(0);
  EXPECT_EQ(task.Apply(StepCheckpoint{0, old, "{\"row\":1}"}).verdict, Verdict::kStale);
}

TEST(Decide, RefusesTheEndOfAnotherClaim) {
  TaskDriver task = Single(Attempts(3));
  task.Create();
  const ClaimId old = task.Claim(0);
  task.End(0, old, HandedBack{});
  EXPECT_EQ(task.End(0, old, Succeeded{}).verdict, Verdict::kStale) << "not claimed at all";
  const ClaimId now = task.Claim(0);
  EXPECT_EQ(task.End(0, old, Succeeded{}).verdict, Verdict::kStale) << "claimed by another";
  EXPECT_EQ(task.End(0, ClaimId{}, Succeeded{}).verdict, Verdict::kStale);
  EXPECT_EQ(task.End(9, now, Succeeded{}).verdict, Verdict::kStale) << "no such step";
  EXPECT_EQ(task.Apply(StepCheckpoint{9, now, "1"}).verdict, Verdict::kStale);
  EXPECT_EQ(task.Apply(StepLost{9, now, true, "died"}).verdict, Verdict::kStale);
  EXPECT_EQ(task.End(0, now, Succeeded{}).verdict, Verdict::kApplied);
  EXPECT_EQ(task.End(0, now, Succeeded{}).verdict, Verdict::kStale) << "it has ended";
}

TEST(Decide, RunsALostStepAgainUncountedAsAttempt) {
  TaskDriver task = Single(Attempts(1), {.crash_max = 3});
  task.Create();
  for (std::int32_t crash = 1; crash <= 2; ++crash) {
    const ClaimId claim = task.Claim(0);
    EXPECT_EQ(task.Apply(StepLost{0, claim, true, "pid 7 died"}).verdict, Verdict::kApplied);
    EXPECT_EQ(task.step(0).state, StepState::kEnqueued);
    EXPECT_EQ(task.step(0).crashes, crash);
    EXPECT_EQ(task.step(0).attempts, 0);
    EXPECT_EQ(task.effects().attempts[0].outcome, AttemptOutcome::kWorkerLost);
    EXPECT_EQ(task.effects().attempts[0].error,
              R"({"type":"worker_lost","message":"pid 7 died","retryable":true})");
  }
  task.Apply(StepLost{0, task.Claim(0), true, "pid 8 died"});
  EXPECT_EQ(task.step(0).state, StepState::kError);
  EXPECT_EQ(task.effects().dead_letters[0].reason, "poison");
  EXPECT_EQ(task.task().state, TaskState::kBlockedByFailures);
}

TEST(Decide, HandsBackALostClaimThatNeverStarted) {
  TaskDriver task = Single(Attempts(1), {.crash_max = 1});
  task.Create();
  task.Apply(StepLost{0, task.Claim(0), false, "died"});
  EXPECT_EQ(task.step(0).state, StepState::kEnqueued);
  EXPECT_EQ(task.step(0).crashes, 0);
  EXPECT_THAT(task.effects().attempts, IsEmpty());
}

TEST(Decide, LeavesALostStepThatMustNotRunTwiceToAPerson) {
  RetryPolicy never = Attempts(3);
  never.retryable = false;
  TaskDriver task = Single(never);
  task.Create();
  task.Apply(StepLost{0, task.Claim(0), true, "died"});
  EXPECT_EQ(task.step(0).state, StepState::kError);
  EXPECT_EQ(task.effects().dead_letters[0].reason, "worker_lost");
}

TEST(Decide, RefusesTheLossOfAnotherClaim) {
  TaskDriver task = Single();
  task.Create();
  const ClaimId old = task.Claim(0);
  task.End(0, old, HandedBack{});
  EXPECT_EQ(task.Apply(StepLost{0, old, true, "died"}).verdict, Verdict::kStale);
  task.Claim(0);
  EXPECT_EQ(task.Apply(StepLost{0, old, true, "died"}).verdict, Verdict::kStale);
}

TEST(Decide, GivesTheSameForTheSameSeedAndSpreadsNeighbours) {
  std::set<microseconds> delays;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::optional<microseconds> first;
    for (int i = 0; i < 2; ++i) {
      TaskDriver task = Single(Attempts(3));
      task.seed = seed;
      task.Create();
      task.Run(0, TaskDriver::Failure());
      const microseconds delay = *task.step(0).due - task.now;
      EXPECT_EQ(first.value_or(delay), delay);
      first = delay;
    }
    delays.insert(*first);
  }
  EXPECT_GT(delays.size(), 15u);
}

TEST(Touches, NamesTheChildrenOnlyWhereTheyMayBecomeReady) {
  const Workflow workflow = BuildWorkflow({{}, {0}, {0}, {1, 2}});
  const auto touched = [&](const TaskEvent& event) {
    std::vector<std::int32_t> needed;
    Touches(workflow, event, needed);
    return needed;
  };
  const Outcome succeeded = Succeeded{};
  const Outcome failed = Failed{};
  EXPECT_THAT(touched(StepEnd{0, {}, &succeeded, {}, {}, {}}), ElementsAre(0, 1, 2));
  EXPECT_THAT(touched(StepEnd{0, {}, &failed, {}, {}, {}}), ElementsAre(0));
  EXPECT_THAT(touched(StepCheckpoint{2, {}, "1"}), ElementsAre(2));
  EXPECT_THAT(touched(StepDue{1}), ElementsAre(1));
  EXPECT_THAT(touched(StepLost{1, {}, true, ""}), ElementsAre(1));
  EXPECT_THAT(touched(TaskStart{}), ElementsAre(0));
  EXPECT_THAT(touched(TaskAct{TaskAct::Kind::kResolve, 1, "", "", ""}), ElementsAre(1, 3));
  EXPECT_THAT(touched(TaskAct{TaskAct::Kind::kCancel, std::nullopt, "", "", ""}),
              ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(touched(TaskAct{TaskAct::Kind::kCancel, 77, "", "", ""}), ElementsAre(77))
      << "no such step: nothing more";
}

}  // namespace
}  // namespace tasker::workflow
