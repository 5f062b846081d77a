#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "workflow/decide.h"

namespace tasker::workflow {

// One event's work on one task.
class Decision final {
 public:
  Decision(const Workflow& workflow, TaskRows& rows, Time now, std::uint64_t seed,
           const Policy& policy, Effects& effects)
      : workflow_(workflow),
        rows_(rows),
        now_(now),
        seed_(seed),
        policy_(policy),
        effects_(effects) {}

  void CreateRows(std::optional<Time> start);
  Answer On(const StepEnd& end);
  Answer On(const StepCheckpoint& checkpoint);
  Answer On(const StepDue& due);
  Answer On(const TaskStart& start);
  Answer On(const TaskDeadline& deadline);
  Answer On(const StepLost& lost);
  Answer On(const TaskAct& act);
  void SettleTask();

 private:
  // The row as it is; null if there is no such step.
  const StepRow* Peek(std::int32_t n) const;
  // The same, of a step that was loaded.
  const StepRow& Row(std::int32_t n) const;
  // The row to be changed. It was loaded.
  StepRow& At(std::int32_t n);
  StepKey Key(const StepRow& step) const { return {rows_.task.id, step.n}; }
  const StepDefinition& Definition(const StepRow& step) const {
    return workflow_.definition.steps[static_cast<std::size_t>(step.template_step)];
  }
  bool Holds(const StepRow& step, ClaimId claim) const {
    return step.state == StepState::kInProgress && step.claim == claim;
  }

  void Move(StepRow& step, StepState to);
  void Enqueue(StepRow& step);
  void ReleaseChildren(const StepRow& step);
  void Retry(StepRow& step, Time due);
  Time DueAfterFailure(const StepRow& step, std::optional<std::chrono::microseconds> after) const;
  void Bury(StepRow& step, std::string_view reason, std::string_view error);
  void Record(const StepRow& step, const StepEnd& end, AttemptOutcome outcome, std::string error);
  void KeepLate(const StepEnd& end);
  Answer Late(StepRow& step, const StepEnd& end);
  void Release(StepRow& step);
  void CancelAll();

  void Ended(StepRow& step, const StepEnd& end, const Succeeded& succeeded);
  void Ended(StepRow& step, const StepEnd& end, const Failed& failed);
  void Ended(StepRow& step, const StepEnd& end, const TimedOut& timed_out);
  void Ended(StepRow& step, const StepEnd& end, const Yielded& yielded);
  void Ended(StepRow& step, const StepEnd& end, const HandedBack& handed_back);
  void FailedAttempt(StepRow& step, bool retryable, std::optional<std::chrono::microseconds> after,
                     std::string_view error);

  std::string Refusal(TaskAct::Kind kind, const StepRow& step) const;
  Answer ActOnStep(const TaskAct& act, StepRow& step);
  Answer ActOnTask(const TaskAct& act);
  void Stop(StepRow& step, StepState to, Revocation::Why why);

  const Workflow& workflow_;
  TaskRows& rows_;
  const Time now_;
  const std::uint64_t seed_;
  const Policy& policy_;
  Effects& effects_;
};

}  // namespace tasker::workflow
