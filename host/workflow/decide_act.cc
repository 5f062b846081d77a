#include <utility>
#include <vector>

#include "workflow/decision.h"

namespace tasker::workflow {

// Ends a step by a person's word. If it runs, its worker is told, and the claim stays named until
// the handler returned.
void Decision::Stop(StepRow& step, StepState to, Revocation::Why why) {
  if (step.state == StepState::kInProgress) {
    effects_.attempts.push_back({Key(step),
                                 step.claim,
                                 AttemptOutcome::kCancelled,
                                 step.ready,
                                 step.claimed,
                                 std::nullopt,
                                 now_,
                                 {}});
    effects_.revoked.push_back({step.claim, why});
    step.revoked = true;
  }
  Move(step, to);
}

// Why an act on the step is refused; nothing if it is not.
std::string Decision::Refusal(TaskAct::Kind kind, const StepRow& step) const {
  const std::string name = "step " + Definition(step).name + " is " + std::string(Name(step.state));
  if (kind == TaskAct::Kind::kRetry) {
    if (step.state != StepState::kError) return name + "; only a failed step can be retried";
    if (!step.revoked) return {};
    return "attempt " + std::to_string(step.attempts) + " of step " + Definition(step).name +
           " still runs in worker " + std::to_string(WorkerOf(step.claim)) + "; wait for its end";
  }
  const StepState to =
      kind == TaskAct::Kind::kCancel ? StepState::kCancelled : StepState::kResolvedManually;
  if (!CanMove(step.state, to)) return name + "; that is final";
  // Its children must not start before the task does.
  if (kind == TaskAct::Kind::kResolve && rows_.task.start) {
    return "the task waits for its start time; resolve step " + Definition(step).name +
           " then, or the whole task";
  }
  return {};
}

Answer Decision::ActOnStep(const TaskAct& act, StepRow& step) {
  if (std::string refusal = Refusal(act.kind, step); !refusal.empty()) {
    return {Verdict::kConflict, std::move(refusal)};
  }
  switch (act.kind) {
    case TaskAct::Kind::kCancel:
      Stop(step, StepState::kCancelled, Revocation::Why::kCancelled);
      return {};
    case TaskAct::Kind::kRetry:
      step.attempts = step.crashes = 0;
      step.ended.reset();
      Enqueue(step);
      return {};
    case TaskAct::Kind::kResolve:
      Stop(step, StepState::kResolvedManually, Revocation::Why::kResolved);
      effects_.payloads.push_back({Key(step), PayloadKind::kResult,
                                   act.result.empty() ? std::string_view("null") : act.result});
      ReleaseChildren(step);
      return {};
  }
  return {Verdict::kConflict, "unknown action"};
}

void Decision::CancelAll() {
  for (TaskRows::Slot& slot : rows_.slots()) {
    if (CanMove(slot.row.state, StepState::kCancelled)) {
      Stop(At(slot.row.n), StepState::kCancelled, Revocation::Why::kCancelled);
    }
  }
}

Answer Decision::ActOnTask(const TaskAct& act) {
  TaskRow& task = rows_.task;
  if (act.kind == TaskAct::Kind::kRetry) {
    if (task.failed == 0) return {Verdict::kConflict, "no step of this task has failed"};
    // All or none of them.
    std::vector<std::int32_t> failed;
    for (const TaskRows::Slot& slot : rows_.slots()) {
      if (slot.row.state != StepState::kError) continue;
      if (std::string refusal = Refusal(act.kind, slot.row); !refusal.empty()) {
        return {Verdict::kConflict, std::move(refusal)};
      }
      failed.push_back(slot.row.n);
    }
    for (const std::int32_t n : failed) ActOnStep(act, At(n));
    return {};
  }
  const TaskState to =
      act.kind == TaskAct::Kind::kCancel ? TaskState::kCancelled : TaskState::kResolvedManually;
  CancelAll();
  task.state = to;
  task.start.reset();
  task.ended = now_;
  return {};
}

Answer Decision::On(const TaskAct& act) {
  if (IsTerminal(rows_.task.state)) {
    return {Verdict::kConflict, "the task is " + std::string(Name(rows_.task.state))};
  }
  if (!act.n) return ActOnTask(act);
  if (Peek(*act.n) == nullptr)
    return {Verdict::kConflict, "the task has no step number " + std::to_string(*act.n)};
  return ActOnStep(act, At(*act.n));
}

}  // namespace tasker::workflow
