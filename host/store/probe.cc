#include "store/probe.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/unique_fd.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/files.h"
#include "store/sqlite/life.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/turnstile.h"

namespace tasker::store {
namespace {

constexpr int kSyncs = 11;
constexpr std::size_t kPageBytes = 4096;

struct Kind {
  std::uint64_t type;
  const char* name;
  bool volatile_;
};
constexpr std::array kKinds = {
    Kind{0xef53, "ext4", false},      Kind{0x58465342, "XFS", false},
    Kind{0x9123683e, "Btrfs", false}, Kind{0xf2f52010, "F2FS", false},
    Kind{0x2fc12fc1, "ZFS", false},   Kind{0x794c7630, "overlayfs", false},
    Kind{0x01021994, "tmpfs", true},  Kind{0x858458f6, "ramfs", true},
};

Error Failed(const std::string& what) { return Unavailable(what + ": " + std::strerror(errno)); }

}  // namespace

std::string SqliteVersion() { return sqlite3_libversion(); }

Result<std::chrono::microseconds> SyncCost(const std::string& folder) {
  std::string path = folder + "/sync-cost-XXXXXX";
  const UniqueFd fd(::mkostemp(path.data(), O_CLOEXEC));
  if (!fd.valid()) return Failed("make a file in " + folder);
  static_cast<void>(::unlink(path.c_str()));  // It is gone when it is closed.
  const std::array<char, kPageBytes> page{};
  std::vector<std::chrono::microseconds> took;
  for (int i = 0; i < kSyncs; ++i) {
    const Steady begun = std::chrono::steady_clock::now();
    if (::write(fd.get(), page.data(), page.size()) != static_cast<ssize_t>(page.size()) ||
        ::fdatasync(fd.get()) != 0) {
      return Failed("write and sync a file in " + folder);
    }
    took.push_back(std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - begun));
  }
  std::ranges::sort(took);
  return took[took.size() / 2];
}

Result<FileSystemOf> LookAtFileSystem(const std::string& folder) {
  struct statfs info {};
  if (::statfs(folder.c_str(), &info) != 0) return Failed("look at the file system of " + folder);
  const auto type = static_cast<std::uint64_t>(static_cast<unsigned long>(info.f_type));
  FileSystemOf out;
  const auto known = std::ranges::find(kKinds, type, &Kind::type);
  const auto unsafe = sqlite::UnsafeFileSystem(type);
  out.unsafe = unsafe.has_value();
  if (unsafe) {
    out.kind = *unsafe;
  } else if (known != kKinds.end()) {
    out.kind = known->name;
    out.volatile_ = known->volatile_;
  } else {
    out.kind = "type " + std::to_string(type);
  }
  const auto block = static_cast<std::int64_t>(info.f_frsize);
  out.free_bytes = static_cast<std::int64_t>(info.f_bavail) * block;
  out.total_bytes = static_cast<std::int64_t>(info.f_blocks) * block;
  return out;
}

Result<std::optional<TurnHolder>> WhoHoldsTurn(const std::string& store_path) {
  TRY(const auto turnstile, sqlite::Turnstile::Open(store_path + ".d"));
  const auto pid = turnstile->Holder();
  if (!pid) return std::optional<TurnHolder>();
  return std::optional(TurnHolder{.pid = *pid, .stopped = *pid > 0 && sqlite::IsStopped(*pid)});
}

Result<std::optional<Time>> NewestTask(const Store& store) {
  TRY(const auto connection,
      sqlite::Connection::Open(store.path(), sqlite::Connection::Mode::kRead, true));
  const sqlite::SqlFile sql = sqlite::ParseSqlFile(sqlite::kSql_upkeep);
  TRY(sqlite::Statement newest, connection->Prepare(sql, "newest_task"));
  TRY(const bool row, newest.Step());
  return row ? newest.TimeAt(0) : std::optional<Time>();
}

}  // namespace tasker::store
