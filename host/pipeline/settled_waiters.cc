#include "pipeline/settled_waiters.h"

#include <algorithm>
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

Status SettledWaiters::Watch(Steady deadline, const std::function<Result<bool>()>& look) {
  Waiter watcher;
  MutexLock lock(mu_);
  watchers_.insert(&watcher);
  ++waiting_;
  Status answer = Unavailable("the host stops while somebody watches a task");
  Steady not_before{};
  while (!closed_) {
    const Steady now = std::chrono::steady_clock::now();
    if (watcher.look && now >= not_before) {
      watcher.look = false;
      mu_.Unlock();  // as in Wait
      const Result<bool> found = look();
      mu_.Lock();
      not_before = std::chrono::steady_clock::now() + kPause;
      if (found && !*found) continue;
      answer = found ? Ok() : found.error();
      break;
    }
    if (now >= deadline) {
      answer = Error{ErrorCode::kTimeout, "the task has not changed yet"};
      break;
    }
    const Steady until = watcher.look ? std::min(deadline, not_before) : deadline;
    static_cast<void>(watcher.changed.WaitUntil(mu_, until));
  }
  watchers_.erase(&watcher);
  --waiting_;
  return answer;
}

void SettledWaiters::Tell(std::span<const store::Settled> settled) {
  // A waiter that comes later reads the store after it is counted, and so sees what this turn has
  // committed.
  if (waiting_ == 0) return;
  MutexLock lock(mu_);
  LetWatchersLook();
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
  LetWatchersLook();
}

void SettledWaiters::LetWatchersLook() {
  for (Waiter* const watcher : watchers_) {
    watcher->look = true;
    watcher->changed.NotifyOne();
  }
}

void SettledWaiters::Close() {
  MutexLock lock(mu_);
  closed_ = true;
  for (auto& [task, waiter] : waiters_) waiter->changed.NotifyOne();
  LetWatchersLook();
}

}  // namespace tasker::pipeline
