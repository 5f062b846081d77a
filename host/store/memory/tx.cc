#include "store/memory/tx.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"

namespace tasker::store::memory {
namespace {

using workflow::StepRow;
using workflow::StepState;
using workflow::TaskRow;
using workflow::TaskRows;
using workflow::TaskState;

Error NotAsLoaded(const std::string& what) {
  return Internal("save " + what + ": the row is not as it was loaded");
}

Error TwiceThere(const std::string& what) { return Invalid("insert " + what + ": it is there"); }

std::string TextOf(StepKey step) {
  return "step " + std::to_string(step.n) + " of task " + std::to_string(step.task);
}

bool IsDueTask(const TaskRow& task) { return task.start && task.state == TaskState::kPending; }
bool HasDeadline(const TaskRow& task) { return task.deadline && !task.ended; }

bool EndedByTheStore(workflow::AttemptOutcome outcome) {
  return outcome == workflow::AttemptOutcome::kTimeout ||
         outcome == workflow::AttemptOutcome::kCancelled;
}

}  // namespace

Status MemoryTx::Begin() {
  if (database_.in_transaction) {
    return Unavailable("begin a turn: another transaction of this process is open");
  }
  database_.in_transaction = true;
  return Ok();
}

Result<bool> MemoryTx::OthersCommitted() {
  return std::exchange(seen_, database_.commits) != database_.commits;
}

void MemoryTx::Rollback() {
  CHECK(database_.in_transaction);
  database_.ForEachTable([](auto& table) { table.Undo(); });
  database_.in_transaction = false;
}

Status MemoryTx::Commit() {
  CHECK(database_.in_transaction);
  database_.ForEachTable([](auto& table) { table.Keep(); });
  database_.in_transaction = false;
  // One's own commit is no news.
  if (seen_ == database_.commits++) seen_ = database_.commits;
  return Ok();
}

Result<std::optional<std::int64_t>> MemoryTx::FindTask(const Uuid& task) {
  for (const auto& [id, stored] : database_.tasks.rows()) {
    if (stored.row.uuid == task) return std::optional(id);
  }
  return std::optional<std::int64_t>();
}

Result<std::optional<Tx::Identified>> MemoryTx::FindIdentity(std::string_view identity) {
  for (const auto& [id, stored] : database_.tasks.rows()) {
    if (stored.identity == identity) return std::optional(Identified{id, stored.row.uuid});
  }
  return std::optional<Identified>();
}

Result<std::int64_t> MemoryTx::LastTaskId() {
  const auto& tasks = database_.tasks.rows();
  return tasks.empty() ? std::int64_t{0} : tasks.rbegin()->first;
}

Result<std::optional<TaskInput>> MemoryTx::SmallInput(std::int64_t task,
                                                      std::int64_t characters_max) {
  const StoredTask* stored = database_.tasks.Find(task);
  if (stored == nullptr) return std::optional<TaskInput>();
  TaskInput input{stored->context, stored->envelope};
  const bool small = static_cast<std::int64_t>(input.bytes()) <= characters_max;
  return small ? std::optional(std::move(input)) : std::nullopt;
}

Status MemoryTx::Load(std::span<Wanted> wanted) {
  for (Wanted& want : wanted) {
    if (want.task) {
      const StoredTask* stored = database_.tasks.Find(want.rows->task.id);
      want.found = stored != nullptr;
      if (stored != nullptr) want.rows->task = want.rows->stored_task = stored->row;
    }
    LoadSteps(want);
  }
  return Ok();
}

void MemoryTx::LoadSteps(const Wanted& wanted) {
  const std::int64_t task = wanted.rows->task.id;
  if (wanted.all_steps) {
    for (const auto& [key, row] : database_.steps.rows()) {
      if (key.task == task) wanted.rows->Put(row);
    }
  }
  for (const std::int32_t n : wanted.steps) {
    const StepRow* row = database_.steps.Find({task, n});
    if (row != nullptr && wanted.rows->Find(n) == nullptr) wanted.rows->Put(*row);
  }
}

Status MemoryTx::Save(std::span<const Dirty> dirty, const workflow::Effects& effects, Time now) {
  for (const Dirty& item : dirty) {
    TaskRows& rows = *item.rows;
    if (rows.fresh) {
      TRY_OK(InsertTask(item));
    } else {
      TRY_OK(UpdateTask(item));
    }
  }
  return SaveEffects(effects, now);
}

Status MemoryTx::InsertTask(const Dirty& dirty) {
  CHECK(dirty.submit != nullptr);
  const TaskRow& task = dirty.rows->task;
  const Submit& submit = *dirty.submit;
  TRY(const auto same_uuid, FindTask(task.uuid));
  if (same_uuid || database_.tasks.Find(task.id) != nullptr) {
    return TwiceThere("task " + task.uuid.ToString());
  }
  if (submit.identity) {
    TRY(const auto same_identity, FindIdentity(*submit.identity));
    if (same_identity) return TwiceThere("a task of identity " + *submit.identity);
  }
  database_.tasks.Put(task.id, {task, submit.identity, submit.context, submit.envelope});
  for (const TaskRows::Slot& slot : dirty.rows->slots()) {
    database_.steps.Put({task.id, slot.row.n}, slot.row);
  }
  return Ok();
}

Status MemoryTx::UpdateTask(const Dirty& dirty) {
  const TaskRow& task = dirty.rows->task;
  const StoredTask* stored = database_.tasks.Find(task.id);
  if (stored == nullptr || stored->row.state != dirty.rows->stored_task.state) {
    return NotAsLoaded("task " + std::to_string(task.id));
  }
  StoredTask changed = *stored;
  changed.row = task;
  database_.tasks.Put(task.id, std::move(changed));
  for (const std::int32_t n : dirty.steps) {
    const TaskRows::Slot* slot = dirty.rows->Find(n);
    if (slot == nullptr || !slot->touched || slot->row == slot->stored) continue;
    const StepKey key{task.id, n};
    const StepRow* before = database_.steps.Find(key);
    if (before == nullptr || before->state != slot->stored.state ||
        before->claim != slot->stored.claim) {
      return NotAsLoaded(TextOf(key));
    }
    database_.steps.Put(key, slot->row);
  }
  return Ok();
}

Status MemoryTx::SaveEffects(const workflow::Effects& effects, Time now) {
  for (const workflow::AttemptWrite& attempt : effects.attempts) {
    const auto key = std::pair(attempt.step, attempt.claim);
    if (database_.attempts.Find(key) != nullptr) {
      return TwiceThere("an attempt of " + TextOf(attempt.step));
    }
    database_.attempts.Put(key, {attempt, {}});
  }
  for (const workflow::PayloadWrite& payload : effects.payloads) {
    const auto key = std::pair(payload.step, payload.kind);
    // A step has one result and one inputs row in its life; checkpoints follow each other.
    if (payload.kind != workflow::PayloadKind::kCheckpoint &&
        database_.payloads.Find(key) != nullptr) {
      return TwiceThere("a payload of " + TextOf(payload.step));
    }
    database_.payloads.Put(key, std::string(payload.body));
  }
  for (const workflow::LateWrite& late : effects.late) {
    const auto key = std::pair(late.step, late.claim);
    const StoredAttempt* stored = database_.attempts.Find(key);
    if (stored == nullptr || !EndedByTheStore(stored->attempt.outcome)) continue;
    StoredAttempt changed = *stored;
    changed.late = late.late;
    database_.attempts.Put(key, std::move(changed));
  }
  for (const workflow::DeadLetter& letter : effects.dead_letters) {
    const auto& letters = database_.dead_letters.rows();
    const std::int64_t id = letters.empty() ? 1 : letters.rbegin()->first + 1;
    database_.dead_letters.Put(
        id, {letter.step, std::string(letter.reason), letter.snapshot, "pending", now});
  }
  return Ok();
}

Result<bool> MemoryTx::ActionExists(const Uuid& action) {
  return database_.actions.Find(action) != nullptr;
}

Status MemoryTx::AddAction(const ActionRow& action, Time now) {
  if (database_.actions.Find(action.id) != nullptr) {
    return TwiceThere("action " + action.id.ToString());
  }
  database_.actions.Put(
      action.id, {action.task, action.n, action.handler, action.kind, std::string(action.actor),
                  std::string(action.reason), std::string(action.detail), now});
  return Ok();
}

Status MemoryTx::ResolveDeadLetters(StepKey step, std::string_view resolution) {
  const auto letters = database_.dead_letters.rows();
  for (auto [id, letter] : letters) {
    if (letter.step != step || letter.resolution != "pending") continue;
    letter.resolution = resolution;
    database_.dead_letters.Put(id, std::move(letter));
  }
  return Ok();
}

Result<Tx::DueRows> MemoryTx::Due(Time now, std::int64_t limit) {
  std::vector<std::pair<Time, StepKey>> steps;
  for (const auto& [key, row] : database_.steps.rows()) {
    if (row.due && *row.due <= now) steps.emplace_back(*row.due, key);
  }
  std::vector<std::pair<Time, std::int64_t>> tasks;
  for (const auto& [id, stored] : database_.tasks.rows()) {
    if (IsDueTask(stored.row) && *stored.row.start <= now)
      tasks.emplace_back(*stored.row.start, id);
  }
  std::vector<std::pair<Time, std::int64_t>> overdue;
  for (const auto& [id, stored] : database_.tasks.rows()) {
    if (HasDeadline(stored.row) && *stored.row.deadline <= now)
      overdue.emplace_back(*stored.row.deadline, id);
  }
  std::ranges::sort(steps);
  std::ranges::sort(tasks);
  std::ranges::sort(overdue);
  DueRows due;
  for (const auto& [at, key] : steps) {
    if (std::ssize(due.steps) < limit) due.steps.push_back(key);
  }
  for (const auto& [at, id] : tasks) {
    if (std::ssize(due.tasks) < limit) due.tasks.push_back(id);
  }
  for (const auto& [at, id] : overdue) {
    if (std::ssize(due.overdue) < limit) due.overdue.push_back(id);
  }
  return due;
}

Result<std::optional<Time>> MemoryTx::NextDue() {
  std::optional<Time> next;
  const auto consider = [&next](const std::optional<Time>& at) {
    if (at && (!next || *at < *next)) next = at;
  };
  for (const auto& [key, row] : database_.steps.rows()) consider(row.due);
  for (const auto& [id, stored] : database_.tasks.rows()) {
    if (IsDueTask(stored.row)) consider(stored.row.start);
    if (HasDeadline(stored.row)) consider(stored.row.deadline);
  }
  return next;
}

Result<std::vector<ReadyStep>> MemoryTx::Ready(const ReadyQuery& query) {
  std::vector<ReadyStep> out;
  for (const auto& [key, row] : database_.steps.rows()) {
    if (row.state != StepState::kEnqueued || row.handler != query.handler) continue;
    if (query.only_without_crashes && row.crashes > 0) continue;
    if (!query.namespaces.empty()) {
      const StoredTask* task = database_.tasks.Find(key.task);
      const std::string* ns =
          task == nullptr ? nullptr : database_.templates.Find(task->row.template_id);
      if (ns == nullptr || std::ranges::find(query.namespaces, *ns) == query.namespaces.end()) {
        continue;
      }
    }
    out.push_back({key, row.priority});
  }
  // The rows came in the order of their keys: by age.
  std::ranges::stable_sort(out, std::greater<>(), &ReadyStep::priority);
  if (std::ssize(out) > query.limit) out.resize(static_cast<std::size_t>(query.limit));
  return out;
}

Result<std::vector<HeldClaim>> MemoryTx::Claims(std::int64_t worker) {
  std::vector<HeldClaim> out;
  for (const auto& [key, row] : database_.steps.rows()) {
    if (row.state != StepState::kInProgress && !row.revoked) continue;
    if (workflow::WorkerOf(row.claim) == worker) out.push_back({key, row.claim});
  }
  return out;
}

Result<std::vector<workflow::Revocation>> MemoryTx::Revoked(std::int64_t worker) {
  std::vector<workflow::Revocation> out;
  for (const auto& [key, row] : database_.steps.rows()) {
    if (!row.revoked || workflow::WorkerOf(row.claim) != worker) continue;
    out.push_back({row.claim, workflow::WhyRevoked(row.state)});
  }
  return out;
}

Result<std::vector<std::int64_t>> MemoryTx::PausedHandlers() {
  std::vector<std::int64_t> out;
  for (const auto& [id, paused] : database_.handlers.rows()) {
    if (paused) out.push_back(id);
  }
  return out;
}

Status MemoryTx::SetPaused(std::int64_t handler, bool paused) {
  if (database_.handlers.Find(handler) == nullptr) {
    return NotAsLoaded("handler " + std::to_string(handler));
  }
  database_.handlers.Put(handler, paused);
  return Ok();
}

Status MemoryTx::SetWorkerHandlers(std::int64_t worker, std::span<const std::int64_t> handlers) {
  const StoredWorker* stored = database_.workers.Find(worker);
  StoredWorker changed = stored == nullptr ? StoredWorker{} : *stored;
  changed.handlers.assign(handlers.begin(), handlers.end());
  database_.workers.Put(worker, std::move(changed));
  return Ok();
}

Status MemoryTx::EndWorker(std::int64_t worker, std::string_view reason, Time now) {
  const StoredWorker* stored = database_.workers.Find(worker);
  if (stored == nullptr) return Ok();
  StoredWorker changed = *stored;
  changed.handlers.clear();
  if (!changed.ended) {
    changed.ended = now;
    changed.end_reason = reason;
  }
  database_.workers.Put(worker, std::move(changed));
  return Ok();
}

}  // namespace tasker::store::memory
