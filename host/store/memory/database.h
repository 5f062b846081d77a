#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/uuid.h"
#include "workflow/decide.h"
#include "workflow/rows.h"

namespace tasker::store::memory {

// Rows by key, which can be put back to what they were when they were last kept.
template <typename Key, typename Row>
class Table final {
 public:
  const std::map<Key, Row>& rows() const { return rows_; }
  const Row* Find(const Key& key) const {
    const auto at = rows_.find(key);
    return at == rows_.end() ? nullptr : &at->second;
  }
  void Put(const Key& key, Row row) {
    Remember(key);
    rows_.insert_or_assign(key, std::move(row));
  }
  void Erase(const Key& key) {
    Remember(key);
    rows_.erase(key);
  }
  void Keep() { before_.clear(); }
  void Undo() {
    for (auto& [key, row] : before_) {
      if (row) {
        rows_.insert_or_assign(key, *std::move(row));
      } else {
        rows_.erase(key);
      }
    }
    before_.clear();
  }

 private:
  void Remember(const Key& key) {
    if (before_.contains(key)) return;
    const Row* row = Find(key);
    before_.emplace(key, row == nullptr ? std::nullopt : std::optional<Row>(*row));
  }

  std::map<Key, Row> rows_;
  std::map<Key, std::optional<Row>> before_;  // of what has changed since Keep
};

struct StoredTask {
  workflow::TaskRow row;
  std::optional<std::string> identity;
  std::string context, envelope;  // JSON
};
struct StoredAttempt {
  workflow::AttemptWrite attempt;
  std::string late;  // JSON: what came after its end; empty: nothing
};
struct StoredDeadLetter {
  workflow::StepKey step;
  std::string reason, snapshot, resolution;
  Time at;
};
struct StoredAction {
  std::optional<std::int64_t> task;
  std::optional<std::int32_t> n;
  std::optional<std::int64_t> handler;
  std::int32_t kind = 0;
  std::string actor, reason, detail;
  Time at;
};
struct StoredWorker {
  std::vector<std::int64_t> handlers;
  std::optional<Time> ended;
  std::string end_reason;
};

// The tables of a store, in this process's memory: what several MemoryTx share, as several hosts
// share a file. Not thread-safe: its transactions run on one thread, one at a time.
struct Database {
  Table<std::int64_t, std::string> templates;  // the namespace of each
  Table<std::int64_t, bool> handlers;          // whether each is paused
  Table<std::int64_t, StoredWorker> workers;
  Table<std::int64_t, StoredTask> tasks;
  Table<workflow::StepKey, workflow::StepRow> steps;
  Table<std::pair<workflow::StepKey, workflow::PayloadKind>, std::string> payloads;
  Table<std::pair<workflow::StepKey, workflow::ClaimId>, StoredAttempt> attempts;
  Table<Uuid, StoredAction> actions;
  Table<std::int64_t, StoredDeadLetter> dead_letters;

  bool in_transaction = false;
  std::int64_t commits = 0;

  template <typename Function>
  void ForEachTable(Function function) {
    function(templates), function(handlers), function(workers), function(tasks), function(steps);
    function(payloads), function(attempts), function(actions), function(dead_letters);
  }
};

}  // namespace tasker::store::memory
