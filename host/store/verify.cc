#include "store/verify.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <map>
#include <memory>
#include <utility>

#include "store/reader_state.h"
#include "store/sqlite/sql.h"
#include "workflow/state.h"

namespace tasker::store {
namespace {

using sqlite::SqlFile;
using sqlite::Statement;
using workflow::StepState;

// Behind every task, and such that (kLastTask + 1) << 20 is a step's id that SQLite can compare.
constexpr std::int64_t kLastTask = (std::numeric_limits<std::int64_t>::max() >> 20) - 1;

struct Invariant {
  const char* name;  // also of its statement
  const char* must_hold;
};

constexpr std::array kOfAPage = {
    Invariant{"task_counters", "a task's row counts its steps by their states"},
    Invariant{"task_state", "a task's state follows from its steps' states"},
    Invariant{"terminal_task", "no step of a task that has ended may still run"},
    Invariant{"task_times",
              "a task has an end time when it has ended, a start time to come only "
              "before it begins"},
    Invariant{"complete_step",
              "a complete step has one complete attempt, by its claim, and one result"},
    Invariant{"early_result", "only a complete or resolved step has a result"},
    Invariant{"resolved_step", "a step that was resolved by hand has a result"},
    Invariant{"live_claim", "a step that runs is claimed by a worker that has not ended"},
    Invariant{"ended_claim", "an attempt that has ended is no claim any more"},
    Invariant{"revoked_claim",
              "only an attempt that timed out or was cancelled may be revoked and still run"},
    Invariant{"stray_claim", "a step that does not run names no claim"},
    Invariant{"step_times",
              "a step has a due time when it waits for a retry, an end time when it "
              "has ended, and counts from 0"},
    Invariant{"attempt_counts", "a step counts its failed attempts and its crashes"},
    Invariant{"dead_letter", "a failed step has one pending dead letter, any other step none"},
    Invariant{"dangling_id", "every row belongs to rows that there are"},
};
constexpr Invariant kSharedClaim{"shared_claim", "no two steps are held by the same claim"};
constexpr Invariant kPages{"pages", "the pages of the file are whole"};
constexpr Invariant kGraph{"graph", "a task has the steps of its template"};
constexpr Invariant kParents{
    "waiting_for", "a step waits for the parents that are not done, and begins after all"};
constexpr Invariant kMaxAttempts{"max_attempts",
                                 "a step is tried no more often than its template "
                                 "allows"};

const SqlFile& VerifySql() {
  static const SqlFile file = sqlite::ParseSqlFile(sqlite::kSql_verify);
  return file;
}

// Task ids above the first, up to the last.
struct Page {
  std::int64_t above = 0, last = 0;
};

struct GraphRow {
  std::int32_t n = 0, template_step = 0, waiting_for = 0, attempts = 0;
  StepState state = StepState::kPending;
};
struct GraphTask {
  std::int64_t id = 0, template_id = 0;
  std::optional<Uuid> uuid;
  bool starts_later = false;
  std::vector<GraphRow> steps;
};

class Verifier final {
 public:
  Verifier(Store& store, const VerifyOptions& options, sqlite::Connection& connection)
      : store_(store), options_(options), connection_(connection) {}

  Result<Verified> Run() {
    if (options_.pages) TRY_OK(CheckPages());
    const Status rows = CheckRows();
    // What is wrong with the pages says more than the first row that cannot be read for it.
    const bool torn = !rows && rows.error().code == ErrorCode::kIncompatible;
    if (!rows && !(torn && !out_.violations.empty())) return rows.error();
    if (torn) Add(kPages, "the rows cannot be read to the end: " + rows.error().message);
    out_.all = out_.all && !torn;
    return std::move(out_);
  }

 private:
  static constexpr std::int64_t kTasksMin = 16, kTasksMax = 4096;
  static constexpr std::chrono::milliseconds kLong{100}, kShort{25};  // of one read transaction

