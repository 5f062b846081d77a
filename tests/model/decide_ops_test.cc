// Decide alone under random operations: after each, all that must hold of a task is checked. Usage:
// decide_ops_test [--ops N] [--seed S].
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <map>
#include <random>

#include "tests/support/random_run.h"
#include "tests/support/task_driver.h"
#include "tests/support/workflow_builder.h"
#include "workflow/decide.h"

namespace tasker::workflow {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using tasker::testing::BuildWorkflow;
using tasker::testing::Coverage;
using tasker::testing::RandomRun;
using tasker::testing::TaskDriver;

const RandomRun* run = nullptr;

// Draws operations at random and applies them to one task. TaskDriver checks the rows after each;
// what was written beside them is added up here, and must say the same.
class RandomTask final {
 public:
  explicit RandomTask(std::uint64_t seed)
      : random_(seed), task_(RandomWorkflow(), {.crash_max = Below(3) + 1}) {
    task_.seed = seed;
    std::optional<Time> start;
    if (Below(4) == 0) start = task_.now + seconds(Below(20));
    task_.Create(start);
    BeginTurn();
    Follow();
  }

  const TaskDriver& task() const { return task_; }
  std::uint64_t operations() const { return operations_; }
  const Coverage<StepState>& turns() const { return turns_; }

  // One operation; now and then a turn ends, which has decided several events.
  void Step() {
    task_.now += milliseconds(Below(4000));
    const std::int32_t n = Below(task_.size());
    switch (Below(14)) {
      case 0:
        Act(n);
        break;
      case 1:
        Stale(n);
        break;
      case 2:
        Due(n);
        break;
      case 3:
        Apply(TaskStart{});
        break;
      case 5:
        Apply(TaskDeadline{});
        break;
      case 4:
        if (task_.step(n).claim != ClaimId{}) Apply(StepCheckpoint{n, task_.step(n).claim, "1"});
        break;
      default:
        Work();
    }
    if (Below(3) == 0) EndTurn();
  }

  // Nothing random any more: everything that is ready succeeds.
  void Finish() {
    for (int i = 0; i < 10'000 && !IsSettled(task_.task().state); ++i) {
      task_.now += seconds(4000);
      Apply(TaskStart{});
      for (std::int32_t n = 0; n < task_.size(); ++n) {
        // The handler of a revoked claim returns.
        if (task_.step(n).revoked) End(n, Succeeded{});
        if (task_.step(n).state == StepState::kWaitingForRetry) Due(n);
        if (task_.step(n).state == StepState::kEnqueued) Claim(n);
        if (task_.step(n).state == StepState::kInProgress) End(n, Succeeded{});
      }
    }
    EndTurn();
    ASSERT_TRUE(IsSettled(task_.task().state)) << Name(task_.task().state);
  }

 private:
  // What the audit says of a step.
  struct Audit {
    std::int32_t failed = 0, lost = 0, complete = 0;
    std::int32_t letters = 0;  // dead letters that nobody has answered
  };

  std::int32_t Below(std::int32_t n) {
    return std::uniform_int_distribution<std::int32_t>(0, n - 1)(random_);
  }

  Workflow RandomWorkflow() {
    std::vector<std::vector<std::int32_t>> parents(static_cast<std::size_t>(Below(9) + 1));
    for (std::size_t n = 1; n < parents.size(); ++n) {
      for (std::int32_t parent = 0; parent < static_cast<std::int32_t>(n); ++parent) {
        if (Below(3) == 0) parents[n].push_back(parent);
      }
    }
    RetryPolicy retry;
    retry.max_attempts = Below(4);
    retry.retryable = Below(5) != 0;
    retry.backoff = static_cast<RetryPolicy::Backoff>(Below(4));
    retry.base_ms = Below(3000);
    Workflow flow = BuildWorkflow(parents, retry);
    if (Below(3) == 0) flow.definition.max_duration_minutes = Below(2) + 1;
    return flow;
  }

