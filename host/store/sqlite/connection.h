#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/uuid.h"

namespace tasker::store::sqlite {

// See store::TuneProcess.
void TuneProcess();

// What SQLite says, as an Error: kInvalid when this statement's values are to blame, kIncompatible
// for a file that is damaged or no database, kUnavailable for everything else (full, I/O, busy,
// read-only): the store, not the item.
Error MakeError(sqlite3* db, int code, std::string_view what);

// One prepared statement. Bound texts are borrowed until Reset. Owned by its connection's thread.
class Statement final {
 public:
  Statement() = default;
  Statement(Statement&& other) noexcept : stmt_(std::exchange(other.stmt_, nullptr)) {}
  Statement& operator=(Statement&& other) noexcept {
    std::swap(stmt_, other.stmt_);
    return *this;
  }
  ~Statement() { sqlite3_finalize(stmt_); }

  // Values are bound from parameter 1 on, in order.
  template <typename... Values>
  Statement& Bind(const Values&... values) {
    int at = 0;
    (BindAt(++at, values), ...);
    return *this;
  }

  // True: a row is there. After false or an error the statement is reset.
  Result<bool> Step();
  // Runs a statement that returns no row; the number of rows changed.
  Result<int> Run();
  void Reset() { sqlite3_reset(stmt_); }

  std::int64_t Int(int column) const { return sqlite3_column_int64(stmt_, column); }
  std::int32_t Int32(int column) const { return sqlite3_column_int(stmt_, column); }
  bool IsNull(int column) const { return sqlite3_column_type(stmt_, column) == SQLITE_NULL; }
  std::optional<Time> TimeAt(int column) const {
    return IsNull(column) ? std::nullopt : std::optional(FromMicros(Int(column)));
  }
  // Until the next Step or Reset.
  std::string_view Text(int column) const;
  Uuid UuidAt(int column) const;

 private:
  friend class Connection;
  explicit Statement(sqlite3_stmt* stmt) : stmt_(stmt) {}

  void BindAt(int at, std::int64_t value) { sqlite3_bind_int64(stmt_, at, value); }
  void BindAt(int at, std::int32_t value) { sqlite3_bind_int(stmt_, at, value); }
  void BindAt(int at, bool value) { sqlite3_bind_int(stmt_, at, value ? 1 : 0); }
  void BindAt(int at, Time value) { sqlite3_bind_int64(stmt_, at, Micros(value)); }
  void BindAt(int at, const char*) = delete;  // a text is a string_view
  void BindAt(int at, std::string_view value) {
    // A null pointer would bind NULL.
    sqlite3_bind_text64(stmt_, at, value.data() == nullptr ? "" : value.data(), value.size(),
                        SQLITE_STATIC, SQLITE_UTF8);
  }
  void BindAt(int at, const std::string& value) { BindAt(at, std::string_view(value)); }
  void BindAt(int at, const Uuid& value) {
    sqlite3_bind_blob(stmt_, at, value.bytes.data(), static_cast<int>(value.bytes.size()),
                      SQLITE_STATIC);
  }
  void BindAt(int at, std::nullopt_t) { sqlite3_bind_null(stmt_, at); }
  template <typename T>
  void BindAt(int at, const std::optional<T>& value) {
    if (value) {
      BindAt(at, *value);
    } else {
      sqlite3_bind_null(stmt_, at);
    }
  }

  sqlite3_stmt* stmt_ = nullptr;
};

// The statements of one .sql file by the name above each.
using SqlFile = std::map<std::string, std::string, std::less<>>;
SqlFile ParseSqlFile(std::string_view text);

// One connection, used by one thread at a time.
class Connection final {
 public:
  enum class Mode { kWrite, kRead };
  // The file is there, if only an empty one.
  static Result<std::unique_ptr<Connection>> Open(const std::string& path, Mode mode,
                                                  bool full_sync);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  sqlite3* db() const { return db_; }
  const std::string& path() const { return path_; }
  // Makes the file a WAL database, a new one, without any table, also one that can be vacuumed in
  // slices. Writes nothing to one that is a WAL database already. kIncompatible if SQLite does not.
  Status UseWal(bool is_new);

  Status BeginWrite();
  Status BeginRead();
  Status Commit();
  // Also where SQLite has rolled back by itself. What a failed rollback leaves is reported by the
  // next Begin.
  void Rollback();

  // Statements without parameters or rows; several at once are allowed.
  Status Execute(const char* sql);
  // The one number that the statement returns.
  Result<std::int64_t> Number(const SqlFile& file, std::string_view name);
  // A statement of the file by its name, which must be there.
  Result<Statement> Prepare(const SqlFile& file, std::string_view name);
  bool in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }

 private:
  Connection(sqlite3* db, std::string path) : db_(db), path_(std::move(path)) {}
  Status Configure(Mode mode, bool full_sync);
  Result<Statement> PrepareText(std::string_view sql);

  sqlite3* const db_;
  const std::string path_;
  Statement begin_read_, rollback_;  // of a reader, which runs them for each thing that it reads
};

}  // namespace tasker::store::sqlite