  bool Full() const { return out_.violations.size() >= options_.violations_max; }

  void Add(const Invariant& invariant, std::string found, std::int64_t task_id = 0,
           std::optional<Uuid> task = {}, std::optional<std::int32_t> n = {}) {
    if (Full()) {
      out_.all = false;
      return;
    }
    out_.violations.push_back(
        {invariant.name, invariant.must_hold, std::move(found), task_id, task, n});
  }

  Status CheckPages() {
    TRY(Statement tables, connection_.Prepare(VerifySql(), "checked_tables"));
    std::vector<std::string> names;
    while (true) {
      TRY(const bool row, tables.Step());
      if (!row) break;
      names.emplace_back(tables.Text(0));
    }
    TRY(Statement check, connection_.Prepare(VerifySql(), "table_check"));
    for (const std::string& name : names) {
      check.Bind(name);
      while (true) {
        const auto row = check.Step();
        if (!row && row.error().code != ErrorCode::kIncompatible) return row.error();
        if (!row) Add(kPages, "table " + name + ": " + row.error().message);
        if (!row || !*row) break;
        if (check.Text(0) != "ok") Add(kPages, "table " + name + ": " + std::string(check.Text(0)));
      }
      check.Reset();
    }
    return Ok();
  }

  Status CheckRows() {
    TRY_OK(Ask(kSharedClaim, {}));
    std::int64_t tasks = 256;
    Page page;
    while (page.last < kLastTask && !Full()) {
      const auto begun = std::chrono::steady_clock::now();
      TRY_OK(CheckPage(page, tasks));
      const auto took = std::chrono::steady_clock::now() - begun;
      if (took > kLong) tasks = std::max(tasks / 2, kTasksMin);
      if (took < kShort) tasks = std::min(tasks * 2, kTasksMax);
    }
    out_.all = out_.all && page.last == kLastTask;
    return Ok();
  }

  // Moves the page on, and looks at it in one snapshot.
  Status CheckPage(Page& page, std::int64_t tasks) {
    TRY(const auto snapshot, Snapshot::Begin(connection_));
    page.above = page.last;
    TRY(Statement* const last, Get("last_of_page"));
    TRY(const bool row, last->Bind(page.above, tasks).Step());
    // Rows without a task may stand behind the last one.
    page.last = !row || last->IsNull(0) ? kLastTask : last->Int(0);
    last->Reset();
    TRY(Statement* const counts, Get("tasks_and_steps"));
    TRY(const bool counted, counts->Bind(page.above, page.last).Step());
    if (counted) {
      out_.tasks += counts->Int(0);
      out_.steps += counts->Int(1);
    }
    counts->Reset();
    for (const Invariant& invariant : kOfAPage) TRY_OK(Ask(invariant, page));
    return CheckGraphs(page);
  }

  Status Ask(const Invariant& invariant, std::optional<Page> page) {
    TRY(Statement* const rows, Get(invariant.name));
    if (page) rows->Bind(page->above, page->last);
    while (true) {
      TRY(const bool row, rows->Step());
      if (!row) return Ok();
      Add(invariant, std::string(rows->Text(3)), rows->Int(0),
          rows->IsNull(1) ? std::nullopt : std::optional(rows->UuidAt(1)),
          rows->IsNull(2) ? std::nullopt : std::optional(rows->Int32(2)));
    }
  }

  Status CheckGraphs(const Page& page) {
    TRY(Statement* const rows, Get("graph_rows"));
    rows->Bind(page.above, page.last);
    GraphTask task;
    while (true) {
      TRY(const bool row, rows->Step());
      if (!row || rows->Int(0) != task.id) {
        if (task.id != 0) CheckGraph(task);
        if (!row) return Ok();
        task = {.id = rows->Int(0),
                .template_id = rows->Int(2),
                .uuid = rows->UuidAt(1),
                .starts_later = rows->Int(3) != 0,
                .steps = {}};
      }
      task.steps.push_back({.n = rows->Int32(4),
                            .template_step = rows->Int32(5),
                            .waiting_for = rows->Int32(7),
                            .attempts = rows->Int32(8),
                            .state = static_cast<StepState>(rows->Int32(6))});
    }
  }

