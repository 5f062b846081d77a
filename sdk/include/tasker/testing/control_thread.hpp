// SPDX-License-Identifier: MIT
//
// The one thread that makes a plugin's [control] calls; <tasker/testing.hpp> includes it.
#ifndef TASKER_TESTING_CONTROL_THREAD_HPP
#define TASKER_TESTING_CONTROL_THREAD_HPP

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace tasker::testing {
inline namespace abi1 {
namespace detail {

using Clock = std::chrono::steady_clock;

// Thread-safe. Destroyed only when no call is stuck: it joins the thread.
class ControlThread {
 public:
  ControlThread() : thread_([this] { loop(); }) {}
  ControlThread(const ControlThread&) = delete;
  ControlThread& operator=(const ControlThread&) = delete;
  ~ControlThread() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  void post(std::function<void()> call) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      calls_.push_back(std::move(call));
      ++posted_;
    }
    changed_.notify_all();
  }
  // Posts and waits. False: it had not returned at the deadline.
  bool run(std::function<void()> call, Clock::time_point deadline) {
    post(std::move(call));
    std::unique_lock<std::mutex> lock(mutex_);
    const std::uint64_t mine = posted_;
    return changed_.wait_until(lock, deadline, [&] { return returned_ >= mine; });
  }

 private:
  void loop() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return ending_ || !calls_.empty(); });
      if (calls_.empty()) return;
      std::function<void()> call = std::move(calls_.front());
      calls_.pop_front();
      lock.unlock();
      call();
      call = nullptr;  // Before anybody knows: what it holds may be the last to hold this object.
      lock.lock();
      ++returned_;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> calls_;
  std::uint64_t posted_ = 0, returned_ = 0;
  bool ending_ = false;
  std::thread thread_;  // Last: it uses the others.
};

}  // namespace detail
}  // namespace abi1
}  // namespace tasker::testing

#endif
