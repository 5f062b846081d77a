#include "store/sqlite/tx.h"

#include <string>
#include <utility>

#include "base/check.h"
#include "store/sqlite/log_vfs.h"
#include "store/sqlite/sql.h"

namespace tasker::store::sqlite {
namespace {

std::string JsonString(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) out += c;
  }
  return out += '"';
}

// The one column of all rows.
Result<std::vector<std::int64_t>> Ids(Statement& statement) {
  std::vector<std::int64_t> out;
  while (true) {
    TRY(const bool row, statement.Step());
    if (!row) return out;
    out.push_back(statement.Int(0));
  }
}

}  // namespace

Result<std::unique_ptr<SqliteTx>> SqliteTx::Make(Connection& connection, Turnstile& turnstile) {
  std::unique_ptr<SqliteTx> tx(new SqliteTx(connection, turnstile));
  if (auto prepared = tx->PrepareAll(); !prepared) return prepared.error();
  return tx;
}

Status SqliteTx::PrepareAll() {
  TRY_OK(RegisterTurnRows(connection_.db(), rows_));
  const SqlFile file = ParseSqlFile(kSql_turn);
  const std::pair<Statement*, std::string_view> all[] = {
      {&begin_, "begin"},
      {&commit_, "commit"},
      {&data_version_, "data_version"},
      {&task_by_uuid_, "task_by_uuid"},
      {&task_by_identity_, "task_by_identity"},
      {&last_task_id_, "last_task_id"},
      {&load_task_, "load_task"},
      {&small_input_, "small_input"},
      {&load_step_, "load_step"},
      {&load_all_steps_, "load_all_steps"},
      {&insert_task_, "insert_task"},
      {&insert_task_input_, "insert_task_input"},
      {&update_task_, "update_task"},
      {&update_task_counters_, "update_task_counters"},
      {&insert_steps_, "insert_steps"},
      {&end_step_, "end_step"},
      {&claim_step_, "claim_step"},
      {&update_step_, "update_step"},
      {&update_step_waiting_, "update_step_waiting"},
      {&insert_attempts_, "insert_attempts"},
      {&attempt_late_, "attempt_late"},
      {&insert_payloads_, "insert_payloads"},
      {&put_payload_, "put_payload"},
      {&insert_dead_letter_, "insert_dead_letter"},
      {&resolve_dead_letters_, "resolve_dead_letters"},
      {&action_exists_, "action_exists"},
      {&insert_action_, "insert_action"},
      {&due_steps_, "due_steps"},
      {&due_tasks_, "due_tasks"},
      {&overdue_tasks_, "overdue_tasks"},
      {&next_due_step_, "next_due_step"},
      {&next_due_task_, "next_due_task"},
      {&next_deadline_, "next_deadline"},
      {&ready_, "ready"},
      {&claims_, "claims"},
      {&revoked_claims_, "revoked_claims"},
      {&paused_handlers_, "paused_handlers"},
      {&set_paused_, "set_paused"},
      {&clear_worker_handlers_, "clear_worker_handlers"},
      {&add_worker_handler_, "add_worker_handler"},
      {&end_worker_, "end_worker"},
  };
  for (const auto& [statement, name] : all) {
    TRY(*statement, connection_.Prepare(file, name));
  }
  return Ok();
}

Status SqliteTx::Begin() {
  TRY_OK(turnstile_.Enter());
  auto begun = begin_.Run();
  if (begun) return Ok();
  turnstile_.Leave();
  return Prefixed("begin a turn", begun.error());
}

Result<std::int64_t> SqliteTx::DataVersion() {
  TRY(const bool row, data_version_.Step());
  CHECK(row);
  const std::int64_t version = data_version_.Int(0);
  data_version_.Reset();
  return version;
}

Result<bool> SqliteTx::OthersCommitted() {
  TRY(const std::int64_t version, DataVersion());
  return std::exchange(seen_version_, version) != version;
}

void SqliteTx::Rollback() {
  connection_.Rollback();
  turnstile_.Leave();
}

Status SqliteTx::Commit() {
  const auto committed = [this] {
    const GatheredCommit gathered;
    return commit_.Run();
  }();
  if (committed) {
    turnstile_.Leave();
    return Ok();
  }
  // While the transaction is still open nothing was written to the end of the log. Otherwise only
  // the file knows.
  const bool open = connection_.in_transaction();
  Error error = Prefixed("commit the turn to " + connection_.path(), committed.error());
  error.code = open ? ErrorCode::kNotApplied : ErrorCode::kUnknown;
  Rollback();
  return error;
}

Status SqliteTx::RunOnOneRow(Statement& statement) {
  TRY(const int changed, statement.Run());
  if (changed == 1) return Ok();
  return Internal("the row is not as it was loaded");
}

Result<std::optional<std::int64_t>> SqliteTx::FindTask(const Uuid& task) {
  TRY(const bool row, task_by_uuid_.Bind(task).Step());
  if (!row) return std::optional<std::int64_t>();
  const std::int64_t id = task_by_uuid_.Int(0);
  task_by_uuid_.Reset();
  return std::optional(id);
}

