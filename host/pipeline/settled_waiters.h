#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/uuid.h"
#include "store/store.h"
#include "workflow/state.h"

namespace tasker::pipeline {

// Callers that wait until a task is settled. Thread-safe.
class SettledWaiters final {
 public:
  // Reads the task's state as it is stored, on the waiting thread.
  using Read = std::function<Result<workflow::TaskState>(const Uuid&)>;

  // The state once it is settled; kTimeout at the deadline, kUnavailable after Close, or what
  // `read` failed with.
  Result<workflow::TaskState> Wait(const Uuid& task, Steady deadline, const Read& read);

  // These tasks were settled by a committed turn of this host.
  void Tell(std::span<const store::Settled> settled);
  // Another process has committed: whoever waits looks again.
  void LookAgain();
  void Close();

 private:
  struct Waiter {
    CondVar changed;
    std::optional<workflow::TaskState> settled;
    bool look = true;
  };

  std::atomic<std::size_t> waiting_{0};
  Mutex mu_;
  std::multimap<Uuid, Waiter*> waiters_ GUARDED_BY(mu_);  // each on its caller's stack
  bool closed_ GUARDED_BY(mu_) = false;
};

}  // namespace tasker::pipeline
