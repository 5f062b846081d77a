#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "store/sqlite/connection.h"
#include "store/sqlite/turn_rows.h"
#include "store/sqlite/turnstile.h"
#include "store/tx.h"

namespace tasker::store::sqlite {

// The turn's transaction on SQLite: prepared statements, row by row. Borrows the process's one
// write connection.
class SqliteTx final : public Tx {
 public:
  static Result<std::unique_ptr<SqliteTx>> Make(Connection& connection, Turnstile& turnstile);

  Status Begin() override;
  Result<bool> OthersCommitted() override;
  void Rollback() override;
  Status Commit() override;

  Result<std::optional<std::int64_t>> FindTask(const Uuid& task) override;
  Result<std::optional<Identified>> FindIdentity(std::string_view identity) override;
  Result<std::int64_t> LastTaskId() override;
  Result<std::optional<TaskInput>> SmallInput(std::int64_t task,
                                              std::int64_t characters_max) override;
  Status Load(std::span<Wanted> wanted) override;

  Status Save(std::span<const Dirty> dirty, const workflow::Effects& effects, Time now) override;
  Result<bool> ActionExists(const Uuid& action) override;
  Status AddAction(const ActionRow& action, Time now) override;
  Status ResolveDeadLetters(StepKey step, std::string_view resolution) override;

  Result<DueRows> Due(Time now, std::int64_t limit) override;
  Result<std::optional<Time>> NextDue() override;
  Result<std::vector<ReadyStep>> Ready(const ReadyQuery& query) override;

  Result<std::vector<HeldClaim>> Claims(std::int64_t worker) override;
  Result<std::vector<workflow::Revocation>> Revoked(std::int64_t worker) override;
  Result<std::vector<std::int64_t>> PausedHandlers() override;
  Status SetPaused(std::int64_t handler, bool paused) override;
  Status SetWorkerHandlers(std::int64_t worker, std::span<const std::int64_t> handlers) override;
  Status EndWorker(std::int64_t worker, std::string_view reason, Time now) override;

  // PRAGMA data_version: moves when another connection has committed. Outside a transaction, too.
  Result<std::int64_t> DataVersion();
  std::int64_t seen_version() const { return seen_version_; }

 private:
  SqliteTx(Connection& connection, Turnstile& turnstile)
      : connection_(connection), turnstile_(turnstile) {}
  Status PrepareAll();

  Status LoadTask(Wanted& wanted);
  Status LoadStep(workflow::TaskRows& rows, std::int32_t n);
  Status LoadAllSteps(workflow::TaskRows& rows);
  Status SaveTask(const Dirty& dirty);
  Status InsertTask(const Dirty& dirty);
  Status InsertSteps(std::span<const Dirty> dirty);
  Status SaveStep(std::int64_t task, const workflow::TaskRows::Slot& slot);
  Statement& BindStep(std::int64_t task, const workflow::StepRow& step,
                      const workflow::StepRow& stored);
  Status SaveEffects(const workflow::Effects& effects, Time now);
  Status InsertPayloads(std::span<const workflow::PayloadWrite> payloads);
  // Runs a statement that must change exactly one row.
  Status RunOnOneRow(Statement& statement);

  Connection& connection_;
  Turnstile& turnstile_;
  std::int64_t seen_version_ = -1;
  TurnRows rows_;

  Statement begin_, commit_, data_version_;
  Statement task_by_uuid_, task_by_identity_, last_task_id_, load_task_, small_input_, load_step_,
      load_all_steps_;
  Statement insert_task_, insert_task_input_, update_task_, update_task_counters_;
  Statement insert_steps_, end_step_, claim_step_, update_step_, update_step_waiting_;
  Statement insert_attempts_, attempt_late_, insert_payloads_, put_payload_;
  Statement insert_dead_letter_, resolve_dead_letters_, action_exists_, insert_action_;
  Statement due_steps_, due_tasks_, overdue_tasks_, next_due_step_, next_due_task_, next_deadline_;
  Statement ready_, claims_, revoked_claims_;
  Statement paused_handlers_, set_paused_, clear_worker_handlers_, add_worker_handler_, end_worker_;
};

}  // namespace tasker::store::sqlite
