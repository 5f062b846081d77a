#include "tests/model/reference.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "base/check.h"

namespace tasker::testing {
namespace {

using std::chrono::microseconds;
using workflow::AttemptOutcome;
using workflow::PayloadKind;
using workflow::StepKey;
using S = workflow::StepState;
using T = workflow::TaskState;

bool Done(S state) { return state == S::kComplete || state == S::kResolvedManually; }
bool Final(S state) { return Done(state) || state == S::kCancelled; }
bool Terminal(T state) {
  return state == T::kComplete || state == T::kError || state == T::kCancelled ||
         state == T::kResolvedManually;
}

// What a person may still end: everything that is not final.
constexpr S kOpen[] = {S::kPending, S::kEnqueued, S::kInProgress, S::kWaitingForRetry, S::kError};

// The delay before the next try without its jitter.
double DelayMs(const workflow::RetryPolicy& policy, std::int32_t failed) {
  double factor = 0;
  double a = 0;
  double b = 1;
  switch (policy.backoff) {
    case workflow::RetryPolicy::Backoff::kNone:
      break;
    case workflow::RetryPolicy::Backoff::kLinear:
      factor = failed;
      break;
    case workflow::RetryPolicy::Backoff::kExponential:
      factor = std::pow(2, failed - 1);
      break;
    case workflow::RetryPolicy::Backoff::kFibonacci:
      for (std::int32_t i = 0; i < failed; ++i) {
        factor = b;
        b = a + b;
        a = factor;
      }
      break;
  }
  return std::min(factor * static_cast<double>(policy.base_ms.value_or(1000)),
                  static_cast<double>(policy.max_ms));
}

std::string Text(StepKey key) {
  return "step " + std::to_string(key.n) + " of task " + std::to_string(key.task);
}

}  // namespace

const workflow::StepDefinition& Reference::DefinitionOf(StepKey key) const {
  const Task& task = tasks_.at(key.task);
  return workflows_.at(task.template_id)->definition.steps[static_cast<std::size_t>(key.n)];
}

std::int64_t Reference::HandlerOf(StepKey key) const {
  const Task& task = tasks_.at(key.task);
  return workflows_.at(task.template_id)->handlers[static_cast<std::size_t>(key.n)];
}

const Reference::Step& Reference::StepAt(StepKey key) const {
  return tasks_.at(key.task).steps.at(static_cast<std::size_t>(key.n));
}

Reference::Answers Reference::Turn(Time now, const std::vector<store::Event>& events, bool looks) {
  std::vector<StepKey> due;
  std::vector<std::int64_t> starts, overdue;
  std::map<std::int64_t, bool> was_settled;
  for (const auto& [id, task] : tasks_) {
    was_settled[id] = Terminal(task.state) || task.state == T::kBlockedByFailures;
    if (task.start && *task.start <= now) starts.push_back(id);
    if (task.deadline && *task.deadline <= now) overdue.push_back(id);
    for (std::size_t n = 0; n < task.steps.size(); ++n) {
      const auto& at = task.steps[n].due;
      if (at && at->first <= now) due.push_back({id, static_cast<std::int32_t>(n)});
    }
  }
  Answers out;
  revoked_.clear();
  for (const store::Event& event : events) {
    if (const auto* submit = std::get_if<store::Submit>(&event)) {
      out.acks[submit->ticket] = Submit(*submit, now);
    } else if (const auto* end = std::get_if<store::End>(&event)) {
      End(*end, now);
    } else if (const auto* checkpoint = std::get_if<store::Checkpoint>(&event)) {
      const Step& step = StepAt(checkpoint->step);
      const bool held = step.state == S::kInProgress && step.claim == checkpoint->claim;
      if (held) payloads_[{checkpoint->step, PayloadKind::kCheckpoint}] = checkpoint->body;
      out.acks[checkpoint->ticket] = held ? Answer::kApplied : Answer::kStale;
    } else if (const auto* act = std::get_if<store::Act>(&event)) {
      out.acks[act->ticket] = Act(*act);
    } else if (const auto* pause = std::get_if<store::Pause>(&event)) {
      if (actions_.emplace(pause->id, pause->paused ? 10 : 11).second) {
        if (pause->paused) {
          paused_.insert(pause->handler);
        } else {
          paused_.erase(pause->handler);
        }
      }
      out.acks[pause->ticket] = Answer::kApplied;
    }
  }
  for (const store::Event& event : events) {
    if (const auto* bury = std::get_if<store::Bury>(&event)) Bury(*bury, now);
  }
  if (looks) {
    for (const StepKey key : due) {
      Step& step = tasks_.at(key.task).steps[static_cast<std::size_t>(key.n)];
      if (step.state != S::kWaitingForRetry || !step.due || step.due->first > now) continue;
      step.state = S::kEnqueued;
      step.due.reset();
      Settle(key.task);
    }
    for (const std::int64_t id : starts) {
      tasks_.at(id).start.reset();
      Settle(id);
    }
    for (const std::int64_t id : overdue) {
      Task& task = tasks_.at(id);
      if (!Terminal(task.state)) EndAll(id, task, T::kError);
    }
  }
  for (const auto& [id, task] : tasks_) {
    const bool settled = Terminal(task.state) || task.state == T::kBlockedByFailures;
    if (settled && !was_settled[id]) out.settled.insert(task.uuid);
  }
  out.revoked = revoked_;
  return out;
}

Reference::Answer Reference::Submit(const store::Submit& submit, Time now) {
  for (const auto& [id, task] : tasks_) {
    if (task.uuid == submit.task) return Answer::kApplied;
  }
  for (const auto& [id, task] : tasks_) {
    if (submit.identity && task.identity == submit.identity) return Answer::kDuplicate;
  }
  const std::int64_t id = static_cast<std::int64_t>(tasks_.size()) + 1;
  Task& task = tasks_[id];
  task.uuid = submit.task;
  task.template_id = submit.template_id;
  task.priority = submit.priority;
  task.identity = submit.identity;
  if (submit.start_at && *submit.start_at > now) task.start = submit.start_at;
  if (const auto minutes = workflows_.at(submit.template_id)->definition.max_duration_minutes) {
    task.deadline = task.start.value_or(now) + std::chrono::minutes(*minutes);
  }
  task.steps.resize(static_cast<std::size_t>(workflows_.at(submit.template_id)->graph.size()));
  Settle(id);
  return Answer::kApplied;
}

void Reference::Settle(std::int64_t id) {
  Task& task = tasks_.at(id);
  if (Terminal(task.state)) return;
  const workflow::Graph& graph = workflows_.at(task.template_id)->graph;
  int open = 0, active = 0, retrying = 0;
  for (std::size_t n = 0; n < task.steps.size(); ++n) {
    Step& step = task.steps[n];
    const auto& parents = graph.Parents(static_cast<std::int32_t>(n));
    const bool may_run = !task.start && std::ranges::all_of(parents, [&](std::int32_t parent) {
      return Done(task.steps[static_cast<std::size_t>(parent)].state);
    });
    if (step.state == S::kPending && may_run) step.state = S::kEnqueued;
    open += Final(step.state) ? 0 : 1;
    retrying += step.state == S::kWaitingForRetry ? 1 : 0;
    active += step.state == S::kEnqueued || step.state == S::kInProgress ||
                      step.state == S::kWaitingForRetry
                  ? 1
                  : 0;
  }
  if (open == 0) {
    task.state = T::kComplete;
    task.start.reset();
  } else if (task.start) {
    task.state = T::kPending;
  } else if (active == 0) {
    task.state = T::kBlockedByFailures;
  } else if (active == retrying) {
    task.state = T::kWaitingForRetry;
  } else if (task.state != T::kPending) {
    task.state = T::kStepsInProcess;
  }
}

void Reference::End(const store::End& end, Time now) {
  Task& task = tasks_.at(end.step.task);
  Step& step = task.steps[static_cast<std::size_t>(end.step.n)];
  // Says that time is up, not that the handler has returned: of what has ended already it says
  // nothing.
  const bool held = step.claim == end.claim && step.state == S::kInProgress;
  if (!held && std::holds_alternative<workflow::TimedOut>(end.outcome)) return;
  if (step.claim == end.claim && step.revoked) {
    attempts_.at({end.step, end.claim}).late = true;
    Release(end.step, step, now);
  } else if (held) {
    EndHeld(end.step, task, end.outcome, end.claim, now);
  } else {
    // What the store ended by itself, and what goes on without it, keeps what its handler returned.
    const auto ended = attempts_.find({end.step, end.claim});
    if (ended != attempts_.end() && !std::holds_alternative<workflow::HandedBack>(end.outcome) &&
        (ended->second.outcome == AttemptOutcome::kTimeout ||
         ended->second.outcome == AttemptOutcome::kCancelled)) {
      ended->second.late = true;
    }
    return;
  }
  Settle(end.step.task);
}

void Reference::EndHeld(StepKey key, Task& task, const workflow::Outcome& outcome,
                        workflow::ClaimId claim, Time now) {
  Step& step = task.steps[static_cast<std::size_t>(key.n)];
  const auto record = [&](AttemptOutcome how) { attempts_[{key, claim}] = {how, false}; };
  if (const auto* succeeded = std::get_if<workflow::Succeeded>(&outcome)) {
    record(AttemptOutcome::kComplete);
    payloads_[{key, PayloadKind::kResult}] = succeeded->result;
    step.state = S::kComplete;
  } else if (const auto* failed = std::get_if<workflow::Failed>(&outcome)) {
    record(AttemptOutcome::kError);
    Fail(key, task, *failed, now);
  } else if (const auto* timed_out = std::get_if<workflow::TimedOut>(&outcome)) {
    record(AttemptOutcome::kTimeout);
    Fail(key, task, workflow::Failed{}, now);
    revoked_.insert(claim);
    if (timed_out->idempotent) return;
    step.claim = claim;
    step.revoked = true;
    step.due.reset();
  } else if (const auto* yielded = std::get_if<workflow::Yielded>(&outcome)) {
    record(AttemptOutcome::kYielded);
    if (yielded->checkpoint) payloads_[{key, PayloadKind::kCheckpoint}] = *yielded->checkpoint;
    step.claim = {};
    if (yielded->resume_after.count() > 0) {
      step.state = S::kWaitingForRetry;
      step.due = {now + yielded->resume_after, now + yielded->resume_after};
    } else {
      step.state = S::kEnqueued;
    }
  } else if (const auto* back = std::get_if<workflow::HandedBack>(&outcome)) {
    if (back->started) record(AttemptOutcome::kHandedBack);
    step.state = S::kEnqueued;
    step.claim = {};
  }
}

void Reference::Fail(StepKey key, Task& task, const workflow::Failed& failed, Time now) {
  Step& step = task.steps[static_cast<std::size_t>(key.n)];
  const workflow::RetryPolicy& policy = DefinitionOf(key).retry;
  ++step.attempts;
  const bool may = failed.retryable && policy.retryable;
  if (may && step.attempts < std::max(policy.max_attempts, 1)) {
    step.state = S::kWaitingForRetry;
    step.claim = {};
    if (failed.retry_after) {
      const Time at = now + std::clamp<microseconds>(*failed.retry_after, microseconds(0),
                                                     std::chrono::hours(1));
      step.due = {at, at};
      return;
    }
    BackOff(key, step, now);
    return;
  }
  step.state = S::kError;
  dead_letters_.emplace_back(key, may ? "max_attempts_exceeded" : "permanent_error", "pending");
}

void Reference::BackOff(StepKey key, Step& step, Time now) const {
  const double us = DelayMs(DefinitionOf(key).retry, step.attempts) * 1000;
  step.due = {now + microseconds(static_cast<std::int64_t>(us * 0.85) - 1),
              now + microseconds(static_cast<std::int64_t>(us * 1.15) + 1)};
}

void Reference::Release(StepKey key, Step& step, Time now) {
  step.revoked = false;
  if (step.state != S::kWaitingForRetry) return;
  step.claim = {};
  BackOff(key, step, now);
}

// A person has answered it.
void Reference::LeaveError(StepKey key) {
  for (auto& [step, reason, resolution] : dead_letters_) {
    if (step == key && resolution == "pending") resolution = "manually_resolved";
  }
}

void Reference::Stop(StepKey key, Step& step, S to) {
  if (step.state == S::kInProgress) {
    attempts_[{key, step.claim}] = {AttemptOutcome::kCancelled, false};
    revoked_.insert(step.claim);
    step.revoked = true;
  }
  if (step.state == S::kError) LeaveError(key);
  step.state = to;
  step.due.reset();
}

Reference::Answer Reference::Act(const store::Act& act) {
  if (actions_.contains(act.id)) return Answer::kApplied;
  for (auto& [id, task] : tasks_) {
    if (task.uuid != act.task) continue;
    Answer answer = Answer::kConflict;
    if (!Terminal(task.state)) {
      answer = act.n ? ActOnStep(act, id, task, *act.n) : ActOnTask(act, id, task);
    }
    if (answer == Answer::kApplied) {
      actions_[act.id] = static_cast<std::int32_t>(act.kind);
      Settle(id);
    }
    return answer;
  }
  return Answer::kConflict;
}

Reference::Answer Reference::ActOnStep(const store::Act& act, std::int64_t id, Task& task,
                                       std::int32_t n) {
  if (n < 0 || n >= std::ssize(task.steps)) return Answer::kConflict;
  Step& step = task.steps[static_cast<std::size_t>(n)];
  const StepKey key{id, n};
  if (act.kind == store::Act::Kind::kRetry) {
    if (step.state != S::kError || step.revoked) return Answer::kConflict;
    LeaveError(key);
    step.state = S::kEnqueued;
    step.claim = {};
    step.attempts = step.crashes = 0;
    return Answer::kApplied;
  }
  if (std::ranges::find(kOpen, step.state) == std::end(kOpen)) return Answer::kConflict;
  if (act.kind == store::Act::Kind::kCancel) {
    Stop(key, step, S::kCancelled);
    return Answer::kApplied;
  }
  if (task.start) return Answer::kConflict;
  Stop(key, step, S::kResolvedManually);
  payloads_[{key, PayloadKind::kResult}] = act.result.empty() ? "null" : act.result;
  return Answer::kApplied;
}

Reference::Answer Reference::ActOnTask(const store::Act& act, std::int64_t id, Task& task) {
  if (act.kind == store::Act::Kind::kRetry) {
    bool any = false;
    for (const Step& step : task.steps) {
      any = any || step.state == S::kError;
      if (step.state == S::kError && step.revoked) return Answer::kConflict;
    }
    if (!any) return Answer::kConflict;
    for (std::int32_t n = 0; n < std::ssize(task.steps); ++n) ActOnStep(act, id, task, n);
    return Answer::kApplied;
  }
  EndAll(id, task, act.kind == store::Act::Kind::kCancel ? T::kCancelled : T::kResolvedManually);
  return Answer::kApplied;
}

void Reference::EndAll(std::int64_t id, Task& task, T to) {
  for (std::int32_t n = 0; n < std::ssize(task.steps); ++n) {
    Step& step = task.steps[static_cast<std::size_t>(n)];
    if (!Final(step.state)) Stop({id, n}, step, S::kCancelled);
  }
  task.state = to;
  task.start.reset();
}

void Reference::Bury(const store::Bury& bury, Time now) {
  for (auto& [id, task] : tasks_) {
    for (std::int32_t n = 0; n < std::ssize(task.steps); ++n) {
      const Step& step = task.steps[static_cast<std::size_t>(n)];
      if (workflow::WorkerOf(step.claim) != bury.worker) continue;
      const bool ran = std::ranges::find(bury.running, step.claim) != bury.running.end();
      Lose({id, n}, task, ran, now);
    }
    Settle(id);
  }
  ended_workers_.insert(bury.worker);
}

void Reference::Lose(StepKey key, Task& task, bool ran, Time now) {
  Step& step = task.steps[static_cast<std::size_t>(key.n)];
  if (step.revoked) return Release(key, step, now);
  if (step.state != S::kInProgress) return;
  if (!ran) {
    step.state = S::kEnqueued;
    step.claim = {};
    return;
  }
  attempts_[{key, step.claim}] = {AttemptOutcome::kWorkerLost, false};
  ++step.crashes;
  if (!DefinitionOf(key).retry.retryable || step.crashes >= crash_max_) {
    step.state = S::kError;
    dead_letters_.emplace_back(key, DefinitionOf(key).retry.retryable ? "poison" : "worker_lost",
                               "pending");
    return;
  }
  step.state = S::kEnqueued;
  step.claim = {};
}

std::vector<StepKey> Reference::Claimable() const {
  std::vector<std::tuple<std::int32_t, StepKey>> ordered;
  for (const auto& [id, task] : tasks_) {
    for (std::int32_t n = 0; n < std::ssize(task.steps); ++n) {
      const StepKey key{id, n};
      if (StepAt(key).state != S::kEnqueued || paused_.contains(HandlerOf(key))) continue;
      ordered.emplace_back(-task.priority, key);
    }
  }
  std::ranges::sort(ordered);
  std::vector<StepKey> out;
  for (const auto& [_, key] : ordered) out.push_back(key);
  return out;
}

void Reference::Claim(StepKey key, workflow::ClaimId claim) {
  Task& task = tasks_.at(key.task);
  Step& step = task.steps[static_cast<std::size_t>(key.n)];
  CHECK(step.state == S::kEnqueued);
  step.state = S::kInProgress;
  step.claim = claim;
  if (task.state == T::kPending) task.state = T::kStepsInProcess;
}

std::string Reference::Compare(const StoreSnapshot& store) {
  if (store.tasks.size() != tasks_.size()) {
    return std::to_string(store.tasks.size()) + " tasks, not " + std::to_string(tasks_.size());
  }
  for (const auto& [id, task] : tasks_) {
    if (std::string found = CompareTask(id, store); !found.empty()) return found;
  }
  if (store.attempts.size() != attempts_.size()) return "another number of attempts";
  for (const auto& [key, attempt] : attempts_) {
    const auto at = store.attempts.find(key);
    const std::string what = "the attempt of " + Text(key.first) + " by claim " +
                             std::to_string(workflow::Number(key.second));
    if (at == store.attempts.end()) return what + " is not there";
    if (at->second.outcome != attempt.outcome) {
      return what + " is " + std::string(Name(at->second.outcome)) + ", not " +
             std::string(Name(attempt.outcome));
    }
    if (at->second.late != attempt.late) return what + ": what came late";
  }
  if (store.payloads != payloads_) return "the payloads";
  if (store.dead_letters != dead_letters_) return "the dead letters";
  if (store.actions != actions_) return "the actions";
  if (!std::ranges::equal(store.paused, paused_)) return "the paused handlers";
  if (!std::ranges::equal(store.ended_workers, ended_workers_)) return "the ended workers";
  return {};
}

std::string Reference::CompareTask(std::int64_t id, const StoreSnapshot& store) {
  Task& task = tasks_.at(id);
  const auto at = store.tasks.find(id);
  const std::string what = "task " + std::to_string(id);
  if (at == store.tasks.end()) return what + " is not there";
  if (at->second.uuid != task.uuid) return what + " is another task";
  if (at->second.state != task.state) {
    return what + " is " + std::string(Name(at->second.state)) + ", not " +
           std::string(Name(task.state));
  }
  if (at->second.start != task.start) return what + ": its start time";
  if (at->second.ended.has_value() != Terminal(task.state)) return what + ": its end";
  const workflow::Graph& graph = workflows_.at(task.template_id)->graph;
  for (std::int32_t n = 0; n < std::ssize(task.steps); ++n) {
    const auto row = store.steps.find({id, n});
    if (row == store.steps.end()) return Text({id, n}) + " is not there";
    Step& step = task.steps[static_cast<std::size_t>(n)];
    if (std::string found = CompareStep({id, n}, step, row->second); !found.empty()) return found;
    if (step.state != S::kPending) continue;
    const auto waiting = std::ranges::count_if(graph.Parents(n), [&](std::int32_t parent) {
      return !Done(task.steps[static_cast<std::size_t>(parent)].state);
    });
    if (row->second.waiting_for != waiting) return Text({id, n}) + ": how many it waits for";
  }
  return {};
}

std::string Reference::CompareStep(StepKey key, Step& step, const workflow::StepRow& row) const {
  if (row.state != step.state) {
    return Text(key) + " is " + std::string(Name(row.state)) + ", not " +
           std::string(Name(step.state));
  }
  if (row.attempts != step.attempts || row.crashes != step.crashes) {
    return Text(key) + ": attempts " + std::to_string(row.attempts) + ", crashes " +
           std::to_string(row.crashes) + ", not " + std::to_string(step.attempts) + ", " +
           std::to_string(step.crashes);
  }
  if (row.claim != step.claim) return Text(key) + ": its claim";
  if (row.revoked != step.revoked) return Text(key) + ": whether it is revoked";
  if (row.due.has_value() != step.due.has_value()) return Text(key) + ": whether it is due";
  if (row.due) {
    if (*row.due < step.due->first || *row.due > step.due->second) {
      return Text(key) + ": when it is due: " + std::to_string(Micros(*row.due)) + ", not within " +
             std::to_string(Micros(step.due->first)) + " to " +
             std::to_string(Micros(step.due->second));
    }
    step.due = {*row.due, *row.due};
  }
  return {};
}

}  // namespace tasker::testing
