#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <random>

#include "tests/support/task_driver.h"
#include "tests/support/workflow_builder.h"
#include "workflow/decide.h"

namespace tasker::workflow {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using tasker::testing::BuildWorkflow;
using tasker::testing::TaskDriver;

constexpr auto kBudget = seconds(2);
constexpr std::uint64_t kTasksMin = 50;
constexpr std::uint64_t kTasksMax = 5000;

// Draws operations at random and applies them to one task; TaskDriver checks all that must hold
// after each.
class RandomTask final {
 public:
  explicit RandomTask(std::uint64_t seed)
      : random_(seed), task_(RandomWorkflow(), {.crash_max = Below(3) + 1}) {
    task_.seed = seed;
    std::optional<Time> start;
    if (Below(4) == 0) start = task_.now + seconds(Below(20));
    task_.Create(start);
  }

  // True when only people can go on.
  bool Settled() const { return IsSettled(task_.task().state); }

  void Step() {
    task_.now += milliseconds(Below(4000));
    const std::int32_t n = Below(task_.size());
    switch (Below(12)) {
      case 0:
        return Act(n);
      case 1:
        return Stale(n);
      case 2:
        return (void)task_.Apply(StepDue{n});
      case 3:
        return (void)task_.Apply(TaskStart{});
      default:
        return Work();
    }
  }

  // Nothing random any more: what was stuck returns, and everything that is ready succeeds.
  void Finish() {
    for (int i = 0; i < 10'000 && !Settled(); ++i) {
      task_.now += seconds(4000);
      task_.Apply(TaskStart{});
      for (std::int32_t n = 0; n < task_.size(); ++n) {
        if (task_.step(n).revoked) {
          task_.End(n, task_.step(n).claim, Succeeded{});
          task_.now += seconds(4000);
        }
        if (task_.step(n).state == StepState::kWaitingForRetry) task_.Apply(StepDue{n});
        if (task_.step(n).state == StepState::kEnqueued) task_.Claim(n);
        if (task_.step(n).state == StepState::kInProgress)
          task_.End(n, task_.step(n).claim, Succeeded{});
      }
    }
    ASSERT_TRUE(Settled()) << Name(task_.task().state);
  }

 private:
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
    return BuildWorkflow(parents, retry);
  }

  void Act(std::int32_t n) {
    const auto kind = static_cast<TaskAct::Kind>(Below(3) + 1);
    // Acts on the whole task end it: seldom.
    const bool whole = Below(kind == TaskAct::Kind::kRetry ? 2 : 12) == 0;
    task_.Act(kind, whole ? std::nullopt : std::optional(n), Below(2) == 0 ? "7" : "");
  }

  void Stale(std::int32_t n) {
    const ClaimId old{(std::int64_t{2} << kClaimWorkerShift) | 1};
    EXPECT_EQ(task_.End(n, old, Succeeded{}).verdict, Verdict::kStale);
    EXPECT_EQ(task_.Apply(StepLost{n, old, true, "died"}).verdict, Verdict::kStale);
  }

  Outcome AnyOutcome() {
    switch (Below(7)) {
      case 0:
        return TaskDriver::Failure();
      case 1:
        return TaskDriver::Failure(false);
      case 2:
        return TimedOut{};
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
      if (step.state == StepState::kEnqueued) return (void)task_.Claim(n);
      if (step.state != StepState::kInProgress && !step.revoked) continue;
      if (Below(8) == 0) return (void)task_.Apply(StepLost{n, step.claim, Below(2) == 0, "died"});
      EXPECT_EQ(task_.End(n, step.claim, AnyOutcome()).verdict, Verdict::kApplied);
      return;
    }
  }

  std::mt19937_64 random_;
  TaskDriver task_;
};

TEST(Decide, HoldsItsRulesUnderRandomOperations) {
  const char* given = std::getenv("TASKER_TEST_SEED");
  const std::uint64_t first =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "TASKER_TEST_SEED=" << first << " repeats this run\n";
  const auto deadline = std::chrono::steady_clock::now() + kBudget;
  std::uint64_t tasks = 0;
  const auto more = [&] {
    return tasks < kTasksMin || (tasks < kTasksMax && std::chrono::steady_clock::now() < deadline);
  };
  for (; more() && !::testing::Test::HasFailure(); ++tasks) {
    SCOPED_TRACE("task of seed " + std::to_string(first + tasks));
    RandomTask task(first + tasks);
    for (int i = 0; i < 60 && !::testing::Test::HasFailure(); ++i) task.Step();
    task.Finish();
  }
  std::cout << tasks << " tasks\n";
}

}  // namespace
}  // namespace tasker::workflow
