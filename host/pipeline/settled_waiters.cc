#include "pipeline/settled_waiters.h"

#include <utility>

namespace tasker::pipeline {

Result<workflow::TaskState> SettledWaiters::Wait(const Uuid& task, Steady deadline,
                                                 const Read& read) {
  Waiter waiter;
  MutexLock lock(mu_);
  const auto entry = waiters_.emplace(task, &waiter);
  ++waiting_;
  Result<workflow::TaskState> answer =
      Unavailable("the host stops while somebody waits for task " + task.ToString());
  while (true) {
    if (waiter.settled) {
      answer = *waiter.settled;
      break;
    }
    if (std::exchange(waiter.look, false)) {
      // Not under the lock: it reads the store. A turn that settles the task meanwhile finds this
      // waiter.
      mu_.Unlock();
      auto state = read(task);
      mu_.Lock();
      if (!state || workflow::IsSettled(*state)) {
        answer = std::move(state);
        break;
      }
      continue;
    }
    if (closed_) break;
    if (!waiter.changed.WaitUntil(mu_, deadline) && std::chrono::steady_clock::now() >= deadline) {
      answer = Error{ErrorCode::kTimeout, "task " + task.ToString() + " is not settled yet"};
      break;
    }
  }
  waiters_.erase(entry);
  --waiting_;
  return answer;
}

void SettledWaiters::Tell(std::span<const store::Settled> settled) {
  // A waiter that comes later reads the store after it is counted, and so sees what this turn has
  // committed.
  if (settled.empty() || waiting_ == 0) return;
  MutexLock lock(mu_);
  for (const store::Settled& one : settled) {
    const auto [first, last] = waiters_.equal_range(one.task);
    for (auto entry = first; entry != last; ++entry) {
      entry->second->settled = one.state;
      entry->second->changed.NotifyOne();
    }
  }
}

void SettledWaiters::LookAgain() {
  if (waiting_ == 0) return;
  MutexLock lock(mu_);
  for (auto& [task, waiter] : waiters_) {
    waiter->look = true;
    waiter->changed.NotifyOne();
  }
}

void SettledWaiters::Close() {
  MutexLock lock(mu_);
  closed_ = true;
  for (auto& [task, waiter] : waiters_) waiter->changed.NotifyOne();
}

}  // namespace tasker::pipeline
