#include "store/prune.h"

#include <array>
#include <vector>

#include "store/sqlite/sql.h"
#include "store/sqlite/transaction.h"
#include "store/state.h"
#include "workflow/state.h"

namespace tasker::store {
namespace {

using sqlite::SqlFile;
using sqlite::Statement;
using sqlite::Transaction;

constexpr std::int64_t kStepsOfASlice = 1000;  // some 10 ms
constexpr int kRowsOfAPage = 256;              // as the statement says
constexpr std::array kEnded = {workflow::TaskState::kComplete, workflow::TaskState::kError,
                               workflow::TaskState::kCancelled,
                               workflow::TaskState::kResolvedManually};

const SqlFile& UpkeepSql() {
  static const SqlFile file = sqlite::ParseSqlFile(sqlite::kSql_upkeep);
  return file;
}

struct Candidate {
  std::int64_t task = 0, steps = 0;
};

// The next tasks that may go; moves the cursor behind them.
Result<std::vector<Candidate>> Find(sqlite::Connection& connection, Time ended_before,
                                    PruneCursor& cursor) {
  TRY(Statement rows, connection.Prepare(UpkeepSql(), "prunable"));
  std::vector<Candidate> found;
  std::int64_t steps = 0;
  while (cursor.state < kEnded.size()) {
    rows.Bind(static_cast<std::int32_t>(kEnded[cursor.state]), cursor.task, ended_before);
    int seen = 0;
    bool young = false;
    while (steps < kStepsOfASlice) {
      TRY(const bool row, rows.Step());
      if (!row) break;
      // Ids are in the order of creation, and nothing ends before it is created.
      young = FromMicros(rows.Int(1)) >= ended_before;
      if (young) break;
      ++seen;
      cursor.task = rows.Int(0);
      if (rows.Int(2) < 0) continue;
      found.push_back({rows.Int(0), rows.Int(2)});
      steps += rows.Int(2);
    }
    rows.Reset();
    if (steps >= kStepsOfASlice) return found;
    if (young || seen < kRowsOfAPage) {
      ++cursor.state;
      cursor.task = 0;
    }
  }
  return found;
}

Result<bool> Delete(sqlite::Connection& connection, std::int64_t task) {
  for (const char* name : {"delete_task_input", "delete_steps", "delete_payloads",
                           "delete_attempts", "delete_actions", "delete_dead_letters"}) {
    TRY(Statement rows, connection.Prepare(UpkeepSql(), name));
    TRY_OK(rows.Bind(task).Run());
  }
  TRY(Statement row, connection.Prepare(UpkeepSql(), "delete_task"));
  TRY(const int deleted, row.Bind(task).Run());
  return deleted > 0;
}

}  // namespace

Result<Pruned> Store::Prune(Time ended_before, PruneCursor& cursor) {
  sqlite::Connection& connection = *state_->connection;
  Pruned out;
  PruneCursor next = cursor;
  TRY(const auto candidates, Find(connection, ended_before, next));
  TRY(const std::int64_t free_pages, connection.Number(UpkeepSql(), "freelist_count"));
  if (candidates.empty() && free_pages == 0) return out;
  {
    TRY(auto transaction, Transaction::Begin(connection, *state_->turnstile));
    for (const Candidate& candidate : candidates) {
      TRY(const bool deleted, Delete(connection, candidate.task));
      if (!deleted) continue;  // another process was first
      ++out.tasks;
      out.steps += candidate.steps;
    }
    TRY(Statement vacuum, connection.Prepare(UpkeepSql(), "vacuum_some"));
    while (true) {
      TRY(const bool page, vacuum.Step());
      if (!page) break;
      ++out.pages;
    }
    TRY_OK(transaction->Commit());
  }
  if (out.tasks > 0) state_->turns->Forget();
  cursor = next;
  out.more = !candidates.empty() || out.pages > 0;
  return out;
}

Result<Pruned> CountPrunable(const Store& store, Time ended_before) {
  TRY(const auto connection,
      sqlite::Connection::Open(store.path(), sqlite::Connection::Mode::kRead, true));
  Pruned out;
  PruneCursor cursor;
  while (true) {
    TRY(const auto candidates, Find(*connection, ended_before, cursor));
    if (candidates.empty()) return out;
    for (const Candidate& candidate : candidates) {
      ++out.tasks;
      out.steps += candidate.steps;
    }
  }
}

}  // namespace tasker::store
