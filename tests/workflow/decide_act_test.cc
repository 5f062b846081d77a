#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/task_driver.h"
#include "tests/support/workflow_builder.h"
#include "workflow/decide.h"

namespace tasker::workflow {
namespace {

using std::chrono::seconds;
using tasker::testing::BuildWorkflow;
using tasker::testing::TaskDriver;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = TaskAct::Kind;

RetryPolicy OneAttempt() {
  RetryPolicy retry;
  retry.max_attempts = 1;
  return retry;
}

TaskDriver Diamond() { return TaskDriver(BuildWorkflow({{}, {0}, {0}, {1, 2}}, OneAttempt())); }

// A task whose only step is in `state`; the claim that ran it last, if any did.
struct InState {
  TaskDriver task{BuildWorkflow({{}, {0}})};
  ClaimId claim{};

  explicit InState(StepState state) {
    const bool future = state == StepState::kPending;
    task.Create(future ? std::optional(task.now + seconds(60)) : std::nullopt);
    if (state == StepState::kPending || state == StepState::kEnqueued) return;
    if (state == StepState::kCancelled) {
      task.Act(Kind::kCancel, 0);
      return;
    }
    if (state == StepState::kResolvedManually) {
      task.Act(Kind::kResolve, 0, "1");
      return;
    }
    claim = task.Claim(0);
    if (state == StepState::kWaitingForRetry) task.End(0, claim, TaskDriver::Failure());
    if (state == StepState::kError) task.End(0, claim, TaskDriver::Failure(false));
    if (state == StepState::kComplete) task.End(0, claim, Succeeded{});
  }
};

struct ActCase {
  StepState state;
  Kind kind;
  Verdict verdict;
  StepState after;
};

TEST(TaskAct, MeansOneThingInEachStateOfAStep) {
  using S = StepState;
  const ActCase cases[] = {
      {S::kPending, Kind::kCancel, Verdict::kApplied, S::kCancelled},
      {S::kPending, Kind::kRetry, Verdict::kConflict, S::kPending},
      {S::kPending, Kind::kResolve, Verdict::kConflict, S::kPending},  // before the task's start
      {S::kEnqueued, Kind::kCancel, Verdict::kApplied, S::kCancelled},
      {S::kEnqueued, Kind::kRetry, Verdict::kConflict, S::kEnqueued},
      {S::kEnqueued, Kind::kResolve, Verdict::kApplied, S::kResolvedManually},
      {S::kInProgress, Kind::kCancel, Verdict::kApplied, S::kCancelled},
      {S::kInProgress, Kind::kRetry, Verdict::kConflict, S::kInProgress},
      {S::kInProgress, Kind::kResolve, Verdict::kApplied, S::kResolvedManually},
      {S::kWaitingForRetry, Kind::kCancel, Verdict::kApplied, S::kCancelled},
      {S::kWaitingForRetry, Kind::kRetry, Verdict::kConflict, S::kWaitingForRetry},
      {S::kWaitingForRetry, Kind::kResolve, Verdict::kApplied, S::kResolvedManually},
      {S::kComplete, Kind::kCancel, Verdict::kConflict, S::kComplete},
      {S::kComplete, Kind::kRetry, Verdict::kConflict, S::kComplete},
      {S::kComplete, Kind::kResolve, Verdict::kConflict, S::kComplete},
      {S::kError, Kind::kCancel, Verdict::kApplied, S::kCancelled},
      {S::kError, Kind::kRetry, Verdict::kApplied, S::kEnqueued},
      {S::kError, Kind::kResolve, Verdict::kApplied, S::kResolvedManually},
      {S::kCancelled, Kind::kCancel, Verdict::kConflict, S::kCancelled},
      {S::kCancelled, Kind::kRetry, Verdict::kConflict, S::kCancelled},
      {S::kCancelled, Kind::kResolve, Verdict::kConflict, S::kCancelled},
      {S::kResolvedManually, Kind::kCancel, Verdict::kConflict, S::kResolvedManually},
      {S::kResolvedManually, Kind::kRetry, Verdict::kConflict, S::kResolvedManually},
      {S::kResolvedManually, Kind::kResolve, Verdict::kConflict, S::kResolvedManually},
  };
  EXPECT_EQ(std::size(cases), static_cast<std::size_t>(kStepStates) * 3);
  for (const ActCase& c : cases) {
    InState in(c.state);
    ASSERT_EQ(in.task.step(0).state, c.state);
    EXPECT_EQ(in.task.Act(c.kind, 0).verdict, c.verdict)
        << Name(c.state) << " " << static_cast<int>(c.kind);
    EXPECT_EQ(in.task.step(0).state, c.after) << Name(c.state) << " " << static_cast<int>(c.kind);
  }
}

TEST(StepEnd, IsTakenOnlyFromTheStepThatRuns) {
  for (int i = 0; i < kStepStates; ++i) {
    const auto state = static_cast<StepState>(i);
    if (state == StepState::kInProgress) continue;
    for (const Outcome& outcome :
         {Outcome(Succeeded{}), Outcome(TaskDriver::Failure()), Outcome(TimedOut{}),
          Outcome(Yielded{}), Outcome(HandedBack{})}) {
      InState in(state);
      EXPECT_EQ(in.task.End(0, in.claim, outcome).verdict, Verdict::kStale)
          << Name(state) << " " << outcome.index();
      EXPECT_EQ(in.task.step(0).state, state);
    }
    InState in(state);
    EXPECT_EQ(in.task.Apply(StepLost{0, in.claim, true, "died"}).verdict, Verdict::kStale)
        << Name(state);
    EXPECT_EQ(in.task.Apply(StepCheckpoint{0, in.claim, "1"}).verdict, Verdict::kStale)
        << Name(state);
  }
}

TEST(TaskAct, SaysWhyItIsRefused) {
  InState complete(StepState::kComplete);
  EXPECT_EQ(complete.task.Act(Kind::kCancel, 0).detail, "step s0 is complete; that is final");
  EXPECT_EQ(complete.task.Act(Kind::kRetry, 0).detail,
            "step s0 is complete; only a failed step can be retried");
  EXPECT_EQ(complete.task.Act(Kind::kRetry, std::nullopt).detail,
            "no step of this task has failed");
  EXPECT_EQ(complete.task.Act(Kind::kCancel, 9).detail, "the task has no step number 9");
  EXPECT_EQ(complete.task.Act(Kind::kCancel, -1).detail, "the task has no step number -1");
  complete.task.Act(Kind::kCancel, std::nullopt);
  EXPECT_EQ(complete.task.Act(Kind::kCancel, std::nullopt).detail, "the task is cancelled");
  InState pending(StepState::kPending);
  EXPECT_EQ(pending.task.Act(Kind::kResolve, 0).detail,
            "the task waits for its start time; resolve step s0 then, or the whole task");
}

TEST(TaskAct, RetryGivesAllAttemptsBack) {
  TaskDriver task(BuildWorkflow({{}}, OneAttempt()), {.crash_max = 2});
  task.Create();
  task.Apply(StepLost{0, task.Claim(0), true, "died"});
  task.Run(0, TaskDriver::Failure());
  EXPECT_EQ(task.task().state, TaskState::kBlockedByFailures);
  EXPECT_EQ(task.Act(Kind::kRetry, 0).verdict, Verdict::kApplied);
  EXPECT_EQ(task.step(0).attempts, 0);
  EXPECT_EQ(task.step(0).crashes, 0);
  EXPECT_EQ(task.step(0).ended, std::nullopt);
  EXPECT_EQ(task.task().state, TaskState::kStepsInProcess);
  task.Run(0, Succeeded{});
  EXPECT_EQ(task.task().state, TaskState::kComplete);
}

TEST(TaskAct, RetryOfATaskRetriesAllItsFailedSteps) {
  TaskDriver task = Diamond();
  task.Create();
  task.Run(0, Succeeded{});
  task.Run(1, TaskDriver::Failure());
  task.Run(2, TaskDriver::Failure());
  EXPECT_EQ(task.task().failed, 2);
  EXPECT_EQ(task.Act(Kind::kRetry, std::nullopt).verdict, Verdict::kApplied);
  EXPECT_EQ(task.Ready(), (std::set<std::int32_t>{1, 2}));
  EXPECT_THAT(task.effects().ready, ElementsAre(StepKey{42, 1}, StepKey{42, 2}));
}

TEST(TaskAct, ResolveStandsForAResult) {
  TaskDriver task = Diamond();
  task.Create();
  task.Run(0, Succeeded{});
  task.Run(1, TaskDriver::Failure());
  task.Run(2, Succeeded{});
  EXPECT_EQ(task.Act(Kind::kResolve, 1, "{\"by\":\"hand\"}").verdict, Verdict::kApplied);
  ASSERT_EQ(task.effects().payloads.size(), 1u);
  EXPECT_EQ(task.effects().payloads[0].kind, PayloadKind::kResult);
  EXPECT_EQ(task.effects().payloads[0].body, "{\"by\":\"hand\"}");
  EXPECT_THAT(task.effects().ready, ElementsAre(StepKey{42, 3}));
  EXPECT_EQ(task.task().state, TaskState::kStepsInProcess);
  task.Run(3, Succeeded{});
  EXPECT_EQ(task.task().state, TaskState::kComplete);
}

TEST(TaskAct, ResolveWithoutAResultStoresNull) {
  InState in(StepState::kEnqueued);
  in.task.Act(Kind::kResolve, 0);
  EXPECT_EQ(in.task.effects().payloads[0].body, "null");
}

TEST(TaskAct, AStepResolvedBeforeItsParentsStaysResolved) {
  TaskDriver task = Diamond();
  task.Create();
  task.Act(Kind::kResolve, 3, "3");
  task.Run(0, Succeeded{});
  task.Run(1, Succeeded{});
  task.Run(2, Succeeded{});
  EXPECT_EQ(task.step(3).state, StepState::kResolvedManually);
  EXPECT_EQ(task.task().state, TaskState::kComplete);
}

TEST(TaskAct, ACancelledStepBlocksItsDescendants) {
  TaskDriver task = Diamond();
  task.Create();
  task.Act(Kind::kCancel, 0);
  EXPECT_EQ(task.task().state, TaskState::kBlockedByFailures);
  EXPECT_EQ(task.Act(Kind::kResolve, 1).verdict, Verdict::kApplied);
  EXPECT_EQ(task.Act(Kind::kResolve, 2).verdict, Verdict::kApplied);
  EXPECT_EQ(task.Ready(), std::set<std::int32_t>{3});
  task.Run(3, Succeeded{});
  EXPECT_EQ(task.task().state, TaskState::kComplete);
}

TEST(TaskAct, CancelOfARunningStepTellsItsWorkerAndKeepsTheLateEnd) {
  InState in(StepState::kInProgress);
  in.task.Act(Kind::kCancel, 0);
  ASSERT_EQ(in.task.effects().revoked.size(), 1u);
  EXPECT_EQ(in.task.effects().revoked[0].claim, in.claim);
  EXPECT_EQ(in.task.effects().revoked[0].why, Revocation::Why::kCancelled);
  EXPECT_EQ(in.task.effects().attempts[0].outcome, AttemptOutcome::kCancelled);
  EXPECT_TRUE(in.task.step(0).revoked);

  EXPECT_EQ(in.task.End(0, in.claim, Succeeded{"{\"paid\":true}", "", ""}).verdict,
            Verdict::kApplied);
  EXPECT_EQ(in.task.step(0).state, StepState::kCancelled) << "too late to count";
  EXPECT_FALSE(in.task.step(0).revoked);
  ASSERT_EQ(in.task.effects().late.size(), 1u);
  EXPECT_EQ(in.task.effects().late[0].claim, in.claim);
  EXPECT_EQ(in.task.effects().late[0].late,
            R"({"started_us":1000000000,"ended_us":1000000000,"result":{"paid":true}})");
  EXPECT_THAT(in.task.effects().payloads, IsEmpty());
  EXPECT_THAT(in.task.effects().attempts, IsEmpty());
  EXPECT_EQ(in.task.End(0, in.claim, Succeeded{}).verdict, Verdict::kStale) << "a second late end";
}

TEST(TaskAct, ResolveOfARunningStepSaysSo) {
  InState in(StepState::kInProgress);
  in.task.Act(Kind::kResolve, 0, "5");
  EXPECT_EQ(in.task.effects().revoked[0].why, Revocation::Why::kResolved);
  EXPECT_EQ(in.task.Ready(), std::set<std::int32_t>{1})
      << "the child need not wait for the handler";
  in.task.End(0, in.claim, TaskDriver::Failure());
  EXPECT_THAT(in.task.effects().late[0].late, HasSubstr(R"("error":{"type":"io")"));
}

TEST(TaskAct, TheDeathOfTheWorkerEndsARevocation) {
  InState in(StepState::kInProgress);
  in.task.Act(Kind::kCancel, 0);
  EXPECT_EQ(in.task.Apply(StepLost{0, in.claim, true, "died"}).verdict, Verdict::kApplied);
  EXPECT_FALSE(in.task.step(0).revoked);
  EXPECT_THAT(in.task.effects().attempts, IsEmpty());
}

TEST(TaskAct, CancelOfATaskEndsAllThatIsOpen) {
  TaskDriver task = Diamond();
  task.Create();
  task.Run(0, Succeeded{});
  const ClaimId claim = task.Claim(1);
  task.Run(2, TaskDriver::Failure());
  EXPECT_EQ(task.Act(Kind::kCancel, std::nullopt).verdict, Verdict::kApplied);
  EXPECT_EQ(task.task().state, TaskState::kCancelled);
  EXPECT_EQ(task.task().ended, task.now);
  EXPECT_EQ(task.step(0).state, StepState::kComplete) << "what is done stays";
  for (const std::int32_t n : {1, 2, 3}) EXPECT_EQ(task.step(n).state, StepState::kCancelled) << n;
  ASSERT_EQ(task.effects().revoked.size(), 1u);
  EXPECT_EQ(task.effects().revoked[0].claim, claim);
  EXPECT_EQ(task.End(1, claim, Succeeded{}).verdict, Verdict::kApplied);
  EXPECT_EQ(task.task().state, TaskState::kCancelled);
  EXPECT_EQ(task.Act(Kind::kRetry, std::nullopt).verdict, Verdict::kConflict);
  EXPECT_EQ(task.Act(Kind::kResolve, 1).verdict, Verdict::kConflict);
}

TEST(TaskAct, ResolveOfATaskCancelsWhatIsOpen) {
  TaskDriver task = Diamond();
  task.Create(task.now + seconds(60));
  EXPECT_EQ(task.Act(Kind::kResolve, std::nullopt).verdict, Verdict::kApplied);
  EXPECT_EQ(task.task().state, TaskState::kResolvedManually);
  EXPECT_EQ(task.task().start, std::nullopt);
  for (std::int32_t n = 0; n < 4; ++n) EXPECT_EQ(task.step(n).state, StepState::kCancelled) << n;
  task.now += seconds(60);
  task.Apply(TaskStart{});
  EXPECT_THAT(task.Ready(), IsEmpty());
}

TEST(TaskAct, StepsCancelledOneByOneBeforeTheStartEndTheTask) {
  TaskDriver task(BuildWorkflow({{}, {}}));
  task.Create(task.now + seconds(60));
  task.Act(Kind::kCancel, 0);
  EXPECT_EQ(task.task().state, TaskState::kPending);
  task.Act(Kind::kCancel, 1);
  EXPECT_EQ(task.task().state, TaskState::kComplete);
  EXPECT_EQ(task.task().start, std::nullopt);
}

TEST(TaskAct, ARetryWaitsForTheHandlerThatStillRuns) {
  const Workflow workflow = BuildWorkflow({{}, {}}, OneAttempt());
  for (const std::optional<std::int32_t> named :
       {std::optional<std::int32_t>(0), std::optional<std::int32_t>()}) {
    TaskRows rows;
    rows.task.state = TaskState::kBlockedByFailures;
    rows.task.open = rows.task.failed = 2;
    for (std::int32_t n = 0; n < 2; ++n) {
      StepRow row;
      row.n = row.template_step = n;
      row.state = StepState::kError;
      row.attempts = 1;
      row.claim = ClaimId{(std::int64_t{7} << kClaimWorkerShift) | 1};
      row.revoked = n == 0;
      rows.Put(row);
    }
    Effects effects;
    const Answer answer = Decide(workflow, rows, TaskAct{Kind::kRetry, named, "ann", "", ""},
                                 FromMicros(5), 1, {}, effects);
    EXPECT_EQ(answer.verdict, Verdict::kConflict);
    EXPECT_EQ(answer.detail, "attempt 1 of step s0 still runs in worker 7; wait for its end");
    EXPECT_EQ(rows.Find(1)->row.state, StepState::kError) << "all or none";
    EXPECT_THAT(effects.ready, IsEmpty());
  }
}

}  // namespace
}  // namespace tasker::workflow