Result<std::optional<Tx::Identified>> SqliteTx::FindIdentity(std::string_view identity) {
  TRY(const bool row, task_by_identity_.Bind(identity).Step());
  if (!row) return std::optional<Identified>();
  const Identified found{task_by_identity_.Int(0), task_by_identity_.UuidAt(1)};
  task_by_identity_.Reset();
  return std::optional(found);
}

Result<std::int64_t> SqliteTx::LastTaskId() {
  TRY(const bool row, last_task_id_.Step());
  if (!row) return std::int64_t{0};
  const std::int64_t id = last_task_id_.Int(0);
  last_task_id_.Reset();
  return id;
}

Result<std::optional<TaskInput>> SqliteTx::SmallInput(std::int64_t task,
                                                      std::int64_t characters_max) {
  TRY(const bool row, small_input_.Bind(task, characters_max).Step());
  if (!row) return std::optional<TaskInput>();
  TaskInput input{std::string(small_input_.Text(0)), std::string(small_input_.Text(1))};
  small_input_.Reset();
  return std::optional(std::move(input));
}

Result<bool> SqliteTx::ActionExists(const Uuid& action) {
  TRY(const bool row, action_exists_.Bind(action).Step());
  action_exists_.Reset();
  return row;
}

Status SqliteTx::AddAction(const ActionRow& action, Time now) {
  return RunOnOneRow(insert_action_.Bind(action.id, action.task, action.n, action.handler, now,
                                         action.actor, action.kind, action.reason, action.detail));
}

Status SqliteTx::ResolveDeadLetters(StepKey step, std::string_view resolution) {
  TRY_OK(resolve_dead_letters_.Bind(step.task, step.n, resolution).Run());
  return Ok();
}

Result<Tx::DueRows> SqliteTx::Due(Time now, std::int64_t limit) {
  DueRows due;
  due_steps_.Bind(now, limit);
  while (true) {
    TRY(const bool row, due_steps_.Step());
    if (!row) break;
    due.steps.push_back({due_steps_.Int(0), due_steps_.Int32(1)});
  }
  TRY(due.tasks, Ids(due_tasks_.Bind(now, limit)));
  TRY(due.overdue, Ids(overdue_tasks_.Bind(now, limit)));
  return due;
}

Result<std::optional<Time>> SqliteTx::NextDue() {
  std::optional<Time> next;
  for (Statement* statement : {&next_due_step_, &next_due_task_, &next_deadline_}) {
    TRY(const bool row, statement->Step());
    if (!row) continue;
    const Time at = FromMicros(statement->Int(0));
    statement->Reset();
    if (!next || at < *next) next = at;
  }
  return next;
}

Result<std::vector<ReadyStep>> SqliteTx::Ready(const ReadyQuery& query) {
  std::string namespaces = "[";
  for (const std::string& name : query.namespaces) {
    namespaces += (namespaces.size() > 1 ? "," : "") + JsonString(name);
  }
  namespaces += "]";
  ready_.Bind(query.handler, query.limit, query.only_without_crashes, !query.namespaces.empty(),
              namespaces);
  std::vector<ReadyStep> out;
  while (true) {
    TRY(const bool row, ready_.Step());
    if (!row) return out;
    out.push_back({{ready_.Int(0), ready_.Int32(1)}, ready_.Int32(2)});
  }
}

Result<std::vector<HeldClaim>> SqliteTx::Claims(std::int64_t worker) {
  std::vector<HeldClaim> out;
  claims_.Bind(worker << workflow::kClaimWorkerShift, (worker + 1) << workflow::kClaimWorkerShift);
  while (true) {
    TRY(const bool row, claims_.Step());
    if (!row) return out;
    out.push_back({{claims_.Int(0), claims_.Int32(1)}, ClaimId{claims_.Int(2)}});
  }
}

Result<std::vector<workflow::Revocation>> SqliteTx::Revoked(std::int64_t worker) {
  std::vector<workflow::Revocation> out;
  revoked_claims_.Bind(worker << workflow::kClaimWorkerShift, (worker + 1)
                                                                  << workflow::kClaimWorkerShift);
  while (true) {
    TRY(const bool row, revoked_claims_.Step());
    if (!row) return out;
    out.push_back(
        {ClaimId{revoked_claims_.Int(0)},
         workflow::WhyRevoked(static_cast<workflow::StepState>(revoked_claims_.Int32(1)))});
  }
}

Result<std::vector<std::int64_t>> SqliteTx::PausedHandlers() { return Ids(paused_handlers_); }

Status SqliteTx::SetPaused(std::int64_t handler, bool paused) {
  auto saved = RunOnOneRow(set_paused_.Bind(handler, paused));
  if (saved) return saved;
  return Prefixed("pause handler " + std::to_string(handler), saved.error());
}

Status SqliteTx::SetWorkerHandlers(std::int64_t worker, std::span<const std::int64_t> handlers) {
  TRY_OK(clear_worker_handlers_.Bind(worker).Run());
  for (const std::int64_t handler : handlers)
    TRY_OK(add_worker_handler_.Bind(worker, handler).Run());
  return Ok();
}

Status SqliteTx::EndWorker(std::int64_t worker, std::string_view reason, Time now) {
  TRY_OK(end_worker_.Bind(worker, now, reason).Run());
  TRY_OK(clear_worker_handlers_.Bind(worker).Run());
  return Ok();
}

}  // namespace tasker::store::sqlite
