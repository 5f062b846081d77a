#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/uuid.h"
#include "store/store.h"
#include "workflow/decide.h"
#include "workflow/rows.h"

namespace tasker::store {

// What the turn wants in memory: the task's row, and these steps of it. `rows` gets what is there.
struct Wanted {
  workflow::TaskRows* rows = nullptr;  // rows->task.id says which
  bool task = false;
  bool all_steps = false;  // of a task none of whose steps is in memory
  std::span<const std::int32_t> steps;
  bool found = false;  // set by Load where `task`: the task is in the store
};

// A task whose rows the turn changed, and the steps of it that it may have touched.
struct Dirty {
  workflow::TaskRows* rows = nullptr;
  std::span<const std::int32_t> steps;  // ascending; of a fresh task: ignored, all are written
  const Submit* submit = nullptr;       // of a fresh task
  // While the task runs its counters are not written: whoever loads it loads all its steps and
  // counts them.
  bool lazy_counters = false;
};

struct ReadyStep {
  StepKey step;
  std::int32_t priority = 0;
};
struct ReadyQuery {
  std::int64_t handler = 0;
  std::int64_t limit = 0;
  bool only_without_crashes = false;
  std::span<const std::string> namespaces;  // empty: all
};

struct ActionRow {
  Uuid id;
  std::optional<std::int64_t> task;
  std::optional<std::int32_t> n;
  std::optional<std::int64_t> handler;
  std::int32_t kind = 0;  // workflow::TaskAct::Kind, or kPause, kUnpause
  std::string_view actor, reason, detail;

  static constexpr std::int32_t kPause = 10, kUnpause = 11;
};

// One backend's transaction: rows in, rows out, no rule. Used by one thread at a time. Errors:
// kInvalid when the values of an item are to blame; everything else is the store's.
class Tx {
 public:
  virtual ~Tx() = default;

  // Waits for this process's turn; kUnavailable says who holds it.
  virtual Status Begin() = 0;
  // True right after Begin when another process has committed since the last Commit here, or never
  // asked before.
  virtual Result<bool> OthersCommitted() = 0;
  virtual void Rollback() = 0;
  // kNotApplied or kUnknown. Ends the transaction in every case.
  virtual Status Commit() = 0;

  virtual Result<std::optional<std::int64_t>> FindTask(const Uuid& task) = 0;
  struct Identified {
    std::int64_t id;
    Uuid uuid;
  };
  virtual Result<std::optional<Identified>> FindIdentity(std::string_view identity) = 0;
  virtual Result<std::int64_t> LastTaskId() = 0;
  virtual Status Load(std::span<Wanted> wanted) = 0;
  // What a task was made with; nothing when it has more than `characters_max`.
  virtual Result<std::optional<TaskInput>> SmallInput(std::int64_t task,
                                                      std::int64_t characters_max) = 0;
  // What a counter that is not kept says.
  static constexpr std::int32_t kNotCounted = -1;

  // Each changed row is written only where the store still holds what was loaded; else kInternal.
  virtual Status Save(std::span<const Dirty> dirty, const workflow::Effects& effects, Time now) = 0;
  virtual Result<bool> ActionExists(const Uuid& action) = 0;
  virtual Status AddAction(const ActionRow& action, Time now) = 0;
  virtual Status ResolveDeadLetters(StepKey step, std::string_view resolution) = 0;

  struct DueRows {
    std::vector<StepKey> steps;
    std::vector<std::int64_t> tasks;    // to be started
    std::vector<std::int64_t> overdue;  // tasks whose deadline has passed
  };
  virtual Result<DueRows> Due(Time now, std::int64_t limit) = 0;
  virtual Result<std::optional<Time>> NextDue() = 0;
  // Enqueued steps by priority, then age.
  virtual Result<std::vector<ReadyStep>> Ready(const ReadyQuery& query) = 0;

  virtual Result<std::vector<HeldClaim>> Claims(std::int64_t worker) = 0;
  // Those of them that have ended in the store while their handlers may still run.
  virtual Result<std::vector<workflow::Revocation>> Revoked(std::int64_t worker) = 0;
  virtual Result<std::vector<std::int64_t>> PausedHandlers() = 0;
  virtual Status SetPaused(std::int64_t handler, bool paused) = 0;
  virtual Status SetWorkerHandlers(std::int64_t worker, std::span<const std::int64_t> handlers) = 0;
  virtual Status EndWorker(std::int64_t worker, std::string_view reason, Time now) = 0;
};

}  // namespace tasker::store
