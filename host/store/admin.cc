// The store's rare transactions: workers, templates, handlers.
#include <utility>

#include "store/reads.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/transaction.h"
#include "store/state.h"
#include "workflow/graph.h"
#include "workflow/template.h"

namespace tasker::store {
namespace {

using sqlite::SqlFile;
using sqlite::Statement;
using sqlite::Transaction;

const SqlFile& AdminSql() {
  static const SqlFile file = sqlite::ParseSqlFile(sqlite::kSql_admin);
  return file;
}

Result<std::optional<std::int64_t>> FindHandler(sqlite::Connection& connection,
                                                const HandlerName& name, bool& idempotent) {
  TRY(Statement find, connection.Prepare(AdminSql(), "find_handler"));
  TRY(const bool row, find.Bind(name.callable, name.resolver).Step());
  if (!row) return std::optional<std::int64_t>();
  idempotent = find.Int(1) != 0;
  return std::optional(find.Int(0));
}

Result<std::int64_t> InternOne(sqlite::Connection& connection, const HandlerName& name) {
  bool idempotent = false;
  TRY(const auto known, FindHandler(connection, name, idempotent));
  if (known) {
    if (name.idempotent && !idempotent) {
      TRY(Statement set, connection.Prepare(AdminSql(), "set_handler_idempotent"));
      TRY_OK(set.Bind(*known).Run());
    }
    return *known;
  }
  TRY(Statement insert, connection.Prepare(AdminSql(), "insert_handler"));
  TRY_OK(insert.Bind(name.callable, name.resolver, name.idempotent).Run());
  return sqlite3_last_insert_rowid(connection.db());
}

Status SetCurrent(sqlite::Connection& connection, std::int64_t id, bool current) {
  TRY(Statement set, connection.Prepare(AdminSql(), "set_current_template"));
  TRY_OK(set.Bind(id, current).Run());
  return Ok();
}

Result<Store::Registered> RegisterOne(sqlite::Connection& connection, const NewTemplate& text,
                                      Time now) {
  Store::Registered out;
  TRY(Statement find, connection.Prepare(AdminSql(), "find_template"));
  TRY(const bool known, find.Bind(text.ns, text.name, text.version, text.sha256).Step());
  if (known) {
    out.id = find.Int(0);
    if (find.Int(1) != 0) return out;
  }
  find.Reset();
  TRY(Statement current, connection.Prepare(AdminSql(), "current_template"));
  TRY(const bool other, current.Bind(text.ns, text.name, text.version).Step());
  if (other) {
    out.replaced = current.Text(1);
    const std::int64_t old = current.Int(0);
    current.Reset();
    TRY_OK(SetCurrent(connection, old, false));
  }
  if (!known) {
    TRY(Statement insert, connection.Prepare(AdminSql(), "insert_template"));
    TRY_OK(insert.Bind(text.ns, text.name, text.version, text.sha256, text.body, now).Run());
    out.id = sqlite3_last_insert_rowid(connection.db());
    out.added = true;
  }
  TRY_OK(SetCurrent(connection, out.id, true));
  return out;
}

// The store's texts were accepted once: what is unknown in them by now is no reason to refuse.
Result<workflow::ParsedTemplate> ParseStored(std::string_view body, std::int64_t id) {
  constexpr workflow::TemplateLimits kAny = {
      .text_max_bytes = std::size_t{64} << 20, .steps_max = 1'000'000, .depth_max = 512};
  return workflow::ParseTemplate(body, "template " + std::to_string(id) + " of the store", false,
                                 kAny);
}

Time WallNow() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

}  // namespace

Result<std::shared_ptr<const Workflow>> Store::State::WorkflowOf(std::int64_t template_id) {
  if (const auto known = workflows.find(template_id); known != workflows.end())
    return known->second;
  TRY(Statement body, connection->Prepare(AdminSql(), "template_body"));
  TRY(const bool row, body.Bind(template_id).Step());
  if (!row) return NotFound("the store has no template " + std::to_string(template_id));
  TRY(auto parsed, ParseStored(body.Text(0), template_id));
  workflow::Graph graph(parsed.task_template);
  std::vector<std::int64_t> handlers;
  for (const workflow::StepDefinition& step : parsed.task_template.steps) {
    bool idempotent = false;
    const HandlerName name{step.handler.callable, step.handler.resolver, false};
    TRY(const auto handler, FindHandler(*connection, name, idempotent));
    if (!handler)
      return Internal("the store does not know handler '" + name.callable +
                      "' of its own template");
    handlers.push_back(*handler);
  }
  auto made =
      std::make_shared<const Workflow>(Workflow{.id = template_id,
                                                .definition = std::move(parsed.task_template),
                                                .graph = std::move(graph),
                                                .handlers = std::move(handlers)});
  workflows.emplace(template_id, made);
  return made;
}

Result<std::shared_ptr<const Workflow>> Store::WorkflowOf(std::int64_t template_id) {
  return state_->WorkflowOf(template_id);
}

namespace {

Result<std::vector<OpenWorker>> OpenRows(sqlite::Connection& connection) {
  TRY(Statement rows, connection.Prepare(AdminSql(), "open_workers"));
  std::vector<OpenWorker> out;
  while (true) {
    TRY(const bool row, rows.Step());
    if (!row) break;
    OpenWorker worker;
    worker.id = rows.Int(0);
    worker.pid = rows.Int(1);
    worker.host = rows.Text(2);
    worker.version = rows.Text(3);
    worker.started = FromMicros(rows.Int(4));
    out.push_back(std::move(worker));
  }
  return out;
}

// A worker that left between the look at its row and the look at its lock has not died.
Status DropThoseThatLeft(sqlite::Connection& connection, std::vector<OpenWorker>& workers) {
  if (std::ranges::all_of(workers, &OpenWorker::alive)) return Ok();
  TRY(const std::vector<OpenWorker> still, OpenRows(connection));
  std::erase_if(workers, [&](const OpenWorker& worker) {
    return std::ranges::find(still, worker.id, &OpenWorker::id) == still.end();
  });
  return Ok();
}

}  // namespace

Result<std::vector<OpenWorker>> Store::Workers() {
  TRY(std::vector<OpenWorker> out, OpenRows(*state_->connection));
  for (OpenWorker& worker : out) {
    // Probing its own lock would drop it.
    worker.alive = worker.id == state_->worker || sqlite::IsAlive(state_->lock_folder, worker.id);
    worker.stopped = worker.alive && sqlite::IsStopped(static_cast<pid_t>(worker.pid));
    if (worker.id != state_->worker) {
      worker.running = sqlite::ReadRunning(state_->lock_folder, worker.id);
      worker.notice = sqlite::ReadNotice(state_->lock_folder, worker.id);
    }
  }
  TRY_OK(DropThoseThatLeft(*state_->connection, out));
  // After it was seen that they are stopped: what they hold then they keep.
  const auto holder = state_->turnstile->Holder();
  for (OpenWorker& worker : out)
    worker.holds_turn = holder && *holder != 0 && *holder == worker.pid;
  return out;
}

Result<std::int64_t> Store::Join(const NewWorker& worker) {
  CHECK(state_->worker == 0);
  sqlite::Connection& connection = *state_->connection;
  TRY(auto transaction, Transaction::Begin(connection, *state_->turnstile));
  TRY(Statement insert, connection.Prepare(AdminSql(), "insert_worker"));
  TRY_OK(insert.Bind(worker.uuid, worker.host, worker.pid, worker.version, WallNow()).Run());
  const std::int64_t id = sqlite3_last_insert_rowid(connection.db());
  // Locked before anybody can see the row: an open row with a free lock is a dead worker.
  TRY(auto life, sqlite::Life::Create(state_->lock_folder, id, worker.slots));
  if (auto committed = transaction->Commit(); !committed) {
    // The commit's error is the one to tell; a file without a row harms nobody.
    static_cast<void>(life->Remove());
    return committed.error();
  }
  state_->life = std::move(life);
  state_->worker = id;
  state_->turns->BecomeWorker(id, worker.namespaces);
  state_->bell->Ring();
  return id;
}

Status Store::Leave(std::int64_t worker, const std::string& reason) {
  {
    TRY(auto transaction, Transaction::Begin(*state_->connection, *state_->turnstile));
    // An ended worker is never buried: what it still holds would be held for ever.
    TRY(const auto held, state_->tx->Claims(worker));
    if (!held.empty()) {
      return Conflict("worker " + std::to_string(worker) + " still holds " +
                      std::to_string(held.size()) + " claims; the next start takes them over");
    }
    TRY_OK(state_->tx->EndWorker(worker, reason, WallNow()));
    TRY_OK(transaction->Commit());
  }
  state_->bell->Ring();
  if (worker != state_->worker || state_->life == nullptr) return Ok();
  state_->worker = 0;
  state_->turns->BecomeWorker(0, {});
  auto removed = state_->life->Remove();
  state_->life.reset();
  return removed;
}

Result<std::vector<Store::Registered>> Store::Register(std::span<const NewTemplate> templates) {
  sqlite::Connection& connection = *state_->connection;
  TRY(auto transaction, Transaction::Begin(connection, *state_->turnstile));
  std::vector<Registered> out;
  for (const NewTemplate& text : templates) {
    TRY(Registered registered, RegisterOne(connection, text, WallNow()));
    if (registered.added) {
      TRY(const auto parsed, ParseStored(text.body, registered.id));
      for (const workflow::StepDefinition& step : parsed.task_template.steps) {
        TRY_OK(InternOne(connection, {step.handler.callable, step.handler.resolver, false}));
      }
    }
    out.push_back(std::move(registered));
  }
  TRY_OK(transaction->Commit());
  return out;
}

Result<std::vector<std::int64_t>> Store::Intern(std::span<const HandlerName> handlers) {
  TRY(auto transaction, Transaction::Begin(*state_->connection, *state_->turnstile));
  std::vector<std::int64_t> out;
  for (const HandlerName& name : handlers) {
    TRY(const std::int64_t id, InternOne(*state_->connection, name));
    out.push_back(id);
  }
  TRY_OK(transaction->Commit());
  return out;
}

Result<std::vector<HeldClaim>> Store::Claims(std::int64_t worker) {
  return state_->tx->Claims(worker);
}

Result<std::vector<workflow::Revocation>> Store::Revoked(std::int64_t worker) {
  return state_->tx->Revoked(worker);
}

}  // namespace tasker::store
