// The first stage of a turn: events become work on tasks.
#include <algorithm>
#include <utility>
#include <variant>

#include "store/turn.h"

namespace tasker::store {
namespace {

constexpr std::int64_t kDueMax = 4096;  // timers of one turn; the rest follows in the next, at once

template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <typename... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace

Status TurnRunner::Collect(const TurnInput& in, std::span<const Event> events, TurnOutput& out) {
  const auto collect = Overloaded{
      [&](const Submit& e) { return CollectSubmit(e, in.now, out); },
      [&](const End& e) { return CollectEnd(e); },
      [&](const Checkpoint& e) -> Status {
        work_.push_back({.entry = &Enter(e.step.task),
                         .event = workflow::StepCheckpoint{e.step.n, e.claim, e.body},
                         .ticket = e.ticket});
        return Ok();
      },
      [&](const Act& e) { return CollectAct(e, out); },
      [&](const Pause& e) { return ApplyPause(e, in.now, out); },
      [&](const Announce& e) -> Status {
        wrote_ = ring_ = true;
        return tx_.SetWorkerHandlers(in.worker, e.handlers);
      },
      [](const Bury&) -> Status { return Ok(); },
  };
  for (const Event& event : events) TRY_OK(std::visit(collect, event));
  // Timers and burials come after the events: what was there first wins.
  for (const Event& event : events) {
    if (const Bury* bury = std::get_if<Bury>(&event)) TRY_OK(CollectBury(*bury, in.now));
  }
  if (!due_known_ || (next_due_ && *next_due_ <= in.now)) TRY_OK(CollectDue(in.now));
  return Ok();
}

Status TurnRunner::CollectSubmit(const Submit& submit, Time now, TurnOutput& out) {
  TRY(const auto known, tx_.FindTask(submit.task));
  if (known) {
    Answer(out, submit.ticket, Ack::Code::kApplied);
    return Ok();
  }
  if (submit.identity) {
    const auto earlier = identities_.find(*submit.identity);
    TRY(const auto first, tx_.FindIdentity(*submit.identity));
    if (first || earlier != identities_.end()) {
      const Uuid task = first ? first->uuid : earlier->second;
      const bool same = task == submit.task;
      Answer(out, submit.ticket, same ? Ack::Code::kApplied : Ack::Code::kDuplicate,
             same ? "" : task.ToString());
      return Ok();
    }
  }
  auto workflow = workflows_(submit.template_id);
  if (!workflow && workflow.error().code == ErrorCode::kUnavailable) return workflow.error();
  if (!workflow) {
    Answer(out, submit.ticket, Ack::Code::kInvalid, workflow.error().message);
    return Ok();
  }
  if (last_task_id_ < 0) {
    TRY(last_task_id_, tx_.LastTaskId());
  }
  if (submit.identity) identities_.emplace(*submit.identity, submit.task);
  TaskEntry& entry = Enter(++last_task_id_);
  entry.workflow = *std::move(workflow);
  entry.submit = &submit;
  entry.loaded = true;
  entry.rows.task.uuid = submit.task;
  entry.rows.task.priority = submit.priority;
  entry.rows.task.created = now;
  workflow::Create(*entry.workflow, entry.rows, submit.start_at, now, effects_);
  Answer(out, submit.ticket, Ack::Code::kApplied);
  return Ok();
}

Status TurnRunner::CollectEnd(const End& end) {
  work_.push_back({.entry = &Enter(end.step.task),
                   .event = workflow::StepEnd{.n = end.step.n,
                                              .claim = end.claim,
                                              .outcome = &end.outcome,
                                              .claimed = end.claimed,
                                              .started = end.started,
                                              .ended = end.ended}});
  return Ok();
}

Status TurnRunner::CollectAct(const Act& act, TurnOutput& out) {
  TRY(const bool done, tx_.ActionExists(act.id));
  if (done) {
    Answer(out, act.ticket, Ack::Code::kApplied);
    return Ok();
  }
  TRY(const auto task, tx_.FindTask(act.task));
  if (!task) {
    Answer(out, act.ticket, Ack::Code::kConflict, "there is no task " + act.task.ToString());
    return Ok();
  }
  TaskEntry& entry = Enter(*task);
  TaskEntry* const one[] = {&entry};
  TRY_OK(LoadTasks(one));
  if (!entry.loaded) {
    Answer(out, act.ticket, Ack::Code::kConflict,
           "the template of this task cannot be read; see the log");
    return Ok();
  }
  if (act.n && (*act.n < 0 || *act.n >= entry.workflow->graph.size())) {
    Answer(out, act.ticket, Ack::Code::kConflict, "the task has no step " + std::to_string(*act.n));
    return Ok();
  }
  work_.push_back({.entry = &entry,
                   .event = workflow::TaskAct{act.kind, act.n, act.actor, act.reason, act.result},
                   .ticket = act.ticket,
                   .act = &act});
  return Ok();
}

Status TurnRunner::ApplyPause(const Pause& pause, Time now, TurnOutput& out) {
  TRY(const bool done, tx_.ActionExists(pause.id));
  if (!done) {
    TRY_OK(tx_.SetPaused(pause.handler, pause.paused));
    TRY_OK(tx_.AddAction({.id = pause.id,
                          .task = std::nullopt,
                          .n = std::nullopt,
                          .handler = pause.handler,
                          .kind = pause.paused ? ActionRow::kPause : ActionRow::kUnpause,
                          .actor = pause.actor,
                          .reason = pause.reason,
                          .detail = {}},
                         now));
    wrote_ = ring_ = true;
    if (pause.paused) {
      paused_.insert(pause.handler);
    } else {
      paused_.erase(pause.handler);
      empty_.erase(pause.handler);
    }
  }
  Answer(out, pause.ticket, Ack::Code::kApplied);
  return Ok();
}

Status TurnRunner::CollectBury(const Bury& bury, Time now) {
  TRY(const std::vector<HeldClaim> claims, tx_.Claims(bury.worker));
  for (const HeldClaim& held : claims) {
    const bool ran = std::ranges::find(bury.running, held.claim) != bury.running.end();
    work_.push_back({.entry = &Enter(held.step.task),
                     .event = workflow::StepLost{held.step.n, held.claim, ran, bury.reason}});
  }
  wrote_ = ring_ = true;
  return tx_.EndWorker(bury.worker, bury.reason, now);
}

Status TurnRunner::CollectDue(Time now) {
  TRY(const Tx::DueRows due, tx_.Due(now, kDueMax));
  for (const StepKey& step : due.steps) {
    work_.push_back({.entry = &Enter(step.task), .event = workflow::StepDue{step.n}});
  }
  for (const std::int64_t task : due.tasks) {
    work_.push_back({.entry = &Enter(task), .event = workflow::TaskStart{}});
  }
  for (const std::int64_t task : due.overdue) {
    work_.push_back({.entry = &Enter(task), .event = workflow::TaskDeadline{}});
  }
  due_known_ = false;
  return Ok();
}

}  // namespace tasker::store
