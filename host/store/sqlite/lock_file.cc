#include "store/sqlite/lock_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace tasker::store::sqlite {
namespace {

struct flock WholeFile(LockKind kind) {
  struct flock lock {};
  lock.l_type = kind == LockKind::kShared ? F_RDLCK : F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

}  // namespace

Result<UniqueFd> OpenLockFile(const std::string& lock_folder, const std::string& name) {
  const std::string path = lock_folder + "/" + name;
  struct stat folder {};
  if (::stat(lock_folder.c_str(), &folder) != 0) {
    return Unavailable("cannot use the lock folder " + lock_folder + ": " + ErrnoText(errno));
  }
  const mode_t mode = (folder.st_mode & S_IWGRP) != 0 ? 0660 : 0600;
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!fd.valid()) {
    return Unavailable(
        "cannot open the lock file " + path + ": " + ErrnoText(errno) +
        "; every process of a store needs to write it: use one user, or set [store] group");
  }
  // The umask may have taken the group's bits.
  struct stat file {};
  if (::fstat(fd.get(), &file) == 0 && file.st_uid == ::geteuid() &&
      (file.st_mode & 0777) != mode && ::fchmod(fd.get(), mode) != 0) {
    return Unavailable("cannot set the mode of " + path + ": " + ErrnoText(errno));
  }
  return fd;
}

int TryLock(int fd, LockKind kind) {
  struct flock lock = WholeFile(kind);
  if (::fcntl(fd, F_SETLK, &lock) == 0) return 0;
  return errno == EACCES ? EAGAIN
                         : errno;  // POSIX allows either for a lock that another process holds.
}

int WaitForLock(int fd, LockKind kind) {
  struct flock lock = WholeFile(kind);
  return ::fcntl(fd, F_SETLKW, &lock) == 0 ? 0 : errno;
}

int Unlock(int fd) {
  struct flock lock = WholeFile(LockKind::kExclusive);
  lock.l_type = F_UNLCK;
  return ::fcntl(fd, F_SETLK, &lock) == 0 ? 0 : errno;
}

Result<std::optional<pid_t>> FindBlocker(int fd) {
  struct flock lock = WholeFile(LockKind::kExclusive);
  if (::fcntl(fd, F_GETLK, &lock) != 0)
    return Unavailable("cannot ask who holds a lock: " + ErrnoText(errno));
  if (lock.l_type == F_UNLCK) return std::optional<pid_t>();
  return std::optional<pid_t>(lock.l_pid);
}

std::string DescribeProcess(pid_t pid) {
  return pid > 0 ? "pid " + std::to_string(pid) : "a process that this container cannot see";
}

std::string DatabaseName(const std::string& lock_folder) {
  return std::filesystem::path(lock_folder).stem().string();
}

std::string ErrnoText(int error) { return std::generic_category().message(error); }

}  // namespace tasker::store::sqlite
