#include "store/backup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "base/unique_fd.h"
#include "store/reader_state.h"
#include "store/sqlite/sql.h"

namespace tasker::store {
namespace {

using sqlite::Connection;
using sqlite::Statement;

constexpr int kPagesAtOnce = 4096;

Error Refused(const std::string& file) {
  const int reason = errno;
  if (reason == EEXIST) {
    return Conflict("back up to " + file +
                    ": there is such a file, and it is not overwritten; name another one");
  }
  const std::string text = "back up to " + file + ": " + std::strerror(reason);
  return reason == ENOENT ? NotFound(text + "; make its folder first") : Unavailable(text);
}

// A new file that goes again unless it is kept.
class NewFile final {
 public:
  static Result<std::unique_ptr<NewFile>> Create(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
    if (!fd.valid()) return Refused(path);
    return std::unique_ptr<NewFile>(new NewFile(path));
  }
  ~NewFile() {
    // SQLite leaves these where the copy could not be closed properly.
    for (const char* beside : {"-wal", "-shm", "-journal"})
      static_cast<void>(::unlink((path_ + beside).c_str()));
    if (!kept_) static_cast<void>(::unlink(path_.c_str()));
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void Keep() { kept_ = true; }

 private:
  explicit NewFile(std::string path) : path_(std::move(path)) {}

  const std::string path_;
  bool kept_ = false;
};

Status Copy(Connection& from, Connection& to) {
  // One snapshot: otherwise each commit of another process would begin the copy anew.
  TRY(const auto snapshot, Snapshot::Begin(from));
  // The snapshot begins with the first thing that is read.
  TRY_OK(from.Number(sqlite::ParseSqlFile(sqlite::kSql_upkeep), "rows_handler"));
  sqlite3_backup* const backup = sqlite3_backup_init(to.db(), "main", from.db(), "main");
  if (backup == nullptr) return sqlite::MakeError(to.db(), sqlite3_errcode(to.db()), "copy");
  int code = SQLITE_OK;
  while (code == SQLITE_OK) code = sqlite3_backup_step(backup, kPagesAtOnce);
  const int finished = sqlite3_backup_finish(backup);
  if (code != SQLITE_DONE) return sqlite::MakeError(nullptr, code, "copy");
  if (finished != SQLITE_OK) return sqlite::MakeError(to.db(), finished, "copy");
  return Ok();
}

Result<std::int64_t> Check(Connection& copy) {
  const sqlite::SqlFile verify = sqlite::ParseSqlFile(sqlite::kSql_verify);
  TRY(Statement check, copy.Prepare(verify, "quick_check_all"));
  TRY(const bool row, check.Step());
  if (!row || check.Text(0) != "ok") {
    return Incompatible("the copy is damaged: " + std::string(check.Text(0)) +
                        "; check the disk, and the store with `tasker-host store verify`");
  }
  const sqlite::SqlFile upkeep = sqlite::ParseSqlFile(sqlite::kSql_upkeep);
  return copy.Number(upkeep, "rows_task");
}

// The name of the file is on the disk too.
Status SyncFolder(const std::string& file) {
  const std::string folder = std::filesystem::absolute(file).parent_path();
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.valid() && ::fsync(fd.get()) == 0) return Ok();
  return Unavailable("sync folder " + folder + ": " + std::strerror(errno));
}

}  // namespace

Result<BackedUp> Backup(const Store& store, const std::string& file) {
  TRY(const auto target, NewFile::Create(file));
  BackedUp out;
  {
    TRY(const auto from, Connection::Open(store.path(), Connection::Mode::kRead, true));
    TRY(const auto to, Connection::Open(file, Connection::Mode::kWrite, true));
    if (auto copied = Copy(*from, *to); !copied)
      return Prefixed("back up to " + file, copied.error());
  }
  {
    TRY(const auto copy, Connection::Open(file, Connection::Mode::kRead, true));
    auto tasks = Check(*copy);
    if (!tasks) return Prefixed("back up to " + file, tasks.error());
    out.tasks = *tasks;
  }
  TRY_OK(SyncFolder(file));
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return Refused(file);
  out.bytes = info.st_size;
  target->Keep();
  return out;
}

}  // namespace tasker::store
