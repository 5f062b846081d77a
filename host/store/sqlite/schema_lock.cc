#include "store/sqlite/schema_lock.h"

#include <cerrno>
#include <utility>

#include "store/sqlite/lock_file.h"

namespace tasker::store::sqlite {
namespace {

std::string Blocker(int fd) {
  const auto blocker = FindBlocker(fd);
  return blocker && *blocker ? DescribeProcess(**blocker) : "another process";
}

}  // namespace

Result<std::unique_ptr<SchemaLock>> SchemaLock::Open(const std::string& lock_folder) {
  TRY(UniqueFd file, OpenLockFile(lock_folder, "schema"));
  std::string database = DatabaseName(lock_folder);
  const int error = TryLock(file.get(), LockKind::kShared);
  if (error == EAGAIN) {
    return Unavailable("cannot open " + database + ": " + Blocker(file.get()) +
                       " is migrating it; try again when that has ended");
  }
  if (error != 0)
    return Unavailable("cannot lock the schema of " + database + ": " + ErrnoText(error));
  return std::unique_ptr<SchemaLock>(new SchemaLock(std::move(database), std::move(file)));
}

Status SchemaLock::Upgrade() {
  const int error = TryLock(file_.get(), LockKind::kExclusive);
  if (error == 0) return Ok();
  if (error == EAGAIN) {
    return Conflict("cannot migrate " + database_ + ": " + Blocker(file_.get()) +
                    " has it open; stop every host and client of it first");
  }
  return Unavailable("cannot lock the schema of " + database_ + ": " + ErrnoText(error));
}

}  // namespace tasker::store::sqlite
