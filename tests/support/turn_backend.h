#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "store/tx.h"
#include "workflow/decide.h"

namespace tasker::testing {

// All that a store holds of tasks, whatever the backend. Counters are not in it: while a task runs
// a backend need not keep them.
struct StoreSnapshot {
  struct Task {
    Uuid uuid;
    std::int64_t template_id = 0;
    workflow::TaskState state{};
    std::int32_t priority = 0;
    std::optional<std::string> identity;
    std::optional<Time> start, ended;
    Time created{};
    std::string context;

    bool operator==(const Task&) const = default;
  };
  struct Attempt {
    workflow::AttemptOutcome outcome{};
    std::optional<Time> ready, claimed, started;
    Time ended{};
    bool late = false;  // what its handler returned after its end is kept

    bool operator==(const Attempt&) const = default;
  };
  // step, reason, resolution
  using DeadLetter = std::tuple<workflow::StepKey, std::string, std::string>;

  std::map<std::int64_t, Task> tasks;
  std::map<workflow::StepKey, workflow::StepRow> steps;
  std::map<std::pair<workflow::StepKey, workflow::ClaimId>, Attempt> attempts;
  std::map<std::pair<workflow::StepKey, workflow::PayloadKind>, std::string> payloads;
  std::vector<DeadLetter> dead_letters;  // in the order in which they were written
  std::map<Uuid, std::int32_t> actions;  // the kind of each
  std::vector<std::int64_t> paused;      // handlers, ascending
  std::vector<std::int64_t> ended_workers;

  bool operator==(const StoreSnapshot&) const = default;
};

// The first difference between two of them, for people; empty if there is none.
std::string DifferenceOf(const StoreSnapshot& a, const StoreSnapshot& b);

// A store of one kind, as hosts see it through their transactions. Everything runs on one thread:
// the hosts take turns.
class TurnBackend {
 public:
  virtual ~TurnBackend() = default;

  // A further host's own view of the store: what the others commit it learns from the store. Lives
  // until it is dropped or the backend goes.
  virtual store::Tx& NewHost() = 0;
  // A host's process has died: its view is gone, with what was not committed.
  virtual void Drop(store::Tx& host) = 0;
  // Rows that turns take for granted.
  virtual void AddTemplate(std::int64_t id, const std::string& ns) = 0;
  virtual void AddHandler(std::int64_t id) = 0;
  virtual void AddWorker(std::int64_t id) = 0;

  virtual StoreSnapshot Read() = 0;
};

enum class BackendKind { kMemory, kSqlite };
std::string NameOf(BackendKind kind);
// SQLite: in real files of a folder of its own, without waiting for the disk: what a lost power
// does to files is tested elsewhere.
std::unique_ptr<TurnBackend> MakeBackend(BackendKind kind);

}  // namespace tasker::testing
