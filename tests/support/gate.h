#pragma once

#include <chrono>

#include "base/mutex.h"

namespace tasker::testing {

// Something that happens once, for threads that wait for it.
class Gate final {
 public:
  void Open() {
    MutexLock lock(mu_);
    open_ = true;
    changed_.NotifyAll();
  }
  // False: it did not happen.
  bool Wait(std::chrono::milliseconds at_most = std::chrono::seconds(20)) {
    const auto deadline = std::chrono::steady_clock::now() + at_most;
    MutexLock lock(mu_);
    while (!open_) {
      if (!changed_.WaitUntil(mu_, deadline)) return open_;
    }
    return true;
  }
  bool IsOpen() {
    MutexLock lock(mu_);
    return open_;
  }

 private:
  Mutex mu_;
  CondVar changed_;
  bool open_ GUARDED_BY(mu_) = false;
};

}  // namespace tasker::testing
