#include "store/sqlite/schema.h"

#include "store/sqlite/sql.h"

namespace tasker::store::sqlite {
namespace {

constexpr std::int64_t kApplicationId = 0x5461736b;  // "Task": tells a store from somebody else's database

Status Create(Connection& connection) {
  TRY_OK(connection.Execute("BEGIN IMMEDIATE"));
  auto made = [&]() -> Status {
    TRY_OK(connection.Execute(kSql_001_initial));
    TRY_OK(connection.Execute(("PRAGMA application_id = " + std::to_string(kApplicationId)).c_str()));
    TRY_OK(connection.Execute(("PRAGMA user_version = " + std::to_string(kSchemaVersion)).c_str()));
    return connection.Execute("COMMIT");
  }();
  if (!made) {
    // The error of the creation is the one that matters.
    if (connection.in_transaction()) static_cast<void>(connection.Execute("ROLLBACK"));
    return Prefixed("create the tables of " + connection.path(), made.error());
  }
  return Ok();
}

}  // namespace

Status EnsureSchema(Connection& connection) {
  TRY(const std::int64_t application, connection.Number("PRAGMA application_id"));
  TRY(const std::int64_t version, connection.Number("PRAGMA user_version"));
  TRY(const std::int64_t tables, connection.Number("SELECT count(*) FROM sqlite_schema"));
  if (tables == 0 && version == 0) return Create(connection);
  const std::string file = "the file " + connection.path();
  if (application != kApplicationId) {
    return Incompatible(file + " is a database, but no store of Tasker Host; name another file in [store] path");
  }
  if (version > kSchemaVersion) {
    return Incompatible(file + " was written by a newer tasker-host (schema " + std::to_string(version) +
                        ", this one knows " + std::to_string(kSchemaVersion) + "); install that version");
  }
  if (version < kSchemaVersion) {
    return Incompatible(file + " has the older schema " + std::to_string(version) + ", this tasker-host needs " +
                        std::to_string(kSchemaVersion) + "; run tasker-host store migrate");
  }
  return Ok();
}

}  // namespace tasker::store::sqlite
