#pragma once

#include <sys/types.h>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "store/store.h"

namespace tasker::store {

// What the machine gives a store. Each function opens nothing of a store but its lock files, so
// that it also answers where the store cannot be opened. Paths are absolute.

// The version of the SQLite that this process runs with.
std::string SqliteVersion();

// The median time of writing one page to a new file in the folder and having it on the disk.
Result<std::chrono::microseconds> SyncCost(const std::string& folder);

struct FileSystemOf {
  std::string kind;                              // "ext4", "NFS", or its number
  bool unsafe = false;                           // POSIX locks are not to be trusted on it
  bool volatile_ = false;                        // it is gone with the machine's power
  std::int64_t free_bytes = 0, total_bytes = 0;  // free for this user
};
Result<FileSystemOf> LookAtFileSystem(const std::string& folder);

// The process inside the turnstile of the store, or first at it; 0 if this container cannot see it.
struct TurnHolder {
  pid_t pid = 0;
  bool stopped = false;  // SIGSTOP, a debugger
};
Result<std::optional<TurnHolder>> WhoHoldsTurn(const std::string& store_path);

// When the newest task was submitted.
Result<std::optional<Time>> NewestTask(const Store& store);

}  // namespace tasker::store
