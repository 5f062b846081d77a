#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "store/memory/database.h"
#include "store/tx.h"

namespace tasker::store::memory {

// The turn's transaction on tables in memory: the plain statement of what a Tx does, for tests and
// simulations. It finds rows by looking at all of them, and keeps nothing when the process ends.
// Borrows the database.
class MemoryTx final : public Tx {
 public:
  explicit MemoryTx(Database& database) : database_(database) {}

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

 private:
  void LoadSteps(const Wanted& wanted);
  Status InsertTask(const Dirty& dirty);
  Status UpdateTask(const Dirty& dirty);
  Status SaveEffects(const workflow::Effects& effects, Time now);

  Database& database_;
  std::int64_t seen_ = -1;  // commits of the database, as of the last look
};

}  // namespace tasker::store::memory
