#pragma once

#include <memory>
#include <string>

#include "base/mutex.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace tasker::store::sqlite {

// Tells other processes that something was committed that they may wait for. A hint: whoever
// listens also looks at `PRAGMA data_version` each second. fd and Drain are of one thread; the rest
// is thread-safe.
class Bell final {
 public:
  static Result<std::unique_ptr<Bell>> Open(const std::string& lock_folder);
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  // After COMMIT has returned. Also this process hears it.
  void Ring();
  // To poll for reading; -1 where inotify has no room for this process, which one warning has said.
  int fd() const { return inotify_.get(); }
  // Makes fd() unreadable again; true when somebody had rung since the last time.
  bool Drain();

  // From Listen to the Unlisten that goes with it, other processes ring for every commit, also for
  // one that leaves nobody anything to do. They see that by a lock, which ends with the process.
  void Listen();
  void Unlisten();
  // Whether another process listens.
  bool listened_to() const;

 private:
  Bell(std::string path, UniqueFd file, UniqueFd inotify);

  const std::string path_;
  const UniqueFd file_;
  const UniqueFd inotify_;
  Mutex mu_;
  int listening_ GUARDED_BY(mu_) = 0;
};

}  // namespace tasker::store::sqlite
