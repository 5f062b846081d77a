// A reader's life and what the host's executors read. What people read stands in reader_tasks.cc
// and reader_counts.cc.
#include <algorithm>
#include <utility>

#include "store/reader_state.h"
#include "store/sqlite/sql.h"
#include "store/state.h"

namespace tasker::store {
namespace {

using sqlite::SqlFile;
using sqlite::Statement;
using workflow::PayloadKind;

const SqlFile& ReadSql() {
  static const SqlFile file = sqlite::ParseSqlFile(sqlite::kSql_read);
  return file;
}

// With more ancestors than this one range scan is cheaper than a search each.
constexpr std::size_t kSearchesMax = 8;

// Counts what a step is given against its limit.
class Budget final {
 public:
  explicit Budget(std::int64_t bytes_max) : left_(bytes_max), bytes_max_(bytes_max) {}

  Status Take(std::string_view text) {
    left_ -= static_cast<std::int64_t>(text.size());
    if (left_ >= 0) return Ok();
    return Invalid(
        "what the step is to be given (context, results of its ancestors, checkpoint) has more "
        "than " +
        std::to_string(bytes_max_) +
        " bytes, limits.hydrated_max_bytes; return less from the steps before it");
  }

 private:
  std::int64_t left_;
  const std::int64_t bytes_max_;
};

void Put(HydratedDependency& dependency, std::int32_t kind, std::string_view body) {
  if (kind == static_cast<std::int32_t>(PayloadKind::kResult)) dependency.result = body;
  if (kind == static_cast<std::int32_t>(PayloadKind::kMetadata)) dependency.metadata = body;
}

Status ReadOneByOne(Reader::State& state, StepKey step, std::span<const std::int32_t> ancestors,
                    Budget& budget, Hydrated& out) {
  TRY(Statement* const results, state.Get("step_results"));
  TRY(Statement* const ended, state.Get("step_ended"));
  for (const std::int32_t n : ancestors) {
    HydratedDependency dependency;
    dependency.n = n;
    bool found = false;
    results->Bind(step.task, n);
    while (true) {
      TRY(const bool row, results->Step());
      if (!row) break;
      TRY_OK(budget.Take(results->Text(1)));
      Put(dependency, results->Int32(0), results->Text(1));
      found = true;
    }
    if (!found) continue;
    TRY(const bool row, ended->Bind(step.task, n).Step());
    if (row && !ended->IsNull(0)) dependency.ended = FromMicros(ended->Int(0));
    ended->Reset();
    out.dependencies.push_back(std::move(dependency));
  }
  return Ok();
}

Status ReadRange(Reader::State& state, StepKey step, std::span<const std::int32_t> ancestors,
                 Budget& budget, Hydrated& out) {
  TRY(Statement* const results, state.Get("results_between"));
  results->Bind(step.task, ancestors.front(), ancestors.back());
  while (true) {
    TRY(const bool row, results->Step());
    if (!row) break;
    const std::int32_t n = results->Int32(0);
    if (!std::ranges::binary_search(ancestors, n)) continue;
    TRY_OK(budget.Take(results->Text(2)));
    if (out.dependencies.empty() || out.dependencies.back().n != n) {
      out.dependencies.emplace_back().n = n;
    }
    Put(out.dependencies.back(), results->Int32(1), results->Text(2));
  }
  TRY(Statement* const ended, state.Get("steps_ended_between"));
  ended->Bind(step.task, ancestors.front(), ancestors.back());
  auto at = out.dependencies.begin();
  while (true) {
    TRY(const bool row, ended->Step());
    if (!row) return Ok();
    while (at != out.dependencies.end() && at->n < ended->Int32(0)) ++at;
    if (at != out.dependencies.end() && at->n == ended->Int32(0) && !ended->IsNull(1)) {
      at->ended = FromMicros(ended->Int(1));
    }
  }
}

}  // namespace

Result<Statement*> Reader::State::Get(std::string_view name) {
  auto at = statements.find(name);
  if (at == statements.end()) {
    TRY(Statement made, connection->Prepare(ReadSql(), name));
    at = statements.emplace(std::string(name), std::move(made)).first;
  }
  at->second.Reset();
  return &at->second;
}

Result<std::unique_ptr<Snapshot>> Snapshot::Begin(sqlite::Connection& connection) {
  TRY_OK(connection.BeginRead());
  return std::unique_ptr<Snapshot>(new Snapshot(connection));
}

Snapshot::~Snapshot() {
  connection_.Rollback();  // It only read.
}

Result<std::unique_ptr<Reader>> Store::NewReader() const {
  auto state = std::make_unique<Reader::State>();
  state->path = path();
  TRY(state->connection,
      sqlite::Connection::Open(path(), sqlite::Connection::Mode::kRead, state_->options.full_sync));
  return std::unique_ptr<Reader>(new Reader(std::move(state)));
}

Reader::Reader(std::unique_ptr<State> state) : state_(std::move(state)) {}
Reader::~Reader() = default;

Result<Hydrated> Reader::Hydrate(StepKey step, std::span<const std::int32_t> ancestors,
                                 std::int64_t bytes_max) {
  // What is read here was written before the step was claimed, and nobody changes it. It is one
  // transaction because each statement on its own would take and leave SQLite's read lock.
  TRY(const auto snapshot, Snapshot::Begin(*state_->connection));
  Budget budget(bytes_max);
  Hydrated out;
  TRY(Statement* const input, state_->Get("task_input"));
  TRY(const bool row, input->Bind(step.task).Step());
  if (!row) return NotFound("task " + std::to_string(step.task) + " is not in the store any more");
  TRY_OK(budget.Take(input->Text(0)));
  TRY_OK(budget.Take(input->Text(1)));
  out.input = {std::string(input->Text(0)), std::string(input->Text(1))};
  input->Reset();
  if (!ancestors.empty()) {
    TRY_OK(ancestors.size() <= kSearchesMax ? ReadOneByOne(*state_, step, ancestors, budget, out)
                                            : ReadRange(*state_, step, ancestors, budget, out));
  }
  auto checkpoint = Payload(step, PayloadKind::kCheckpoint);
  if (checkpoint) {
    TRY_OK(budget.Take(*checkpoint));
    out.checkpoint = *std::move(checkpoint);
  } else if (checkpoint.error().code != ErrorCode::kNotFound) {
    return checkpoint.error();
  }
  return out;
}

Result<std::optional<Time>> Reader::LastAttempt(StepKey step) {
  TRY(Statement* const last, state_->Get("last_attempt"));
  TRY(const bool row, last->Bind(step.task, step.n).Step());
  const std::optional<Time> ended = row ? last->TimeAt(0) : std::nullopt;
  last->Reset();
  return ended;
}

Result<std::string> Reader::Payload(StepKey step, PayloadKind kind) {
  TRY(Statement* const payload, state_->Get("payload"));
  TRY(const bool row, payload->Bind(step.task, step.n, static_cast<std::int32_t>(kind)).Step());
  if (!row) return NotFound("step " + std::to_string(step.n) + " has none");
  std::string body(payload->Text(0));
  payload->Reset();
  return body;
}

}  // namespace tasker::store
