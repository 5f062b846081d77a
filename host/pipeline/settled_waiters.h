#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/uuid.h"
#include "store/store.h"
#include "workflow/state.h"

namespace tasker::pipeline {

// Callers that wait until a task is settled, or has changed. Thread-safe.
class SettledWaiters final {
 public:
  // Reads the task's state as it is stored, on the waiting thread.
  using Read = std::function<Result<workflow::TaskState>(const Uuid&)>;

  // The state once it is settled; kTimeout at the deadline, kUnavailable after Close, or what
  // `read` failed with.
  Result<workflow::TaskState> Wait(const Uuid& task, Steady deadline, const Read& read);

  // Returns once `look`, which reads the store on this thread, has found something: it is asked now
  // and after commits of whatever process, not more often than each kPause. Errors as of Wait.
  Status Watch(Steady deadline, const std::function<Result<bool>()>& look);

  // A turn of this host was committed, which settled these tasks.
  void Tell(std::span<const store::Settled> settled);
  // Another process has committed: whoever waits looks again.
  void LookAgain();
  void Close();

 private:
  static constexpr std::chrono::milliseconds kPause{10};

  struct Waiter {
    CondVar changed;
    std::optional<workflow::TaskState> settled;
    bool look = true;
  };

  void LetWatchersLook() REQUIRES(mu_);

  std::atomic<std::size_t> waiting_{0};
  Mutex mu_;
  std::multimap<Uuid, Waiter*> waiters_ GUARDED_BY(mu_);  // each on its caller's stack
  std::set<Waiter*> watchers_ GUARDED_BY(mu_);            // likewise
  bool closed_ GUARDED_BY(mu_) = false;
};

}  // namespace tasker::pipeline
