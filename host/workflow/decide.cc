#include "workflow/decide.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <utility>

#include "base/check.h"
#include "workflow/decision.h"
#include "workflow/outcome_json.h"

namespace tasker::workflow {
namespace {

// Longer than anybody waits, and short enough to be added to any time.
constexpr std::chrono::microseconds kYieldMax = std::chrono::hours(24 * 366 * 100);

Answer Stale() { return {Verdict::kStale, "this claim has ended"}; }

template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <typename... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace

const StepRow* Decision::Peek(std::int32_t n) const {
  const TaskRows::Slot* slot = rows_.Find(n);
  return slot == nullptr ? nullptr : &slot->row;
}

const StepRow& Decision::Row(std::int32_t n) const {
  const StepRow* row = Peek(n);
  CHECK(row != nullptr);
  return *row;
}

StepRow& Decision::At(std::int32_t n) {
  TaskRows::Slot* slot = rows_.Find(n);
  CHECK(slot != nullptr);
  slot->touched = true;
  return slot->row;
}

// Keeps the task's counters true: the only place that changes them or a step's state.
void Decision::Move(StepRow& step, StepState to) {
  CHECK(CanMove(step.state, to));
  TaskRow& task = rows_.task;
  const auto count = [&task](StepState state, std::int32_t by) {
    if (!IsFinal(state)) task.open += by;
    if (IsActive(state)) task.active += by;
    if (state == StepState::kWaitingForRetry) task.retrying += by;
    if (state == StepState::kError) task.failed += by;
  };
  count(step.state, -1);
  count(to, +1);
  step.state = to;
  if (to != StepState::kWaitingForRetry) step.due.reset();
  if (IsFinal(to) || to == StepState::kError) step.ended = now_;
}

void Decision::Enqueue(StepRow& step) {
  Move(step, StepState::kEnqueued);
  step.ready = now_;
  step.claim = ClaimId{};
  effects_.ready.push_back(Key(step));
}

void Decision::ReleaseChildren(const StepRow& step) {
  for (const std::int32_t n : workflow_.graph.Children(step.template_step)) {
    if (Row(n).state != StepState::kPending) continue;
    StepRow& child = At(n);
    // A row that waits for nothing and is pending is broken; this heals it.
    child.waiting_for = std::max(child.waiting_for - 1, 0);
    if (child.waiting_for == 0) Enqueue(child);
  }
}

void Decision::Retry(StepRow& step, Time due) {
  Move(step, StepState::kWaitingForRetry);
  step.due = due;
  step.claim = ClaimId{};
}

void Decision::Bury(StepRow& step, std::string_view reason, std::string_view error) {
  Move(step, StepState::kError);
  const boost::json::value snapshot = {{"step", Definition(step).name},
                                       {"handler", Definition(step).handler.callable},
                                       {"attempts", step.attempts},
                                       {"crashes", step.crashes}};
  std::string text = boost::json::serialize(snapshot);
  if (!error.empty()) text.insert(text.size() - 1, ",\"error\":" + std::string(error));
  effects_.dead_letters.push_back({Key(step), reason, std::move(text)});
}

void Decision::Record(const StepRow& step, const StepEnd& end, AttemptOutcome outcome,
                      std::string error) {
  const bool started = end.started != Time{};
  effects_.attempts.push_back({Key(step), end.claim, outcome, step.ready, end.claimed,
                               started ? std::optional(end.started) : std::nullopt, end.ended,
                               std::move(error)});
}

void Decision::Ended(StepRow& step, const StepEnd& end, const Succeeded& succeeded) {
  Record(step, end, AttemptOutcome::kComplete, {});
  effects_.payloads.push_back({Key(step), PayloadKind::kResult, succeeded.result});
  if (!succeeded.metadata.empty() && succeeded.metadata != "{}") {
    effects_.payloads.push_back({Key(step), PayloadKind::kMetadata, succeeded.metadata});
  }
  Move(step, StepState::kComplete);
  ReleaseChildren(step);
}

Time Decision::DueAfterFailure(const StepRow& step,
                               std::optional<std::chrono::microseconds> after) const {
  const std::uint64_t seed = seed_ ^ (static_cast<std::uint64_t>(rows_.task.id) * 1'000'003 +
                                      static_cast<std::uint64_t>(step.n));
  return now_ + RetryDelay(Definition(step).retry, step.attempts, after, seed);
}

void Decision::FailedAttempt(StepRow& step, bool retryable,
                             std::optional<std::chrono::microseconds> after,
                             std::string_view error) {
  const RetryPolicy& policy = Definition(step).retry;
  ++step.attempts;
  const bool may_retry = retryable && policy.retryable;
  if (may_retry && step.attempts < policy.AttemptsAllowed()) {
    Retry(step, DueAfterFailure(step, after));
  } else {
    Bury(step, may_retry ? "max_attempts_exceeded" : "permanent_error", error);
  }
}

void Decision::Ended(StepRow& step, const StepEnd& end, const Failed& failed) {
  const std::string error = ErrorJson(failed);
  Record(step, end, AttemptOutcome::kError, error);
  FailedAttempt(step, failed.retryable, failed.retry_after, error);
}

void Decision::Ended(StepRow& step, const StepEnd& end, const TimedOut& timed_out) {
  const std::string error =
      ErrorJson(true, "handler_timeout",
                "the handler had not ended after " +
                    std::to_string(Definition(step).timeout_seconds.value_or(0)) +
                    " s, the step's timeout_seconds");
  Record(step, end, AttemptOutcome::kTimeout, error);
  FailedAttempt(step, true, std::nullopt, error);
  effects_.revoked.push_back({end.claim, Revocation::Why::kTimeout});
  if (timed_out.idempotent) return;
  // The claim stays named, and nothing is due, until the handler has returned.
  step.claim = end.claim;
  step.revoked = true;
  step.due.reset();
}

void Decision::Ended(StepRow& step, const StepEnd& end, const Yielded& yielded) {
  Record(step, end, AttemptOutcome::kYielded, {});
  if (yielded.checkpoint) {
    effects_.payloads.push_back({Key(step), PayloadKind::kCheckpoint, *yielded.checkpoint});
  }
  if (yielded.resume_after.count() > 0) {
    Retry(step, now_ + std::min(yielded.resume_after, kYieldMax));
  } else {
    Enqueue(step);
  }
}

void Decision::Ended(StepRow& step, const StepEnd& end, const HandedBack& handed_back) {
  if (handed_back.started) Record(step, end, AttemptOutcome::kHandedBack, {});
  Enqueue(step);
}

// Its handler is gone at last: a retry that waited for that may run.
void Decision::Release(StepRow& step) {
  step.revoked = false;
  if (step.state == StepState::kWaitingForRetry) {
    step.claim = ClaimId{};
    step.due = DueAfterFailure(step, std::nullopt);
  }
}

// The claim ended in the store before its handler returned. What the handler returned is kept: a
// payment may have gone through.
void Decision::KeepLate(const StepEnd& end) {
  effects_.late.push_back(
      {{rows_.task.id, end.n}, end.claim, LateJson(*end.outcome, end.started, end.ended)});
}

Answer Decision::Late(StepRow& step, const StepEnd& end) {
  KeepLate(end);
  Release(step);
  return {};
}

Answer Decision::On(const StepEnd& end) {
  const StepRow* row = Peek(end.n);
  if (row == nullptr) return Stale();
  // Says that time is up, not that the handler has returned. Sent again, or after a cancel, it must
  // not let the next attempt start beside this one.
  if (std::holds_alternative<TimedOut>(*end.outcome) && !Holds(*row, end.claim)) return Stale();
  if (row->revoked && row->claim == end.claim) return Late(At(end.n), end);
  if (!Holds(*row, end.claim)) {
    // An idempotent handler's attempt that timed out: the step may have gone on without it.
    if (!std::holds_alternative<HandedBack>(*end.outcome)) KeepLate(end);
    return Stale();
  }
  StepRow& step = At(end.n);
  std::visit([&](const auto& outcome) { Ended(step, end, outcome); }, *end.outcome);
  return {};
}

Answer Decision::On(const StepCheckpoint& checkpoint) {
  const StepRow* step = Peek(checkpoint.n);
  if (step == nullptr || !Holds(*step, checkpoint.claim)) return Stale();
  effects_.payloads.push_back({Key(*step), PayloadKind::kCheckpoint, checkpoint.body});
  return {};
}

Answer Decision::On(const StepDue& due) {
  const StepRow* step = Peek(due.n);
  if (step != nullptr && step->state == StepState::kWaitingForRetry && step->due &&
      *step->due <= now_) {
    Enqueue(At(due.n));
  }
  return {};
}

Answer Decision::On(const TaskStart&) {
  TaskRow& task = rows_.task;
  if (!task.start || *task.start > now_) return {};
  task.start.reset();
  for (const std::int32_t n : workflow_.graph.Roots()) {
    if (Row(n).state == StepState::kPending) Enqueue(At(n));
  }
  return {};
}

Answer Decision::On(const TaskDeadline&) {
  TaskRow& task = rows_.task;
  if (IsTerminal(task.state) || !task.deadline || *task.deadline > now_) return {};
  CancelAll();
  task.state = TaskState::kError;
  task.start.reset();
  task.ended = now_;
  return {};
}

Answer Decision::On(const StepLost& lost) {
  const StepRow* row = Peek(lost.n);
  if (row == nullptr || row->claim != lost.claim ||
      (!row->revoked && row->state != StepState::kInProgress)) {
    return Stale();
  }
  StepRow& step = At(lost.n);
  if (step.revoked) {
    Release(step);
    return {};
  }
  if (!lost.ran) {
    Enqueue(step);
    return {};
  }
  const bool again = Definition(step).retry.retryable;
  const std::string error = ErrorJson(again, "worker_lost", lost.reason);
  effects_.attempts.push_back({Key(step), lost.claim, AttemptOutcome::kWorkerLost, step.ready,
                               step.claimed, std::nullopt, now_, error});
  ++step.crashes;
  if (!again) {
    Bury(step, "worker_lost", error);
  } else if (step.crashes >= policy_.crash_max) {
    Bury(step, "poison", error);
  } else {
    Enqueue(step);
  }
  return {};
}

// The task's state follows from its counters.
void Decision::SettleTask() {
  TaskRow& task = rows_.task;
  if (IsTerminal(task.state)) return;
  TaskState to = task.state;
  if (task.open == 0) {
    to = TaskState::kComplete;
  } else if (task.start) {
    to = TaskState::kPending;
  } else if (task.active == 0) {
    to = TaskState::kBlockedByFailures;
  } else if (task.active == task.retrying) {
    to = TaskState::kWaitingForRetry;
  } else if (task.state != TaskState::kPending) {
    to = TaskState::kStepsInProcess;
  }
  if (to == task.state) return;
  CHECK(CanMove(task.state, to));
  task.state = to;
  task.ended = IsTerminal(to) ? std::optional(now_) : std::nullopt;
  if (IsTerminal(to)) task.start.reset();
}

void Decision::CreateRows(std::optional<Time> start) {
  TaskRow& task = rows_.task;
  rows_.fresh = true;
  task.template_id = workflow_.id;
  task.open = workflow_.graph.size();
  if (start && *start > now_) task.start = start;
  if (const auto minutes = workflow_.definition.max_duration_minutes) {
    task.deadline = task.start.value_or(now_) + std::chrono::minutes(*minutes);
  }
  for (std::int32_t n = 0; n < workflow_.graph.size(); ++n) {
    StepRow row;
    row.n = row.template_step = n;
    row.handler = workflow_.handlers[static_cast<std::size_t>(n)];
    row.priority = task.priority;
    row.waiting_for = static_cast<std::int32_t>(workflow_.graph.Parents(n).size());
    rows_.PutFresh(row);
  }
  if (task.start) return;
  for (const std::int32_t n : workflow_.graph.Roots()) Enqueue(At(n));
}

Revocation::Why WhyRevoked(StepState state) {
  switch (state) {
    case StepState::kCancelled:
      return Revocation::Why::kCancelled;
    case StepState::kResolvedManually:
      return Revocation::Why::kResolved;
    default:
      return Revocation::Why::kTimeout;
  }
}

void Create(const Workflow& workflow, TaskRows& rows, std::optional<Time> start, Time now,
            Effects& effects) {
  Decision(workflow, rows, now, 0, Policy{}, effects).CreateRows(start);
}

Answer Decide(const Workflow& workflow, TaskRows& rows, const TaskEvent& event, Time now,
              std::uint64_t seed, const Policy& policy, Effects& effects) {
  Decision decision(workflow, rows, now, seed, policy, effects);
  Answer answer = std::visit([&](const auto& e) { return decision.On(e); }, event);
  if (answer.verdict == Verdict::kApplied) decision.SettleTask();
  return answer;
}

void Touches(const Workflow& workflow, const TaskEvent& event, std::vector<std::int32_t>& needed) {
  const auto with_children = [&](std::int32_t n) {
    needed.push_back(n);
    if (n < 0 || n >= workflow.graph.size()) return;
    const auto& children = workflow.graph.Children(n);
    needed.insert(needed.end(), children.begin(), children.end());
  };
  const auto all = [&] {
    for (std::int32_t n = 0; n < workflow.graph.size(); ++n) needed.push_back(n);
  };
  std::visit(Overloaded{[&](const StepEnd& e) {
                          if (std::holds_alternative<Succeeded>(*e.outcome)) {
                            with_children(e.n);
                          } else {
                            needed.push_back(e.n);
                          }
                        },
                        [&](const StepCheckpoint& e) { needed.push_back(e.n); },
                        [&](const StepDue& e) { needed.push_back(e.n); },
                        [&](const StepLost& e) { needed.push_back(e.n); },
                        [&](const TaskStart&) {
                          const auto& roots = workflow.graph.Roots();
                          needed.insert(needed.end(), roots.begin(), roots.end());
                        },
                        [&](const TaskDeadline&) { all(); },
                        [&](const TaskAct& e) { e.n ? with_children(*e.n) : all(); }},
             event);
}

void Claim(TaskRows& rows, std::int32_t n, ClaimId claim, Time now) {
  TaskRows::Slot* slot = rows.Find(n);
  CHECK(slot != nullptr && slot->row.state == StepState::kEnqueued);
  slot->touched = true;
  // Both states are active and open: no counter changes.
  slot->row.state = StepState::kInProgress;
  slot->row.claim = claim;
  slot->row.claimed = now;
  // A task in any other state with an enqueued step is in steps_in_process already: SettleTask saw
  // to it when the step was enqueued.
  if (rows.task.state == TaskState::kPending) rows.task.state = TaskState::kStepsInProcess;
}

}  // namespace tasker::workflow
