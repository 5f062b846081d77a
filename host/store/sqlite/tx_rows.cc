// The half of SqliteTx that moves rows: load and save.
#include <string>

#include "base/check.h"
#include "store/sqlite/tx.h"

namespace tasker::store::sqlite {
namespace {

using workflow::StepRow;
using workflow::StepState;
using workflow::TaskRow;
using workflow::TaskRows;
using workflow::TaskState;

std::int32_t Number(StepState state) { return static_cast<std::int32_t>(state); }
std::int32_t Number(TaskState state) { return static_cast<std::int32_t>(state); }

std::optional<std::int64_t> OrNull(ClaimId claim) {
  return claim == ClaimId{} ? std::nullopt : std::optional(workflow::Number(claim));
}

// Nothing but what end_step writes has changed.
bool IsPlainEnd(const StepRow& step, const StepRow& stored) {
  StepRow expected = stored;
  expected.state = step.state;
  expected.attempts = step.attempts;
  expected.ended = step.ended;
  return stored.state == StepState::kInProgress && expected == step;
}

// Nothing but what claim_step writes has changed.
bool IsPlainClaim(const StepRow& step, const StepRow& stored) {
  StepRow expected = stored;
  expected.state = StepState::kInProgress;
  expected.waiting_for = step.waiting_for;
  expected.claim = step.claim;
  expected.ready = step.ready;
  expected.claimed = step.claimed;
  return stored.claim == ClaimId{} && expected == step;
}

// What is written of a task's counters.
struct Counters {
  std::int32_t open, active, retrying, failed;
};

Counters CountersOf(const Dirty& dirty) {
  const TaskRow& task = dirty.rows->task;
  const bool runs =
      task.state == TaskState::kStepsInProcess || task.state == TaskState::kWaitingForRetry;
  if (dirty.lazy_counters && runs) {
    return {Tx::kNotCounted, Tx::kNotCounted, Tx::kNotCounted, Tx::kNotCounted};
  }
  return {task.open, task.active, task.retrying, task.failed};
}

StepRow StepAt(const Statement& s) {
  StepRow step;
  step.n = s.Int32(0);
  step.template_step = s.Int32(1);
  step.handler = s.Int(2);
  step.state = static_cast<StepState>(s.Int32(3));
  step.waiting_for = s.Int32(4);
  step.priority = s.Int32(5);
  step.attempts = s.Int32(6);
  step.crashes = s.Int32(7);
  step.claim = ClaimId{s.Int(8)};
  step.revoked = s.Int(9) != 0;
  step.due = s.TimeAt(10);
  step.ready = s.TimeAt(11);
  step.claimed = s.TimeAt(12);
  step.ended = s.TimeAt(13);
  return step;
}

}  // namespace

Status SqliteTx::Load(std::span<Wanted> wanted) {
  for (Wanted& want : wanted) {
    if (want.task) TRY_OK(LoadTask(want));
    if (want.all_steps) TRY_OK(LoadAllSteps(*want.rows));
    for (const std::int32_t n : want.steps) TRY_OK(LoadStep(*want.rows, n));
  }
  return Ok();
}

Status SqliteTx::LoadTask(Wanted& wanted) {
  TaskRow& task = wanted.rows->task;
  TRY(const bool row, load_task_.Bind(task.id).Step());
  wanted.found = row;
  if (!row) return Ok();
  const Statement& s = load_task_;
  task.uuid = s.UuidAt(0);
  task.template_id = s.Int(1);
  task.state = static_cast<TaskState>(s.Int32(2));
  task.priority = s.Int32(3);
  task.open = s.Int32(4);
  task.active = s.Int32(5);
  task.retrying = s.Int32(6);
  task.failed = s.Int32(7);
  task.start = s.TimeAt(8);
  task.ended = s.TimeAt(9);
  task.created = FromMicros(s.Int(10));
  task.deadline = s.TimeAt(11);
  wanted.rows->stored_task = task;
  load_task_.Reset();
  return Ok();
}

Status SqliteTx::LoadStep(TaskRows& rows, std::int32_t n) {
  if (rows.Find(n) != nullptr) return Ok();
  TRY(const bool row, load_step_.Bind(rows.task.id, n).Step());
  if (!row) return Ok();
  rows.Put(StepAt(load_step_));
  load_step_.Reset();
  return Ok();
}

Status SqliteTx::LoadAllSteps(TaskRows& rows) {
  load_all_steps_.Bind(rows.task.id);
  while (true) {
    TRY(const bool row, load_all_steps_.Step());
    if (!row) return Ok();
    rows.Put(StepAt(load_all_steps_));
  }
}

Status SqliteTx::Save(std::span<const Dirty> dirty, const workflow::Effects& effects, Time now) {
  for (const Dirty& item : dirty) {
    TaskRows& rows = *item.rows;
    if (rows.fresh) {
      CHECK(item.submit != nullptr);
      TRY_OK(InsertTask(item));
      continue;
    }
    TRY_OK(SaveTask(item));
    for (const std::int32_t n : item.steps) {
      const TaskRows::Slot* slot = rows.Find(n);
      if (slot != nullptr && slot->touched) TRY_OK(SaveStep(rows.task.id, *slot));
    }
  }
  TRY_OK(InsertSteps(dirty));
  return SaveEffects(effects, now);
}

Status SqliteTx::SaveTask(const Dirty& dirty) {
  const TaskRow& task = dirty.rows->task;
  const TaskRow& stored = dirty.rows->stored_task;
  if (task == stored) return Ok();
  const Counters counters = CountersOf(dirty);
  const bool same =
      task.state == stored.state && task.start == stored.start && task.ended == stored.ended;
  if (same && counters.open == kNotCounted)
    return Ok();  // it says so already: no state has changed since
  Statement& update =
      same ? update_task_counters_.Bind(task.id, counters.open, counters.active, counters.retrying,
                                        counters.failed, Number(task.state))
           : update_task_.Bind(task.id, Number(task.state), counters.open, counters.active,
                               counters.retrying, counters.failed, task.start, task.ended,
                               Number(stored.state));
  auto saved = RunOnOneRow(update);
  if (saved) return saved;
  return Prefixed("save task " + std::to_string(task.id), saved.error());
}

Status SqliteTx::InsertTask(const Dirty& dirty) {
  const TaskRow& task = dirty.rows->task;
  const Submit& submit = *dirty.submit;
  const Counters counters = CountersOf(dirty);
  TRY_OK(insert_task_
             .Bind(task.id, task.uuid, task.template_id, Number(task.state), task.priority,
                   counters.open, counters.active, counters.retrying, counters.failed,
                   submit.identity, task.start, task.created, task.deadline)
             .Run());
  TRY_OK(insert_task_input_.Bind(task.id, submit.envelope, submit.context).Run());
  return Ok();
}

Status SqliteTx::InsertSteps(std::span<const Dirty> dirty) {
  std::vector<NewStep> steps;
  for (const Dirty& item : dirty) {
    if (!item.rows->fresh) continue;
    for (const TaskRows::Slot& slot : item.rows->slots())
      steps.push_back({.task = item.rows->task.id, .row = &slot.row});
  }
  if (steps.empty()) return Ok();
  rows_.steps = steps;
  TRY_OK(insert_steps_.Run());
  return Ok();
}

Status SqliteTx::SaveStep(std::int64_t task, const TaskRows::Slot& slot) {
  if (slot.row == slot.stored) return Ok();
  auto saved = RunOnOneRow(BindStep(task, slot.row, slot.stored));
  if (saved) return saved;
  return Prefixed("save step " + std::to_string(slot.row.n) + " of task " + std::to_string(task),
                  saved.error());
}

// The cheapest statement that writes all that has changed.
Statement& SqliteTx::BindStep(std::int64_t task, const StepRow& step, const StepRow& stored) {
  if (step.state == StepState::kPending && stored.state == StepState::kPending) {
    // A join that still waits: no index and no predicate has this column.
    return update_step_waiting_.Bind(task, step.n, step.waiting_for, stored.waiting_for);
  }
  if (IsPlainEnd(step, stored)) {
    return end_step_.Bind(task, step.n, Number(step.state), step.attempts, step.ended,
                          OrNull(stored.claim));
  }
  if (IsPlainClaim(step, stored)) {
    return claim_step_.Bind(task, step.n, step.waiting_for, OrNull(step.claim), step.ready,
                            step.claimed, Number(stored.state));
  }
  return update_step_.Bind(task, step.n, Number(step.state), step.waiting_for, step.attempts,
                           step.crashes, OrNull(step.claim), step.revoked, step.due, step.ready,
                           step.claimed, step.ended, Number(stored.state), OrNull(stored.claim));
}

Status SqliteTx::SaveEffects(const workflow::Effects& effects, Time now) {
  if (!effects.attempts.empty()) {
    rows_.attempts = effects.attempts;
    TRY_OK(insert_attempts_.Run());
  }
  TRY_OK(InsertPayloads(effects.payloads));
  for (const workflow::LateWrite& late : effects.late) {
    TRY_OK(attempt_late_.Bind(late.step.task, late.step.n, workflow::Number(late.claim), late.late)
               .Run());
  }
  for (const workflow::DeadLetter& letter : effects.dead_letters) {
    TRY_OK(insert_dead_letter_
               .Bind(letter.step.task, letter.step.n, letter.reason, now, letter.snapshot)
               .Run());
  }
  return Ok();
}

// A step has one result and one inputs row in its life; checkpoints follow each other.
Status SqliteTx::InsertPayloads(std::span<const workflow::PayloadWrite> payloads) {
  std::vector<const workflow::PayloadWrite*> once;
  for (const workflow::PayloadWrite& p : payloads) {
    if (p.kind != workflow::PayloadKind::kCheckpoint) {
      once.push_back(&p);
      continue;
    }
    TRY_OK(
        put_payload_.Bind(p.step.task, p.step.n, static_cast<std::int32_t>(p.kind), p.body).Run());
  }
  if (once.empty()) return Ok();
  rows_.payloads = once;
  TRY_OK(insert_payloads_.Run());
  return Ok();
}

}  // namespace tasker::store::sqlite
