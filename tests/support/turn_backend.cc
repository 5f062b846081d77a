#include "tests/support/turn_backend.h"

#include <sqlite3.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "store/memory/tx.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/files.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/turnstile.h"
#include "store/sqlite/tx.h"
#include "tests/support/scoped_temp_dir.h"

namespace tasker::testing {
namespace {

using store::StepKey;
using workflow::ClaimId;

template <typename T>
T Must(Result<T> result) {
  if (!result) CheckFailed(__FILE__, __LINE__, result.error().message.c_str());
  return *std::move(result);
}

class MemoryBackend final : public TurnBackend {
 public:
  store::Tx& NewHost() override {
    return *hosts_.emplace_back(std::make_unique<store::memory::MemoryTx>(database_));
  }
  void Drop(store::Tx& host) override {
    if (database_.in_transaction) host.Rollback();
    std::erase_if(hosts_, [&host](const auto& known) { return known.get() == &host; });
  }
  void AddTemplate(std::int64_t id, const std::string& ns) override {
    database_.templates.Put(id, ns);
    database_.templates.Keep();
  }
  void AddHandler(std::int64_t id) override {
    database_.handlers.Put(id, false);
    database_.handlers.Keep();
  }
  void AddWorker(std::int64_t id) override {
    database_.workers.Put(id, {});
    database_.workers.Keep();
  }

  StoreSnapshot Read() override {
    CHECK(!database_.in_transaction);
    StoreSnapshot out;
    for (const auto& [id, task] : database_.tasks.rows()) {
      out.tasks[id] = {task.row.uuid,     task.row.template_id, task.row.state,
                       task.row.priority, task.identity,        task.row.start,
                       task.row.ended,    task.row.created,     task.context};
    }
    out.steps = database_.steps.rows();
    for (const auto& [key, stored] : database_.attempts.rows()) {
      const workflow::AttemptWrite& a = stored.attempt;
      out.attempts[key] = {a.outcome, a.ready, a.claimed, a.started, a.ended, !stored.late.empty()};
    }
    out.payloads = database_.payloads.rows();
    for (const auto& [id, letter] : database_.dead_letters.rows()) {
      out.dead_letters.emplace_back(letter.step, letter.reason, letter.resolution);
    }
    for (const auto& [id, action] : database_.actions.rows()) out.actions[id] = action.kind;
    for (const auto& [id, paused] : database_.handlers.rows()) {
      if (paused) out.paused.push_back(id);
    }
    for (const auto& [id, worker] : database_.workers.rows()) {
      if (worker.ended) out.ended_workers.push_back(id);
    }
    return out;
  }

 private:
  store::memory::Database database_;
  std::vector<std::unique_ptr<store::memory::MemoryTx>> hosts_;
};

class SqliteBackend final : public TurnBackend {
 public:
  SqliteBackend()
      : path_((dir_.path() / "x.db").string()),
        turnstile_(Must(store::sqlite::Turnstile::Open(
            Must(store::sqlite::PrepareLockFolder(path_, "", true))))),
        reader_(OpenConnection()) {
    Must(turnstile_->Enter());
    Must(store::sqlite::EnsureSchema(*reader_));
    turnstile_->Leave();
  }

  store::Tx& NewHost() override {
    Host& host = hosts_.emplace_back();
    host.connection = OpenConnection();
    host.tx = Must(store::sqlite::SqliteTx::Make(*host.connection, *turnstile_));
    return *host.tx;
  }
  void Drop(store::Tx& host) override {
    std::erase_if(hosts_, [&host](const Host& known) { return known.tx.get() == &host; });
  }
  void AddTemplate(std::int64_t id, const std::string& ns) override {
    const std::string n = std::to_string(id);
    Execute("INSERT INTO template VALUES(" + n + ",'" + ns + "','t" + n + "','1','" + n +
            "','',1,0)");
  }
  void AddHandler(std::int64_t id) override {
    const std::string n = std::to_string(id);
    Execute("INSERT INTO handler(id, callable, resolver, idempotent, paused) VALUES(" + n + ",'h" +
            n + "','',0,0)");
  }
  void AddWorker(std::int64_t id) override {
    const std::string n = std::to_string(id);
    Execute("INSERT INTO worker VALUES(" + n + ",x'" + std::string(32 - n.size(), '0') + n +
            "','test',1,'0',0,NULL,NULL)");
  }

  StoreSnapshot Read() override {
    StoreSnapshot out;
    ReadTasks(out);
    ReadSteps(out);
    ReadAttempts(out);
    ForEachRow("SELECT task_id, n, kind, body FROM payload", [&](const auto& s) {
      const auto kind = static_cast<workflow::PayloadKind>(s.Int32(2));
      out.payloads[{{s.Int(0), s.Int32(1)}, kind}] = s.Text(3);
    });
    ForEachRow("SELECT task_id, n, reason, resolution FROM dead_letter ORDER BY id",
               [&](const auto& s) {
                 out.dead_letters.emplace_back(StepKey{s.Int(0), s.Int32(1)},
                                               std::string(s.Text(2)), std::string(s.Text(3)));
               });
    ForEachRow("SELECT uuid, kind FROM action",
               [&](const auto& s) { out.actions[s.UuidAt(0)] = s.Int32(1); });
    ForEachRow("SELECT id FROM handler WHERE paused = 1 ORDER BY id",
               [&](const auto& s) { out.paused.push_back(s.Int(0)); });
    ForEachRow("SELECT id FROM worker WHERE ended_us IS NOT NULL ORDER BY id",
               [&](const auto& s) { out.ended_workers.push_back(s.Int(0)); });
    return out;
  }

