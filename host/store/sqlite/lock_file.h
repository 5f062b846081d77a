#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace tasker::store::sqlite {

// The files of a store's lock folder, and POSIX record locks over the whole of one. The locks
// belong to the process: a forked child has none of them, and closing any descriptor of a file
// drops this process's locks on it. So each file is opened once a process.

// Opens a file of the folder, made if it is missing, with the access that the folder grants: 0600,
// or 0660 where a group shares it.
Result<UniqueFd> OpenLockFile(const std::string& lock_folder, const std::string& name);

enum class LockKind { kShared, kExclusive };

// These three return 0 or the errno. kShared wants a descriptor that reads, kExclusive one that
// writes.
int TryLock(int fd, LockKind kind);  // EAGAIN: another process is in the way
int WaitForLock(int fd,
                LockKind kind);  // EINTR: a signal came; EDEADLK: the kernel suspects a circle
int Unlock(int fd);

// The process whose lock is in the way of an exclusive one; 0 for one that this container cannot
// see. Nothing when there is none, also when this process itself holds it.
Result<std::optional<pid_t>> FindBlocker(int fd);

// "pid 4711", for people.
std::string DescribeProcess(pid_t pid);
// "x.db", which the lock folder x.db.d stands beside, for people.
std::string DatabaseName(const std::string& lock_folder);
// What errno means, in words. Thread-safe.
std::string ErrnoText(int error);

}  // namespace tasker::store::sqlite
