#include "store/turn.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/check.h"
#include "log/log.h"

namespace tasker::store {
namespace {

using workflow::StepState;
using workflow::TaskRows;

Ticket TicketOf(const Event& event) {
  return std::visit(
      [](const auto& e) {
        if constexpr (requires { e.ticket; }) {
          return e.ticket;
        } else {
          return Ticket{};
        }
      },
      event);
}

Error NotApplied(const Error& error) {
  if (error.code == ErrorCode::kUnknown) return error;
  return {ErrorCode::kNotApplied, error.message};
}

}  // namespace

TurnRunner::TurnRunner(Tx& tx, WorkflowSource workflows, const Settings& settings)
    : tx_(tx),
      workflows_(std::move(workflows)),
      policy_{.crash_max = settings.crash_max},
      cache_(settings.cache_steps_max) {}

void TurnRunner::BecomeWorker(std::int64_t worker, std::vector<std::string> namespaces) {
  worker_ = worker;
  namespaces_ = std::move(namespaces);
  Forget();
}

void TurnRunner::Forget() {
  fresh_look_ = true;
  due_known_ = false;
  last_task_id_ = -1;
  empty_.clear();
  cache_.Clear();
}

void TurnRunner::Reset() {
  work_.clear();
  entries_.clear();
  identities_.clear();
  effects_ = {};
  stored_.clear();
  Forget();
}

void TurnRunner::Answer(TurnOutput& out, Ticket ticket, Ack::Code code, std::string detail) {
  if (ticket != Ticket{}) out.acks.push_back({ticket, code, std::move(detail)});
}

bool TurnRunner::NothingToDo(const TurnInput& in) const {
  if (!in.events.empty() || fresh_look_ || !due_known_) return false;
  if (next_due_ && *next_due_ <= in.now) return false;
  if (in.free_total <= 0) return true;
  return std::ranges::none_of(in.demand, [this](const Demand& demand) {
    return demand.free > 0 && std::ranges::any_of(demand.handlers, [this](std::int64_t handler) {
             return !empty_.contains(handler) && !paused_.contains(handler);
           });
  });
}

Result<TurnOutput> TurnRunner::Run(const TurnInput& in) {
  CHECK(in.worker == worker_ || in.worker == 0);
  rang_ = false;
  if (NothingToDo(in)) {
    TurnOutput out;
    out.next_due = next_due_;
    return out;
  }
  auto out = RunOnce(in, in.events, true);
  // One item that cannot be stored must not stop the others.
  if (!out && out.error().code == ErrorCode::kInvalid && !in.events.empty())
    out = RunHalves(in, in.events);
  if (!out) return NotApplied(out.error());
  out->others_committed = std::exchange(others_committed_, false);
  return out;
}

Result<TurnOutput> TurnRunner::RunHalves(const TurnInput& in, std::span<const Event> events) {
  TurnOutput all;
  const std::size_t half = (events.size() + 1) / 2;
  for (const std::span<const Event> part : {events.first(half), events.subspan(half)}) {
    if (part.empty()) continue;
    auto out = RunOnce(in, part, false);
    if (!out && out.error().code == ErrorCode::kInvalid) {
      out = part.size() > 1 ? RunHalves(in, part) : RunCulprit(in, part.front(), out.error());
    }
    if (!out) {
      // What was committed already cannot be taken back: whoever sends it again is told so.
      Error error = out.error();
      if (all.committed) error.code = ErrorCode::kUnknown;
      return error;
    }
    std::ranges::move(out->acks, std::back_inserter(all.acks));
    std::ranges::move(out->revoked, std::back_inserter(all.revoked));
    std::ranges::move(out->settled, std::back_inserter(all.settled));
    all.committed = all.committed || out->committed;
  }
  all.next_due = in.now;  // claims are for the next turn, at once
  return all;
}

Result<TurnOutput> TurnRunner::RunCulprit(const TurnInput& in, const Event& culprit,
                                          const Error& error) {
  if (const End* end = std::get_if<End>(&culprit)) {
    Event replaced = *end;
    workflow::Failed failed;
    failed.retryable = false;
    failed.type = "ResultNotStored";
    failed.message = "the end of this attempt could not be stored: " + error.message;
    std::get<End>(replaced).outcome = std::move(failed);
    auto out = RunOnce(in, std::span(&replaced, 1), false);
    if (out || out.error().code != ErrorCode::kInvalid) return out;
    log::Error("store", "an end was dropped: it can be stored neither as it is nor as a failure",
               {{"task_id", end->step.task}, {"step", end->step.n}, {"error", error.message}});
  }
  TurnOutput out;
  Answer(out, TicketOf(culprit), Ack::Code::kInvalid, error.message);
  return out;
}

Result<TurnOutput> TurnRunner::RunOnce(const TurnInput& in, std::span<const Event> events,
                                       bool claim) {
  TurnOutput out;
  wrote_ = ring_ = dues_changed_ = false;
  const std::optional<ClaimId> suspect = suspect_;
  TRY_OK(tx_.Begin());
  Status done = InTransaction(in, events, claim, out);
  if (!done || !wrote_) {
    tx_.Rollback();
  } else {
    done = tx_.Commit();
  }
  if (!done) {
    suspect_ = suspect;
    Reset();
    return done.error();
  }
  AfterCommit(out);
  return out;
}

Status TurnRunner::InTransaction(const TurnInput& in, std::span<const Event> events, bool claim,
                                 TurnOutput& out) {
  TRY(const bool others, tx_.OthersCommitted());
  if (others) Forget();
  others_committed_ = others_committed_ || others;
  if (fresh_look_) {
    TRY(const auto paused, tx_.PausedHandlers());
    paused_ = {paused.begin(), paused.end()};
    fresh_look_ = false;
  }
  TRY_OK(Collect(in, events, out));
  TRY_OK(LoadTasks(entries_));
  TRY_OK(LoadSteps(entries_));
  TRY_OK(DecideAll(in, out));
  const bool may_claim = claim && worker_ != 0 && in.worker == worker_;
  if (may_claim) TRY_OK(ClaimAll(in, out));
  TRY_OK(Save(in, out));
  out.more_ready = may_claim && MayHaveMore(in);
  if (!due_known_ || dues_changed_) {
    TRY(next_due_, tx_.NextDue());
    due_known_ = true;
  }
  out.next_due = next_due_;
  return Ok();
}

TaskEntry& TurnRunner::Enter(std::int64_t task) {
  TaskEntry& entry = cache_.Get(task);
  if (!entry.in_turn) {
    entry.in_turn = true;
    entries_.push_back(&entry);
  }
  return entry;
}

// The task rows that are not in memory, and each task's workflow.
Status TurnRunner::LoadTasks(std::span<TaskEntry* const> entries) {
  std::vector<Wanted> wanted;
  std::vector<TaskEntry*> missing;
  for (TaskEntry* entry : entries) {
    if (entry->loaded) continue;
    wanted.push_back({.rows = &entry->rows, .task = true, .steps = {}});
    missing.push_back(entry);
  }
  if (wanted.empty()) return Ok();
  TRY_OK(tx_.Load(wanted));
  std::vector<Wanted> whole;
  for (std::size_t i = 0; i < missing.size(); ++i) {
    if (!wanted[i].found) continue;
    TaskEntry& entry = *missing[i];
    auto workflow = workflows_(entry.rows.task.template_id);
    if (!workflow && workflow.error().code == ErrorCode::kUnavailable) return workflow.error();
    if (!workflow) {
      // A task that cannot be understood must not stop the others.
      log::Error("store", "a task is left alone: " + workflow.error().message,
                 {{"task_id", entry.rows.task.id}});
      continue;
    }
    entry.workflow = *std::move(workflow);
    entry.loaded = true;
    if (!entry.small()) continue;
    entry.rows.slots().reserve(static_cast<std::size_t>(entry.workflow->graph.size()));
    whole.push_back({.rows = &entry.rows, .all_steps = true, .steps = {}});
  }
  if (whole.empty()) return Ok();
  TRY_OK(tx_.Load(whole));
  for (const Wanted& want : whole) {
    if (want.rows->task.open == Tx::kNotCounted) want.rows->Recount();
  }
  return Ok();
}

// The steps that the entries' events need and that are not in memory.
Status TurnRunner::LoadSteps(std::span<TaskEntry* const> entries) {
  for (const Work& work : work_) {
    if (!work.entry->loaded) continue;
    workflow::Touches(*work.entry->workflow, work.event, work.entry->steps);
  }
  std::vector<Wanted> wanted;
  for (TaskEntry* entry : entries) {
    if (!entry->loaded || entry->submit != nullptr) continue;
    std::ranges::sort(entry->steps);
    entry->steps.erase(std::unique(entry->steps.begin(), entry->steps.end()), entry->steps.end());
    const bool all = std::ranges::all_of(
        entry->steps, [entry](std::int32_t n) { return entry->rows.Find(n) != nullptr; });
    if (!all) wanted.push_back({.rows = &entry->rows, .task = false, .steps = entry->steps});
  }
  if (wanted.empty()) return Ok();
  return tx_.Load(wanted);
}

Status TurnRunner::DecideAll(const TurnInput& in, TurnOutput& out) {
  for (const Work& work : work_) TRY_OK(DecideOne(work, in, out));
  return Ok();
}

Status TurnRunner::DecideOne(const Work& work, const TurnInput& in, TurnOutput& out) {
  const auto* end = std::get_if<workflow::StepEnd>(&work.event);
  const auto* lost = std::get_if<workflow::StepLost>(&work.event);
  // After a timeout its handler still runs.
  if (end != nullptr && suspect_ == end->claim &&
      !std::holds_alternative<workflow::TimedOut>(*end->outcome)) {
    suspect_.reset();
  }
  if (!work.entry->loaded) {
    Answer(out, work.ticket, Ack::Code::kStale, "the task is not there any more");
    return Ok();
  }
  const workflow::Answer answer = workflow::Decide(*work.entry->workflow, work.entry->rows,
                                                   work.event, in.now, in.seed, policy_, effects_);
  switch (answer.verdict) {
    case workflow::Verdict::kApplied:
      if ((end != nullptr || lost != nullptr) && work.entry->claims > 0) --work.entry->claims;
      Answer(out, work.ticket, Ack::Code::kApplied);
      if (work.act != nullptr) {
        const Act& act = *work.act;
        TRY_OK(tx_.AddAction({.id = act.id,
                              .task = work.entry->rows.task.id,
                              .n = act.n,
                              .handler = std::nullopt,
                              .kind = static_cast<std::int32_t>(act.kind),
                              .actor = act.actor,
                              .reason = act.reason,
                              .detail = {}},
                             in.now));
        wrote_ = ring_ = true;
      }
      break;
    case workflow::Verdict::kStale: {
      if (work.ticket == Ticket{}) break;
      Answer(out, work.ticket, Ack::Code::kStale, answer.detail);
      break;
    }
    case workflow::Verdict::kConflict:
      Answer(out, work.ticket, Ack::Code::kConflict, answer.detail);
      break;
  }
  return Ok();
}

Status TurnRunner::Save(const TurnInput& in, TurnOutput& out) {
  std::vector<Dirty> dirty;
  for (TaskEntry* entry : entries_) {
    if (!entry->loaded) continue;
    TaskRows& rows = entry->rows;
    std::ranges::sort(entry->steps);
    entry->steps.erase(std::unique(entry->steps.begin(), entry->steps.end()), entry->steps.end());
    bool changed = rows.fresh || rows.task != rows.stored_task;
    const auto look = [&](const TaskRows::Slot& slot) {
      if (!slot.touched) return;
      changed = changed || slot.row != slot.stored;
      dues_changed_ = dues_changed_ || slot.row.due != slot.stored.due;
      if (slot.row.state == StepState::kEnqueued &&
          (slot.fresh || slot.stored.state != StepState::kEnqueued)) {
        empty_.erase(slot.row.handler);
        ring_ = true;
      }
    };
    if (rows.fresh) {
      std::ranges::for_each(rows.slots(), look);
    } else {
      for (const std::int32_t n : entry->steps) {
        if (const TaskRows::Slot* slot = rows.Find(n)) look(*slot);
      }
    }
    dues_changed_ = dues_changed_ || rows.task.start != rows.stored_task.start ||
                    rows.task.deadline != rows.stored_task.deadline ||
                    (rows.task.deadline && rows.task.ended);
    const bool was_settled = !rows.fresh && workflow::IsSettled(rows.stored_task.state);
    if (workflow::IsSettled(rows.task.state) && !was_settled) {
      out.settled.push_back({rows.task.uuid, rows.task.state});
      ring_ = true;
    }
    if (changed) {
      dirty.push_back({.rows = &rows,
                       .steps = entry->steps,
                       .submit = entry->submit,
                       .lazy_counters = entry->small()});
    }
  }
  const bool effects = !effects_.attempts.empty() || !effects_.late.empty() ||
                       !effects_.payloads.empty() || !effects_.dead_letters.empty();
  if (!dirty.empty() || effects) {
    wrote_ = true;
    TRY_OK(tx_.Save(dirty, effects_, in.now));
  }
  for (const Dirty& item : dirty) {
    for (const std::int32_t n : item.steps) {
      const TaskRows::Slot* slot = item.rows->Find(n);
      if (slot == nullptr || slot->fresh || slot->row.state == StepState::kError) continue;
      // Also one that this very turn wrote, before a person's act that came with it.
      const StepKey step{item.rows->task.id, n};
      const bool has_letter =
          slot->stored.state == StepState::kError ||
          std::ranges::find(effects_.dead_letters, step, &workflow::DeadLetter::step) !=
              effects_.dead_letters.end();
      if (!has_letter) continue;
      TRY_OK(tx_.ResolveDeadLetters({item.rows->task.id, n}, "manually_resolved"));
    }
  }
  if (!effects_.revoked.empty()) ring_ = true;
  return Ok();
}

void TurnRunner::AfterCommit(TurnOutput& out) {
  out.revoked = std::move(effects_.revoked);
  out.committed = wrote_;
  rang_ = rang_ || (wrote_ && ring_);
  KeepTexts(out);
  for (TaskEntry* entry : entries_) {
    TaskRows& rows = entry->rows;
    if (rows.fresh) {
      rows.MarkSaved();
    } else {
      rows.stored_task = rows.task;
      for (const std::int32_t n : entry->steps) {
        TaskRows::Slot* slot = rows.Find(n);
        if (slot == nullptr) continue;
        slot->stored = slot->row;
        slot->touched = false;
      }
    }
    cache_.Release(*entry);
  }
  work_.clear();
  entries_.clear();
  identities_.clear();
  effects_ = {};
  stored_.clear();
}

}  // namespace tasker::store