 private:
  struct Host {
    std::unique_ptr<store::sqlite::Connection> connection;
    std::unique_ptr<store::sqlite::SqliteTx> tx;
  };

  std::unique_ptr<store::sqlite::Connection> OpenConnection() {
    auto connection = Must(
        store::sqlite::Connection::Open(path_, store::sqlite::Connection::Mode::kWrite, false));
    Must(connection->Execute("PRAGMA synchronous = OFF"));
    return connection;
  }
  void Execute(const std::string& sql) { Must(reader_->Execute(sql.c_str())); }

  template <typename Function>
  void ForEachRow(const std::string& sql, Function function) {
    auto statement = Must(reader_->Prepare({{"read", sql}}, "read"));
    while (Must(statement.Step())) function(statement);
  }

  void ReadTasks(StoreSnapshot& out) {
    ForEachRow(
        "SELECT id, uuid, template_id, state, priority, identity, start_us, ended_us, created_us, "
        "context FROM task JOIN task_input ON task_id = id",
        [&](const auto& s) {
          StoreSnapshot::Task& task = out.tasks[s.Int(0)];
          task = {s.UuidAt(1),
                  s.Int(2),
                  static_cast<workflow::TaskState>(s.Int32(3)),
                  s.Int32(4),
                  s.IsNull(5) ? std::nullopt : std::optional<std::string>(s.Text(5)),
                  s.TimeAt(6),
                  s.TimeAt(7),
                  FromMicros(s.Int(8)),
                  std::string(s.Text(9))};
        });
  }
  void ReadSteps(StoreSnapshot& out) {
    ForEachRow(
        "SELECT task_id, n, template_step, handler_id, state, waiting_for, priority, attempts, "
        "crashes, claim_id, revoked, due_us, ready_us, claimed_us, ended_us FROM step",
        [&](const auto& s) {
          out.steps[{s.Int(0), s.Int32(1)}] = {
              .n = s.Int32(1),
              .template_step = s.Int32(2),
              .handler = s.Int(3),
              .state = static_cast<workflow::StepState>(s.Int32(4)),
              .waiting_for = s.Int32(5),
              .priority = s.Int32(6),
              .attempts = s.Int32(7),
              .crashes = s.Int32(8),
              .claim = ClaimId{s.Int(9)},
              .revoked = s.Int32(10) != 0,
              .due = s.TimeAt(11),
              .ready = s.TimeAt(12),
              .claimed = s.TimeAt(13),
              .ended = s.TimeAt(14)};
        });
  }
  void ReadAttempts(StoreSnapshot& out) {
    ForEachRow(
        "SELECT task_id, n, claim_id, outcome, ready_us, claimed_us, started_us, ended_us, "
        "json_extract(error, '$.late') IS NOT NULL FROM attempt",
        [&](const auto& s) {
          out.attempts[{{s.Int(0), s.Int32(1)}, ClaimId{s.Int(2)}}] = {
              static_cast<workflow::AttemptOutcome>(s.Int32(3)),
              s.TimeAt(4),
              s.TimeAt(5),
              s.TimeAt(6),
              FromMicros(s.Int(7)),
              s.Int32(8) != 0};
        });
  }

  const ScopedTempDir dir_;
  const std::string path_;
  const std::unique_ptr<store::sqlite::Turnstile> turnstile_;
  const std::unique_ptr<store::sqlite::Connection> reader_;
  std::vector<Host> hosts_;
};

}  // namespace

std::string DifferenceOf(const StoreSnapshot& a, const StoreSnapshot& b) {
  const auto describe = [](const workflow::StepRow& step) {
    std::string text = std::string(Name(step.state)) + ", attempts " +
                       std::to_string(step.attempts) + ", crashes " + std::to_string(step.crashes) +
                       ", waiting for " + std::to_string(step.waiting_for) + ", claim " +
                       std::to_string(workflow::Number(step.claim)) +
                       (step.revoked ? ", revoked" : "");
    if (step.due) text += ", due " + std::to_string(Micros(*step.due));
    if (step.ended) text += ", ended " + std::to_string(Micros(*step.ended));
    return text;
  };
  for (const auto& [key, step] : a.steps) {
    const auto other = b.steps.find(key);
    if (other != b.steps.end() && other->second == step) continue;
    return "step " + std::to_string(key.n) + " of task " + std::to_string(key.task) + ": " +
           describe(step) + " / " +
           (other == b.steps.end() ? "not there" : describe(other->second));
  }
  for (const auto& [id, task] : a.tasks) {
    const auto other = b.tasks.find(id);
    if (other != b.tasks.end() && other->second == task) continue;
    return "task " + std::to_string(id) + ": " + std::string(Name(task.state)) + " / " +
           (other == b.tasks.end() ? "not there" : std::string(Name(other->second.state)));
  }
  if (a.steps.size() != b.steps.size() || a.tasks.size() != b.tasks.size()) return "more tasks";
  if (a.attempts != b.attempts) return "the attempts";
  if (a.payloads != b.payloads) return "the payloads";
  if (a.dead_letters != b.dead_letters) return "the dead letters";
  if (a.actions != b.actions) return "the actions";
  if (a.paused != b.paused) return "the paused handlers";
  return a == b ? "" : "the workers that have ended";
}

std::string NameOf(BackendKind kind) { return kind == BackendKind::kMemory ? "Memory" : "Sqlite"; }

std::unique_ptr<TurnBackend> MakeBackend(BackendKind kind) {
  if (kind == BackendKind::kMemory) return std::make_unique<MemoryBackend>();
  return std::make_unique<SqliteBackend>();
}

}  // namespace tasker::testing
