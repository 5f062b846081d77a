#include "store/sqlite/log_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstddef>
#include <new>
#include <vector>

#include "base/check.h"

namespace tasker::store::sqlite {
namespace {

// unixWrite of SQLite's os_unix.c keeps the low 17 bits of a size, and takes nothing written for a
// full disk.
constexpr std::size_t kGatheredMax = 0x1ffff;

// A log as SQLite sees it. The default VFS's own file follows it in memory.
struct LogFile : sqlite3_file {
  std::vector<std::byte> gathered;  // of one piece of the file, which begins at `at`
  sqlite3_int64 at = 0;

  static LogFile& Of(sqlite3_file* file) { return *static_cast<LogFile*>(file); }
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }

  int Flush() {
    if (gathered.empty()) return SQLITE_OK;
    const int written =
        real()->pMethods->xWrite(real(), gathered.data(), static_cast<int>(gathered.size()), at);
    // Also after an error: what it was a part of will not be committed.
    gathered.clear();
    return written;
  }
};
static_assert(alignof(LogFile) == alignof(sqlite3_int64));  // what SQLite aligns files to

// Of the commit that this thread is in; `log`: where it has gathered something.
struct Commit {
  bool under_way = false;
  LogFile* log = nullptr;
};
thread_local Commit commit;

int Gather(LogFile& log, const void* data, int size, sqlite3_int64 at) {
  const auto end = log.at + static_cast<sqlite3_int64>(log.gathered.size());
  if (at != end || log.gathered.size() + static_cast<std::size_t>(size) > kGatheredMax) {
    if (const int flushed = log.Flush(); flushed != SQLITE_OK) return flushed;
    log.at = at;
  }
  commit.log = &log;
  try {
    const auto* const bytes = static_cast<const std::byte*>(data);
    log.gathered.insert(log.gathered.end(), bytes, bytes + size);
  } catch (const std::bad_alloc&) {
    log.gathered.clear();
    return SQLITE_IOERR_NOMEM;  // an error of the disk: after it SQLite rolls back
  }
  return SQLITE_OK;
}

int Write(sqlite3_file* file, const void* data, int size, sqlite3_int64 at) {
  LogFile& log = LogFile::Of(file);
  if (commit.under_way) return Gather(log, data, size, at);
  return log.real()->pMethods->xWrite(log.real(), data, size, at);
}

// Calls the real file's method of the same name with the log as far as it was written.
template <auto kMethod, typename... Args>
int Flushed(sqlite3_file* file, Args... args) {
  LogFile& log = LogFile::Of(file);
  if (const int flushed = log.Flush(); flushed != SQLITE_OK) return flushed;
  return (log.real()->pMethods->*kMethod)(log.real(), args...);
}

int Close(sqlite3_file* file) {
  LogFile& log = LogFile::Of(file);
  if (commit.log == &log) commit.log = nullptr;
  const int closed = log.real()->pMethods->xClose(log.real());
  log.~LogFile();
  return closed;
}

// Version 1: shared memory and memory maps belong to the database's file.
sqlite3_io_methods LogMethods() {
  using Methods = sqlite3_io_methods;
  Methods methods{};
  methods.iVersion = 1;
  methods.xClose = &Close;
  methods.xRead = &Flushed<&Methods::xRead, void*, int, sqlite3_int64>;
  methods.xWrite = &Write;
  methods.xTruncate = &Flushed<&Methods::xTruncate, sqlite3_int64>;
  methods.xSync = &Flushed<&Methods::xSync, int>;
  methods.xFileSize = &Flushed<&Methods::xFileSize, sqlite3_int64*>;
  methods.xLock = &Flushed<&Methods::xLock, int>;
  methods.xUnlock = &Flushed<&Methods::xUnlock, int>;
  methods.xCheckReservedLock = &Flushed<&Methods::xCheckReservedLock, int*>;
  methods.xFileControl = &Flushed<&Methods::xFileControl, int, void*>;
  methods.xSectorSize = [](sqlite3_file* file) {
    sqlite3_file* const real = LogFile::Of(file).real();
    return real->pMethods->xSectorSize(real);
  };
  methods.xDeviceCharacteristics = [](sqlite3_file* file) {
    sqlite3_file* const real = LogFile::Of(file).real();
    return real->pMethods->xDeviceCharacteristics(real);
  };
  return methods;
}

// Asked once: its files must fit into what SQLite allocates for ours.
sqlite3_vfs* DefaultVfs() {
  static sqlite3_vfs* const vfs = sqlite3_vfs_find(nullptr);
  return vfs;
}

int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* flags_out) {
  sqlite3_vfs* const real = DefaultVfs();
  if ((flags & SQLITE_OPEN_WAL) == 0) return real->xOpen(real, name, file, flags, flags_out);
  static const sqlite3_io_methods methods = LogMethods();
  LogFile& log = *new (file) LogFile{};
  const int opened = real->xOpen(real, name, log.real(), flags, flags_out);
  if (opened == SQLITE_OK) {
    log.pMethods = &methods;
  } else {
    log.~LogFile();
    file->pMethods = nullptr;
  }
  return opened;
}

sqlite3_vfs MakeVfs() {
  sqlite3_vfs vfs = *DefaultVfs();
  vfs.zName = "tasker-gathering";
  vfs.szOsFile += static_cast<int>(sizeof(LogFile));
  vfs.xOpen = &Open;
  vfs.pNext = nullptr;
  return vfs;
}

}  // namespace

const char* GatheringVfs() {
  static sqlite3_vfs vfs = MakeVfs();
  static const int registered = sqlite3_vfs_register(&vfs, 0);
  return registered == SQLITE_OK ? vfs.zName : nullptr;
}

GatheredCommit::GatheredCommit() {
  CHECK(!commit.under_way);
  commit.under_way = true;
}

GatheredCommit::~GatheredCommit() {
  if (commit.log != nullptr) commit.log->gathered.clear();
  commit = {};
}

}  // namespace tasker::store::sqlite
