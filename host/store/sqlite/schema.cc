#include "store/sqlite/schema.h"

#include "store/sqlite/sql.h"

namespace tasker::store::sqlite {
namespace {

constexpr std::int64_t kApplicationId = 0x5461736b;  // as the first migration sets it

Status Create(Connection& connection) {
  TRY_OK(connection.UseWal(true));
  TRY_OK(connection.BeginWrite());
  auto made = connection.Execute(kSql_001_initial);
  if (made) made = connection.Commit();
  if (made) return made;
  connection.Rollback();
  return Prefixed("create the tables of " + connection.path(), made.error());
}

}  // namespace

Result<bool> HasSchema(Connection& connection) {
  const SqlFile sql = ParseSqlFile(kSql_admin);
  TRY(const std::int64_t application, connection.Number(sql, "application_id"));
  TRY(const std::int64_t version, connection.Number(sql, "user_version"));
  TRY(const std::int64_t objects, connection.Number(sql, "count_objects"));
  if (objects == 0 && version == 0) return false;
  const std::string file = "the file " + connection.path();
  if (application != kApplicationId) {
    return Incompatible(
        file + " is a database, but no store of Tasker Host; name another file in [store] path");
  }
  if (version > kSchemaVersion) {
    return Incompatible(file + " was written by a newer tasker-host (schema " +
                        std::to_string(version) + ", this one knows " +
                        std::to_string(kSchemaVersion) + "); install that version");
  }
  if (version < kSchemaVersion) {
    return Incompatible(file + " has the older schema " + std::to_string(version) +
                        ", this tasker-host needs " + std::to_string(kSchemaVersion) +
                        "; let the tasker-host that wrote it end its tasks, or name another "
                        "file in [store] path");
  }
  TRY_OK(connection.UseWal(false));
  return true;
}

Status EnsureSchema(Connection& connection) {
  TRY(const bool there, HasSchema(connection));
  return there ? Ok() : Create(connection);
}

}  // namespace tasker::store::sqlite