  void BeginTurn() {
    for (std::int32_t n = 0; n < task_.size(); ++n) before_turn_[n] = task_.step(n).state;
  }
  void EndTurn() {
    for (std::int32_t n = 0; n < task_.size(); ++n)
      turns_.Add(before_turn_[n], task_.step(n).state);
    BeginTurn();
  }

  Answer Apply(const TaskEvent& event) {
    ++operations_;
    const TaskState before = task_.task().state;
    std::map<std::int32_t, StepState> states;
    for (std::int32_t n = 0; n < task_.size(); ++n) states[n] = task_.step(n).state;
    Answer answer = task_.Apply(event);
    if (IsTerminal(before)) {
      EXPECT_EQ(task_.task().state, before) << "a terminal task changed";
    }
    for (const auto& [n, state] : states) {
      const bool retried =
          state == StepState::kError && task_.step(n).state == StepState::kEnqueued;
      if (retried) audit_[n].failed = audit_[n].lost = 0;
      if (state == StepState::kError && task_.step(n).state != state) audit_[n].letters = 0;
      if (IsFinal(state)) {
        EXPECT_EQ(task_.step(n).state, state) << n;
      }
    }
    Follow();
    return answer;
  }

  // Adds up what the last event wrote beside the rows, and compares.
  void Follow() {
    for (const AttemptWrite& attempt : task_.effects().attempts) {
      Audit& audit = audit_[attempt.step.n];
      switch (attempt.outcome) {
        case AttemptOutcome::kError:
        case AttemptOutcome::kTimeout:
          ++audit.failed;
          break;
        case AttemptOutcome::kWorkerLost:
          ++audit.lost;
          break;
        case AttemptOutcome::kComplete:
          ++audit.complete;
          break;
        default:
          break;
      }
      EXPECT_TRUE(recorded_.insert(attempt.claim).second) << "a claim has two attempts";
    }
    for (const DeadLetter& letter : task_.effects().dead_letters) ++audit_[letter.step.n].letters;
    for (std::int32_t n = 0; n < task_.size(); ++n) {
      const StepRow& step = task_.step(n);
      const Audit& audit = audit_[n];
      EXPECT_EQ(step.attempts, audit.failed) << "step " << n;
      EXPECT_EQ(step.crashes, audit.lost) << "step " << n;
      EXPECT_EQ(step.state == StepState::kComplete ? 1 : 0, audit.complete) << "step " << n;
      EXPECT_EQ(step.state == StepState::kError ? 1 : 0, audit.letters)
          << "step " << n << ": a failure for good is a dead letter, and nothing else is one";
    }
  }

  void Claim(std::int32_t n) {
    ++operations_;
    EXPECT_FALSE(IsTerminal(task_.task().state)) << "a task that has ended starts a step";
    claims_[n].push_back(task_.Claim(n));
  }

  Answer End(std::int32_t n, Outcome outcome) {
    outcome_ = std::move(outcome);
    return Apply(StepEnd{n, task_.step(n).claim, &outcome_, task_.now, task_.now, task_.now});
  }

  void Due(std::int32_t n) {
    const StepRow before = task_.step(n);
    Apply(StepDue{n});
    const bool was_due =
        before.state == StepState::kWaitingForRetry && before.due && *before.due <= task_.now;
    EXPECT_EQ(task_.step(n).state, was_due ? StepState::kEnqueued : before.state) << n;
  }

  void Act(std::int32_t n) {
    const auto kind = static_cast<TaskAct::Kind>(Below(3) + 1);
    // Acts on the whole task end it: seldom.
    const bool whole = Below(kind == TaskAct::Kind::kRetry ? 2 : 12) == 0;
    Apply(TaskAct{kind, whole ? std::nullopt : std::optional(n), "ann", "because",
                  Below(2) == 0 ? "7" : ""});
  }

