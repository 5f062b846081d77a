#include "store/stats.h"

#include <sys/stat.h>

#include <array>
#include <string>

#include "store/sqlite/connection.h"
#include "store/sqlite/sql.h"

namespace tasker::store {
namespace {

using sqlite::SqlFile;
using sqlite::Statement;

constexpr std::array<std::string_view, 11> kTables = {
    "template", "handler", "worker",  "worker_handler", "task",       "task_input",
    "step",     "payload", "attempt", "action",         "dead_letter"};

std::int64_t SizeOf(const std::string& file) {
  struct stat info {};
  return ::stat(file.c_str(), &info) == 0 ? std::int64_t{info.st_size} : 0;
}

Result<std::optional<Time>> TimeOf(sqlite::Connection& connection, const SqlFile& sql,
                                   std::string_view name) {
  TRY(Statement statement, connection.Prepare(sql, name));
  TRY(const bool row, statement.Step());
  return row ? statement.TimeAt(0) : std::optional<Time>();
}

}  // namespace

Result<StoreStats> Stats(const Store& store) {
  TRY(const auto connection,
      sqlite::Connection::Open(store.path(), sqlite::Connection::Mode::kRead, true));
  const SqlFile sql = sqlite::ParseSqlFile(sqlite::kSql_upkeep);
  StoreStats out;
  out.file_bytes = SizeOf(store.path());
  out.wal_bytes = SizeOf(store.path() + "-wal");
  TRY(out.page_bytes, connection->Number(sql, "page_size"));
  TRY(out.pages, connection->Number(sql, "page_count"));
  TRY(out.free_pages, connection->Number(sql, "freelist_count"));
  for (const std::string_view table : kTables) {
    TRY(const std::int64_t rows, connection->Number(sql, "rows_" + std::string(table)));
    out.rows.emplace_back(table, rows);
  }
  TRY(out.oldest_task, TimeOf(*connection, sql, "oldest_task"));
  TRY(out.oldest_open, TimeOf(*connection, sql, "oldest_open_task"));
  TRY(out.oldest_ended, TimeOf(*connection, sql, "oldest_ended_task"));
  TRY(out.oldest_dead_letter, TimeOf(*connection, sql, "oldest_dead_letter"));
  return out;
}

}  // namespace tasker::store
