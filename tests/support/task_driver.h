#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "workflow/decide.h"

namespace tasker::testing {

// One task as a store would drive it, without a store: for each event only the rows that Touches
// names are loaded, and what Decide made of them is saved. After each event everything that must
// hold of a task is checked against all rows, by rules written here a second time.
class TaskDriver final {
 public:
  explicit TaskDriver(workflow::Workflow flow, workflow::Policy limits = {})
      : workflow_(std::move(flow)), policy_(limits) {
    task_.id = 42;
    task_.priority = 5;
  }

  const workflow::Workflow& workflow() const { return workflow_; }
  const workflow::TaskRow& task() const { return task_; }
  const workflow::StepRow& step(std::int32_t n) const { return steps_.at(n); }
  std::int32_t size() const { return static_cast<std::int32_t>(steps_.size()); }
  // What the last event had to be written beside the rows.
  const workflow::Effects& effects() const { return effects_; }
  // Every move that has been saved: from, to.
  const std::set<std::pair<workflow::StepState, workflow::StepState>>& step_moves() const {
    return step_moves_;
  }
  const std::set<std::pair<workflow::TaskState, workflow::TaskState>>& task_moves() const {
    return task_moves_;
  }
  Time now = FromMicros(1'000'000'000);
  std::uint64_t seed = 1;

  void Create(std::optional<Time> start = std::nullopt) {
    workflow::TaskRows rows;
    rows.task = task_;
    effects_ = {};
    workflow::Create(workflow_, rows, start, now, effects_);
    EXPECT_TRUE(rows.fresh);
    task_ = rows.task;
    for (const auto& slot : rows.slots()) {
      EXPECT_TRUE(slot.fresh && slot.touched);
      steps_[slot.row.n] = slot.row;
    }
    Check();
  }

  workflow::ClaimId Claim(std::int32_t n, std::int64_t worker = 3) {
    const workflow::ClaimId claim{(worker << workflow::kClaimWorkerShift) | ++claims_};
    workflow::TaskRows rows;
    rows.task = task_;
    rows.Put(steps_.at(n));
    workflow::Claim(rows, n, claim, now);
    Save(rows, {n});
    Check();
    return claim;
  }

  workflow::Answer Apply(const workflow::TaskEvent& event) {
    std::vector<std::int32_t> needed;
    workflow::Touches(workflow_, event, needed);
    const std::set<std::int32_t> wanted(needed.begin(), needed.end());
    workflow::TaskRows rows;
    rows.task = task_;
    for (const std::int32_t n : wanted) {
      if (steps_.contains(n)) rows.Put(steps_.at(n));
    }
    effects_ = {};
    const workflow::Answer answer =
        workflow::Decide(workflow_, rows, event, now, seed, policy_, effects_);
    if (answer.verdict != workflow::Verdict::kApplied) {
      EXPECT_FALSE(answer.detail.empty());
      // A late return is offered to the store, which knows whether that attempt timed out.
      EXPECT_TRUE(effects_.attempts.empty() && effects_.payloads.empty() &&
                  effects_.ready.empty() && effects_.revoked.empty() &&
                  effects_.dead_letters.empty());
      EXPECT_EQ(rows.task, task_);
      for (const auto& slot : rows.slots()) EXPECT_EQ(slot.row, slot.stored);
    }
    Save(rows, wanted);
    Check();
    return answer;
  }

  workflow::Answer End(std::int32_t n, workflow::ClaimId claim, workflow::Outcome outcome) {
    outcome_ = std::move(outcome);
    return Apply(workflow::StepEnd{n, claim, &outcome_, now, now, now});
  }
  // Claims the step and ends it at once.
  workflow::Answer Run(std::int32_t n, workflow::Outcome outcome) {
    return End(n, Claim(n), std::move(outcome));
  }

  workflow::Answer Act(workflow::TaskAct::Kind kind, std::optional<std::int32_t> n,
                       std::string_view result = {}) {
    return Apply(workflow::TaskAct{kind, n, "ann", "because", result});
  }

  std::set<std::int32_t> Ready() const {
    std::set<std::int32_t> ready;
    for (const auto& [n, step] : steps_) {
      if (step.state == workflow::StepState::kEnqueued) ready.insert(n);
    }
    return ready;
  }

  static workflow::Failed Failure(bool retryable = true) {
    workflow::Failed failed;
    failed.retryable = retryable;
    failed.type = "io";
    failed.message = "no route";
    return failed;
  }

 private:
  using S = workflow::StepState;
  using T = workflow::TaskState;

  void Save(workflow::TaskRows& rows, const std::set<std::int32_t>& loaded) {
    for (const auto& slot : rows.slots()) {
      const workflow::StepRow& before = steps_.at(slot.row.n);
      EXPECT_TRUE(loaded.contains(slot.row.n));
      EXPECT_EQ(slot.stored, before);
      if (!(slot.row == before)) {
        EXPECT_TRUE(slot.touched) << "step " << slot.row.n << " changed unmarked";
      }
      if (slot.row.state != before.state) {
        step_moves_.emplace(before.state, slot.row.state);
        EXPECT_TRUE(workflow::CanMove(before.state, slot.row.state))
            << "step " << slot.row.n << ": " << Name(before.state) << " to "
            << Name(slot.row.state);
      }
      steps_[slot.row.n] = slot.row;
    }
    if (rows.task.state != task_.state) {
      task_moves_.emplace(task_.state, rows.task.state);
      EXPECT_TRUE(workflow::CanMove(task_.state, rows.task.state))
          << Name(task_.state) << " to " << Name(rows.task.state);
    }
    task_ = rows.task;
  }

  static bool Done(S state) { return state == S::kComplete || state == S::kResolvedManually; }

  void Check() const {
    int open = 0, active = 0, retrying = 0, failed = 0;
    for (const auto& [n, step] : steps_) {
      switch (step.state) {
        case S::kPending:
          ++open;
          break;
        case S::kEnqueued:
          ++open, ++active;
          break;
        case S::kInProgress:
          ++open, ++active;
          break;
        case S::kWaitingForRetry:
          ++open, ++active, ++retrying;
          break;
        case S::kError:
          ++open, ++failed;
          break;
        case S::kComplete:
          break;
        case S::kCancelled:
          break;
        case S::kResolvedManually:
          break;
      }
      CheckStep(n, step);
    }
    EXPECT_EQ(task_.open, open);
    EXPECT_EQ(task_.active, active);
    EXPECT_EQ(task_.retrying, retrying);
    EXPECT_EQ(task_.failed, failed);
    CheckTask(open, active, retrying);
  }

  void CheckStep(std::int32_t n, const workflow::StepRow& step) const {
    int waiting = 0;
    for (const std::string& name :
         workflow_.definition.steps[static_cast<std::size_t>(n)].dependencies) {
      if (!Done(steps_.at(std::stoi(name.substr(1))).state)) ++waiting;
    }
    const bool untouchable = step.state == S::kCancelled || step.state == S::kResolvedManually;
    if (step.state == S::kPending) {
      EXPECT_EQ(step.waiting_for, waiting) << "step " << n;
      // Pending although nothing is waited for: only before the task's start, or in a task that a
      // person ended.
      if (waiting == 0) {
        EXPECT_TRUE(task_.start.has_value()) << "step " << n << " was forgotten";
      }
    } else if (!untouchable) {
      EXPECT_EQ(waiting, 0) << "step " << n << " is " << Name(step.state)
                            << " before its parents are done";
    }
    EXPECT_EQ(step.ended.has_value(),
              Done(step.state) || step.state == S::kCancelled || step.state == S::kError)
        << n;
    if (step.state == S::kWaitingForRetry) {
      EXPECT_TRUE(step.due.has_value() || step.revoked) << n;
    }
    if (step.state != S::kWaitingForRetry) {
      EXPECT_FALSE(step.due.has_value()) << n;
    }
    if (step.state == S::kInProgress) {
      EXPECT_NE(step.claim, workflow::ClaimId{}) << n;
    }
    if (step.state == S::kEnqueued || step.state == S::kPending) {
      EXPECT_EQ(step.claim, workflow::ClaimId{}) << n;
    }
    if (step.revoked) {
      EXPECT_NE(step.state, S::kInProgress) << n;
    }
    EXPECT_EQ(step.n, step.template_step);
    EXPECT_EQ(step.handler, 100 + n);
    EXPECT_EQ(step.priority, 5);
    EXPECT_LE(step.attempts,
              workflow_.definition.steps[static_cast<std::size_t>(n)].retry.AttemptsAllowed());
    EXPECT_LE(step.crashes, policy_.crash_max);
  }

  void CheckTask(int open, int active, int retrying) const {
    EXPECT_EQ(task_.ended.has_value(), task_.state >= T::kComplete);
    if (task_.start) {
      EXPECT_EQ(task_.state, T::kPending);
    }
    switch (task_.state) {
      case T::kPending:
        EXPECT_GT(open, 0);
        if (!task_.start) {
          EXPECT_GT(active, retrying);
        }
        break;
      case T::kStepsInProcess:
        EXPECT_GT(active, retrying);
        break;
      case T::kWaitingForRetry:
        EXPECT_EQ(active, retrying);
        EXPECT_GT(active, 0);
        break;
      case T::kBlockedByFailures:
        EXPECT_EQ(active, 0);
        EXPECT_GT(open, 0);
        break;
      case T::kComplete:
      case T::kCancelled:
      case T::kResolvedManually:
        EXPECT_EQ(open, 0);
        break;
      case T::kError:
        break;
    }
  }

  const workflow::Workflow workflow_;
  const workflow::Policy policy_;
  workflow::TaskRow task_;
  std::map<std::int32_t, workflow::StepRow> steps_;
  workflow::Effects effects_;
  workflow::Outcome outcome_;
  std::int64_t claims_ = 0;
  std::set<std::pair<S, S>> step_moves_;
  std::set<std::pair<T, T>> task_moves_;
};

}  // namespace tasker::testing
