#include "store/sqlite/connection.h"

#include <cstring>
#include <utility>

#include "base/check.h"
#include "store/sqlite/log_vfs.h"

namespace tasker::store::sqlite {
namespace {

constexpr int kBusyTimeoutMs = 5000;  // the belt; the turnstile is what keeps writers apart

// Checkpoints run on the committing thread. A background thread let the WAL grow to 1 GB in 5 s
// (store.md 6).
// The page cache stays small: at each commit SQLite walks all of it, which with 64 MiB cost more
// than the pages it kept from being read again out of the kernel's cache.
constexpr char kWriterPragmas[] =
    "PRAGMA wal_autocheckpoint = 4000;"
    "PRAGMA cache_size = -4096;"
    "PRAGMA temp_store = MEMORY;";
constexpr char kReaderPragmas[] =
    "PRAGMA cache_size = -8192;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA query_only = ON;";

}  // namespace

void TuneProcess() {
  // Counting allocations costs every one of them a lock. Refused, harmlessly, when SQLite is in use
  // already.
  static_cast<void>(sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0));
}

Error MakeError(sqlite3* db, int code, std::string_view what) {
  const char* message = db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code);
  std::string text = std::string(what) + ": " + message;
  switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
      return Invalid(std::move(text));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Incompatible(std::move(text) + "; restore the file from a backup");
    case SQLITE_FULL:
      return Unavailable(std::move(text) + "; free some space, the host goes on by itself");
    case SQLITE_READONLY:
      return Unavailable(std::move(text) +
                         "; make the file, its folder and the file system writable");
    case SQLITE_IOERR:
      return Unavailable(std::move(text) + " (SQLite code " + std::to_string(code) +
                         "); check the disk and the system's log, the host goes on by itself");
    default:
      return Unavailable(std::move(text) + " (SQLite code " + std::to_string(code) + ")");
  }
}

Result<bool> Statement::Step() {
  const int code = sqlite3_step(stmt_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    sqlite3_reset(stmt_);
    return false;
  }
  sqlite3* const db = sqlite3_db_handle(stmt_);
  Error error = MakeError(db, sqlite3_extended_errcode(db), "SQLite");
  sqlite3_reset(stmt_);
  return error;
}

Result<int> Statement::Run() {
  TRY(const bool row, Step());
  CHECK(!row);
  return sqlite3_changes(sqlite3_db_handle(stmt_));
}

std::string_view Statement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(stmt_, column));
  return text == nullptr ? std::string_view()
                         : std::string_view(
                               text, static_cast<std::size_t>(sqlite3_column_bytes(stmt_, column)));
}

Uuid Statement::UuidAt(int column) const {
  Uuid out;
  const void* blob = sqlite3_column_blob(stmt_, column);
  if (blob != nullptr &&
      sqlite3_column_bytes(stmt_, column) == static_cast<int>(out.bytes.size())) {
    std::memcpy(out.bytes.data(), blob, out.bytes.size());
  }
  return out;
}

SqlFile ParseSqlFile(std::string_view text) {
  constexpr std::string_view kMark = "-- name: ";
  SqlFile out;
  std::size_t at = text.find(kMark);
  while (at != std::string_view::npos) {
    const std::size_t name_at = at + kMark.size();
    const std::size_t line_end = text.find('\n', name_at);
    const std::size_t next = text.find(kMark, line_end);
    const std::string name(text.substr(name_at, line_end - name_at));
    CHECK(out.emplace(name, text.substr(line_end + 1, next - line_end - 1)).second);
    at = next;
  }
  return out;
}

Result<std::unique_ptr<Connection>> Connection::Open(const std::string& path, Mode mode,
                                                     bool full_sync) {
  // A reader of a WAL file writes to its index, so it opens the file for writing too; query_only
  // keeps it honest.
  constexpr int kFlags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_READWRITE;
  sqlite3* db = nullptr;
  const bool gathers = mode == Mode::kWrite && full_sync;
  const int code = sqlite3_open_v2(path.c_str(), &db, kFlags, gathers ? GatheringVfs() : nullptr);
  std::unique_ptr<Connection> connection(new Connection(db, path));
  if (code != SQLITE_OK) return MakeError(db, code, "open " + path);
  if (auto configured = connection->Configure(mode, full_sync); !configured) {
    return Prefixed("open " + path, configured.error());
  }
  return connection;
}

Connection::~Connection() { sqlite3_close_v2(db_); }

Status Connection::Configure(Mode mode, bool full_sync) {
  sqlite3_busy_timeout(db_, kBusyTimeoutMs);
  if (mode == Mode::kRead) {
    TRY(begin_read_, PrepareText("BEGIN"));
    TRY(rollback_, PrepareText("ROLLBACK"));
    return Execute(kReaderPragmas);
  }
  TRY_OK(Execute(kWriterPragmas));
  TRY_OK(Execute(full_sync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL"));
  // A build of SQLite that ignores the pragma would lose acknowledged work without a word.
  TRY(Statement synchronous, PrepareText("PRAGMA synchronous"));
  TRY(const bool row, synchronous.Step());
  if (!row || synchronous.Int(0) != (full_sync ? 2 : 1)) {
    return Incompatible("SQLite did not take PRAGMA synchronous; use the system's library");
  }
  return Ok();
}

Status Connection::UseWal(bool is_new) {
  // Before the first table: later it would need a VACUUM. Where it stands already SQLite writes it
  // all the same, and each look at the store would cost a commit, or fail on a full disk.
  if (is_new) TRY_OK(Execute("PRAGMA auto_vacuum = INCREMENTAL"));
  TRY(Statement journal, PrepareText("PRAGMA journal_mode = WAL"));
  TRY(const bool row, journal.Step());
  if (!row || journal.Text(0) != "wal") {
    return Incompatible("SQLite did not make " + path_ +
                        " a WAL database; put it on a local file system");
  }
  return Ok();
}

Status Connection::BeginWrite() { return Execute("BEGIN IMMEDIATE"); }
Status Connection::BeginRead() {
  TRY_OK(begin_read_.Run());
  return Ok();
}
Status Connection::Commit() { return Execute("COMMIT"); }

void Connection::Rollback() {
  if (!in_transaction()) return;
  if (rollback_.stmt_ != nullptr) {
    static_cast<void>(rollback_.Run());
  } else {
    static_cast<void>(Execute("ROLLBACK"));
  }
}

Status Connection::Execute(const char* sql) {
  const int code = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return MakeError(db_, code, "SQLite");
  return Ok();
}

Result<std::int64_t> Connection::Number(const SqlFile& file, std::string_view name) {
  TRY(Statement statement, Prepare(file, name));
  TRY(const bool row, statement.Step());
  if (!row) return NotFound("statement " + std::string(name) + " returned no row");
  return statement.Int(0);
}

Result<Statement> Connection::Prepare(const SqlFile& file, std::string_view name) {
  const auto text = file.find(name);
  CHECK(text != file.end());
  return PrepareText(text->second);
}

Result<Statement> Connection::PrepareText(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK) return MakeError(db_, code, "prepare a statement");
  return Statement(raw);
}

}  // namespace tasker::store::sqlite
