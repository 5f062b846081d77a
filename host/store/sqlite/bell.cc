#include "store/sqlite/bell.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <utility>

#include "log/log.h"
#include "store/sqlite/lock_file.h"

namespace tasker::store::sqlite {
namespace {

UniqueFd Watch(const std::string& path) {
  UniqueFd inotify(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (inotify.valid() && ::inotify_add_watch(inotify.get(), path.c_str(), IN_MODIFY) >= 0)
    return inotify;
  log::Warning("store", "cannot watch " + path + ": " + ErrnoText(errno) +
                            "; what other processes write is noticed only once a second. Raise " +
                            "fs.inotify.max_user_instances or fs.inotify.max_user_watches");
  return UniqueFd();
}

}  // namespace

Result<std::unique_ptr<Bell>> Bell::Open(const std::string& lock_folder) {
  TRY(UniqueFd file, OpenLockFile(lock_folder, "bell"));
  const std::string path = lock_folder + "/bell";
  UniqueFd inotify = Watch(path);
  return std::unique_ptr<Bell>(new Bell(path, std::move(file), std::move(inotify)));
}

Bell::Bell(std::string path, UniqueFd file, UniqueFd inotify)
    : path_(std::move(path)), file_(std::move(file)), inotify_(std::move(inotify)) {}

void Bell::Ring() {
  constexpr char kByte = 1;
  if (::pwrite(file_.get(), &kByte, 1, 0) == 1) return;
  log::Warning("store", "cannot ring " + path_ + ": " + ErrnoText(errno) +
                            "; other processes notice what was committed only once a second");
}

bool Bell::Drain() {
  alignas(inotify_event) std::array<char, 16 * (sizeof(inotify_event) + NAME_MAX + 1)> events;
  bool rung = false;
  while (inotify_.valid()) {
    const ssize_t got = ::read(inotify_.get(), events.data(), events.size());
    if (got > 0) {
      rung = true;
    } else if (got == 0 || errno != EINTR) {
      break;
    }
  }
  return rung;
}

void Bell::Listen() {
  MutexLock lock(mu_);
  if (listening_++ > 0) return;
  const int error = TryLock(file_.get(), LockKind::kShared);
  if (error == 0) return;
  log::Warning("store", "cannot lock " + path_ + ": " + ErrnoText(error) +
                            "; what other processes commit is noticed only once a second");
}

void Bell::Unlisten() {
  MutexLock lock(mu_);
  if (--listening_ == 0) static_cast<void>(Unlock(file_.get()));
}

bool Bell::listened_to() const {
  const auto listener = FindBlocker(file_.get());
  return listener && listener->has_value();
}

}  // namespace tasker::store::sqlite
