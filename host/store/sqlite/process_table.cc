#include "store/sqlite/process_table.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <map>
#include <memory>
#include <utility>

#include "base/check.h"
#include "base/mutex.h"
#include "store/sqlite/files.h"
#include "store/sqlite/lock_file.h"

namespace tasker::store::sqlite {
namespace {

// Each entry names the process that made it: in a forked child the inherited ones are foreign.
struct ProcessTable {
  Mutex mu;
  std::map<FileId, pid_t> stores GUARDED_BY(mu);
  std::map<FileId, pid_t> held GUARDED_BY(mu);

  static ProcessTable& Instance();
};

// A fork while another thread is inside would leave the child a mutex that nobody unlocks.
void BeforeFork() NO_THREAD_SAFETY_ANALYSIS { ProcessTable::Instance().mu.Lock(); }
void AfterFork() NO_THREAD_SAFETY_ANALYSIS { ProcessTable::Instance().mu.Unlock(); }

// Never destroyed: a store may be closed later than the statics are.
ProcessTable& ProcessTable::Instance() {
  alignas(ProcessTable) static std::byte place[sizeof(ProcessTable)];
  static ProcessTable* const table = [] {
    CHECK(::pthread_atfork(BeforeFork, AfterFork, AfterFork) == 0);
    return std::construct_at(reinterpret_cast<ProcessTable*>(place));
  }();
  return *table;
}

void EraseOwn(std::map<FileId, pid_t>& entries, const FileId& id) {
  const auto entry = entries.find(id);
  if (entry != entries.end() && entry->second == ::getpid()) entries.erase(entry);
}

}  // namespace

Result<OpenedStore> OpenedStore::Claim(const std::string& db_path) {
  TRY(const std::string database, ResolveDatabase(db_path));
  struct stat folder {};
  if (::stat((database + ".d").c_str(), &folder) != 0) {
    return Unavailable("cannot use the lock folder " + database + ".d: " + ErrnoText(errno));
  }
  const FileId id{.device = folder.st_dev, .inode = folder.st_ino};
  ProcessTable& table = ProcessTable::Instance();
  pid_t owner = 0;
  {
    MutexLock lock(table.mu);
    owner = table.stores.try_emplace(id, 0).first->second;
    if (owner == 0) {
      table.stores[id] = ::getpid();
      return OpenedStore(id);
    }
  }
  if (owner == ::getpid())
    return Conflict("this process already has " + database + " open: one store a process");
  return Conflict("a parent process of this one (pid " + std::to_string(owner) + ") had " +
                  database +
                  " open, and a store does not survive a fork; start the worker after the fork "
                  "(lifespan, gunicorn's " +
                  "post_fork, multiprocessing's spawn)");
}

OpenedStore::OpenedStore(OpenedStore&& other) noexcept
    : id_(other.id_), owned_(std::exchange(other.owned_, false)) {}

OpenedStore& OpenedStore::operator=(OpenedStore&& other) noexcept {
  if (this != &other) {
    Release();
    id_ = other.id_;
    owned_ = std::exchange(other.owned_, false);
  }
  return *this;
}

OpenedStore::~OpenedStore() { Release(); }

void OpenedStore::Release() {
  if (!std::exchange(owned_, false)) return;
  ProcessTable& table = ProcessTable::Instance();
  MutexLock lock(table.mu);
  EraseOwn(table.stores, id_);
}

HeldFile::HeldFile(int fd) {
  struct stat file {};
  CHECK(::fstat(fd, &file) == 0);
  id_ = {.device = file.st_dev, .inode = file.st_ino};
  ProcessTable& table = ProcessTable::Instance();
  MutexLock lock(table.mu);
  table.held[id_] = ::getpid();
}

HeldFile::~HeldFile() {
  ProcessTable& table = ProcessTable::Instance();
  MutexLock lock(table.mu);
  EraseOwn(table.held, id_);
}

bool IsHeldHere(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return false;
  ProcessTable& table = ProcessTable::Instance();
  MutexLock lock(table.mu);
  const auto entry = table.held.find({.device = file.st_dev, .inode = file.st_ino});
  return entry != table.held.end() && entry->second == ::getpid();
}

}  // namespace tasker::store::sqlite