  void CheckGraph(const GraphTask& task) {
    const Workflow* const workflow = WorkflowOf(task.template_id);
    if (workflow == nullptr) return;  // told once for each template
    const std::int32_t size = workflow->graph.size();
    for (std::size_t i = 0; i < task.steps.size(); ++i) {
      const GraphRow& step = task.steps[i];
      if (step.n == static_cast<std::int32_t>(i) && step.template_step == step.n && i < Size(size))
        continue;
      return Add(kGraph, "step number " + std::to_string(step.n) + " is none of its template's",
                 task.id, task.uuid, step.n);
    }
    if (task.steps.size() != Size(size)) {
      return Add(kGraph,
                 "it has " + std::to_string(task.steps.size()) + " steps, its template " +
                     std::to_string(size),
                 task.id, task.uuid);
    }
    for (const GraphRow& step : task.steps) CheckParents(task, step, *workflow);
  }

  void CheckParents(const GraphTask& task, const GraphRow& step, const Workflow& workflow) {
    const auto& parents = workflow.graph.Parents(step.n);
    const auto missing = std::ranges::count_if(
        parents, [&](std::int32_t n) { return !workflow::Satisfies(task.steps[Size(n)].state); });
    const auto& retry = workflow.definition.steps[Size(step.n)].retry;
    if (step.attempts > retry.AttemptsAllowed()) {
      Add(kMaxAttempts,
          std::to_string(step.attempts) + " attempts of " + std::to_string(retry.AttemptsAllowed()),
          task.id, task.uuid, step.n);
    }
    const std::string found = std::string(workflow::Name(step.state)) + ", waits for " +
                              std::to_string(step.waiting_for) + ", and " +
                              std::to_string(missing) + " of its " +
                              std::to_string(parents.size()) + " parents are not done";
    if (step.state == StepState::kPending) {
      const bool begins = missing == 0 && !task.starts_later;
      if (step.waiting_for != missing || begins) Add(kParents, found, task.id, task.uuid, step.n);
    } else if (step.state != StepState::kCancelled && step.state != StepState::kResolvedManually &&
               missing > 0) {
      Add(kParents, found, task.id, task.uuid, step.n);
    }
  }

  const Workflow* WorkflowOf(std::int64_t template_id) {
    const auto known = workflows_.find(template_id);
    if (known != workflows_.end()) return known->second.get();
    auto found = store_.WorkflowOf(template_id);
    if (!found)
      Add(kGraph, "template " + std::to_string(template_id) + ": " + found.error().message);
    return workflows_.emplace(template_id, found ? *std::move(found) : nullptr).first->second.get();
  }

  Result<Statement*> Get(const char* name) {
    auto at = statements_.find(name);
    if (at == statements_.end()) {
      TRY(Statement made, connection_.Prepare(VerifySql(), name));
      at = statements_.emplace(name, std::move(made)).first;
    }
    at->second.Reset();
    return &at->second;
  }

  static std::size_t Size(std::int32_t n) { return static_cast<std::size_t>(n); }

  Store& store_;
  const VerifyOptions& options_;
  sqlite::Connection& connection_;
  std::map<std::string_view, Statement> statements_;
  // Null: a template that the store cannot read.
  std::map<std::int64_t, std::shared_ptr<const Workflow>> workflows_;
  Verified out_;
};

}  // namespace

Result<Verified> Verify(Store& store, const VerifyOptions& options) {
  TRY(const auto connection,
      sqlite::Connection::Open(store.path(), sqlite::Connection::Mode::kRead, true));
  return Verifier(store, options, *connection).Run();
}

}  // namespace tasker::store