  // Every claim but the one that the row names is refused.
  void Stale(std::int32_t n) {
    const ClaimId never{(std::int64_t{2} << kClaimWorkerShift) | 1};
    const std::vector<ClaimId>& drawn = claims_[n];
    const ClaimId old =
        drawn.empty()
            ? never
            : drawn[static_cast<std::size_t>(Below(static_cast<std::int32_t>(drawn.size())))];
    const StepRow& step = task_.step(n);
    if (step.claim == old && (step.state == StepState::kInProgress || step.revoked)) return;
    outcome_ = Succeeded{};
    EXPECT_EQ(Apply(StepEnd{n, old, &outcome_, task_.now, task_.now, task_.now}).verdict,
              Verdict::kStale);
    EXPECT_EQ(Apply(StepLost{n, old, true, "died"}).verdict, Verdict::kStale);
    EXPECT_EQ(Apply(StepCheckpoint{n, old, "1"}).verdict, Verdict::kStale);
  }

  Outcome AnyOutcome() {
    switch (Below(7)) {
      case 0:
        return TaskDriver::Failure();
      case 1:
        return TaskDriver::Failure(false);
      case 2:
        return TimedOut{.idempotent = Below(3) == 0};
      case 3:
        return Yielded{.checkpoint = "1", .resume_after = seconds(Below(3))};
      case 4:
        return HandedBack{.started = Below(2) == 0};
      default:
        return Succeeded{};
    }
  }

  // Claims what is ready, or ends what runs (or still runs although its step was ended).
  void Work() {
    for (std::int32_t i = 0, n = Below(task_.size()); i < task_.size();
         ++i, n = (n + 1) % task_.size()) {
      const StepRow& step = task_.step(n);
      if (step.state == StepState::kEnqueued) return Claim(n);
      if (step.state != StepState::kInProgress && !step.revoked) continue;
      if (Below(8) == 0) return (void)Apply(StepLost{n, step.claim, Below(2) == 0, "died"});
      Outcome outcome = AnyOutcome();
      // Time is up of what has ended already.
      const bool says_nothing = step.revoked && std::holds_alternative<TimedOut>(outcome);
      EXPECT_EQ(End(n, std::move(outcome)).verdict,
                says_nothing ? Verdict::kStale : Verdict::kApplied);
      return;
    }
  }

  std::mt19937_64 random_;
  TaskDriver task_;
  Outcome outcome_;
  std::uint64_t operations_ = 0;
  std::map<std::int32_t, StepState> before_turn_;
  Coverage<StepState> turns_;  // from one commit to the next
  std::map<std::int32_t, Audit> audit_;
  std::map<std::int32_t, std::vector<ClaimId>> claims_;
  std::set<ClaimId> recorded_;
};

TEST(Decide, HoldsItsRulesUnderRandomOperations) {
  Coverage<StepState> steps;
  Coverage<TaskState> tasks;
  std::uint64_t operations = 0;
  std::uint64_t count = 0;
  for (; operations < (*run)["ops"] && !HasFailure(); ++count) {
    SCOPED_TRACE("task of seed " + std::to_string((*run)["seed"] + count));
    RandomTask task((*run)["seed"] + count);
    for (int i = 0; i < 60 && !HasFailure(); ++i) task.Step();
    task.Finish();
    operations += task.operations();
    steps.Add(task.task().step_moves());
    steps.Add(task.turns().moves());
    tasks.Add(task.task().task_moves());
  }
  std::cout << operations << " operations on " << count << " tasks\n";
  if (HasFailure()) return;
  steps.Report("step", kStepStates, true);
  tasks.Report("task", kTaskStates, true);
}

}  // namespace
}  // namespace tasker::workflow

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const tasker::testing::RandomRun run(argc, argv, {{"ops", 100'000}});
  if (!run.valid()) return 2;
  tasker::workflow::run = &run;
  return RUN_ALL_TESTS();
}
