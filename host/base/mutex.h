#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

// clang's thread-safety annotations; std::mutex carries none in libstdc++.
#if defined(__clang__)
#define TASKER_TSA(x) __attribute__((x))
#else
#define TASKER_TSA(x)
#endif
#define CAPABILITY(x) TASKER_TSA(capability(x))
#define SCOPED_CAPABILITY TASKER_TSA(scoped_lockable)
#define GUARDED_BY(x) TASKER_TSA(guarded_by(x))
#define REQUIRES(...) TASKER_TSA(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) TASKER_TSA(locks_excluded(__VA_ARGS__))
#define ACQUIRE(...) TASKER_TSA(acquire_capability(__VA_ARGS__))
#define RELEASE(...) TASKER_TSA(release_capability(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS TASKER_TSA(no_thread_safety_analysis)

namespace tasker {

class CAPABILITY("mutex") Mutex final {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ACQUIRE() { mu_.lock(); }
  void Unlock() RELEASE() { mu_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mu_;
};

class SCOPED_CAPABILITY MutexLock final {
 public:
  explicit MutexLock(Mutex& mu) ACQUIRE(mu) : mu_(mu) { mu_.Lock(); }
  ~MutexLock() RELEASE() { mu_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mu_;
};

// Wait only with the mutex held; wake-ups may be spurious.
class CondVar final {
 public:
  void Wait(Mutex& mu) REQUIRES(mu) {
    std::unique_lock lock(mu.mu_, std::adopt_lock);
    cv_.wait(lock);
    lock.release();
  }
  // False when the time is up.
  bool WaitUntil(Mutex& mu, std::chrono::steady_clock::time_point deadline) REQUIRES(mu) {
    std::unique_lock lock(mu.mu_, std::adopt_lock);
    const bool woken = cv_.wait_until(lock, deadline) == std::cv_status::no_timeout;
    lock.release();
    return woken;
  }
  void NotifyOne() { cv_.notify_one(); }
  void NotifyAll() { cv_.notify_all(); }

 private:
  std::condition_variable cv_;
};

}  // namespace tasker
