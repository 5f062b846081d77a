#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "base/mutex.h"

namespace tasker::plugin {

// Counts who is inside, so that an owner can close the door and wait until the last one has left.
// Thread-safe; no lock is taken while the door is open.
class Rundown final {
 public:
  Rundown() = default;
  Rundown(const Rundown&) = delete;
  Rundown& operator=(const Rundown&) = delete;

  // False, and nobody entered: the door is closed.
  bool Enter(std::uint64_t count = 1) {
    std::uint64_t state = state_.load();
    do {
      if ((state & kClosed) != 0) return false;
    } while (!state_.compare_exchange_weak(state, state + count));
    return true;
  }

  // Whoever leaves last touches nothing here afterwards: the waiting owner may destroy it.
  void Leave(std::uint64_t count = 1) {
    std::uint64_t state = state_.load();
    while ((state & kClosed) == 0) {
      if (state_.compare_exchange_weak(state, state - count)) return;
    }
    MutexLock lock(mu_);
    if (state_.fetch_sub(count) - count == kClosed) left_.NotifyAll();
  }

  void Close() { state_.fetch_or(kClosed); }
  bool closed() const { return (state_.load() & kClosed) != 0; }
  bool empty() const { return (state_.load() & ~kClosed) == 0; }

  // After Close. False: somebody is still inside at the deadline.
  bool WaitEmpty(Steady deadline) {
    MutexLock lock(mu_);
    while (!empty()) {
      if (!left_.WaitUntil(mu_, deadline)) return empty();
    }
    return true;
  }
  void WaitEmpty() {
    MutexLock lock(mu_);
    while (!empty()) left_.Wait(mu_);
  }

 private:
  static constexpr std::uint64_t kClosed = std::uint64_t{1} << 63;

  std::atomic<std::uint64_t> state_{0};
  Mutex mu_;
  CondVar left_;
};

}  // namespace tasker::plugin
