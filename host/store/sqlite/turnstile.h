#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace tasker::store::sqlite {

class WakeTimer;

// Lets the writers of a store take turns, each process in the order of its coming: lock `next`,
// lock `turn`, unlock `next`. SQLite's own waiting starves whoever does not hold the lock already.
// One a store and process; one thread at a time is in Enter or inside; any thread may call
// StopWaiting and Holder.
class Turnstile final {
 public:
  static Result<std::unique_ptr<Turnstile>> Open(const std::string& lock_folder);
  Turnstile(const Turnstile&) = delete;
  Turnstile& operator=(const Turnstile&) = delete;

  // Waits for this process's turn, as long as it takes; each second of waiting calls on_wait, and
  // warns once a minute who holds the store. kUnavailable, which names the holder, once waiting was
  // stopped; then this process is not inside. Three system calls when nobody else is here.
  Status Enter();
  // Ends the turn that Enter began.
  void Leave();
  // From now on Enter does not wait: one that waits now fails within milliseconds, a later one
  // enters at once or fails. Does not block.
  void StopWaiting();
  // The other process whose turn it is, or the one that waits first; 0 when this container cannot
  // see it. Nothing when there is none, also while this process itself is inside.
  std::optional<pid_t> Holder() const;
  // Called by the waiting thread; also where to call StopWaiting from. Before the first Enter.
  void set_on_wait(std::function<void()> on_wait) { on_wait_ = std::move(on_wait); }
  // Asked after each on_wait with the time since Enter: true fails this Enter as StopWaiting does,
  // and no later one. Before the first Enter.
  using GiveUp = std::function<bool(std::chrono::steady_clock::duration waited)>;
  void set_give_up(GiveUp give_up) { give_up_ = std::move(give_up); }

 private:
  Turnstile(std::string database, UniqueFd next, UniqueFd turn, int signal);
  Status Lock(int fd);
  Status WaitFor(int fd);
  Status WaitUntilLocked(int fd);
  void ReportWaiting();
  Error Refusal() const;

  const std::string database_;  // its name, for people
  const UniqueFd next_;
  const UniqueFd turn_;
  const int signal_;  // interrupts the wait of the one thread that it is sent to
  std::function<void()> on_wait_;
  GiveUp give_up_;
  std::chrono::steady_clock::time_point came_{};  // of the Enter in progress
  std::atomic<bool> inside_ = false;              // or on the way in
  std::atomic<bool> stopped_ = false;
  Mutex mu_;
  WakeTimer* timer_ GUARDED_BY(mu_) = nullptr;  // of the thread that waits, on its stack
};

}  // namespace tasker::store::sqlite
