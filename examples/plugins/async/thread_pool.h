#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <tasker/plugin.hpp>

// Threads of the plugin's own that run attempts. Thread-safe.
class ThreadPool {
 public:
  using Work = std::function<void(tasker::Call& call)>;

  explicit ThreadPool(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) threads_.emplace_back([this] { Run(); });
  }
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool() {
    HandBackQueued();
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  // Queues an attempt; after HandBackQueued it goes back at once.
  void Take(tasker::Call call, Work work) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!ending_) queue_.push_back({std::move(call), std::move(work)});
    }
    if (call) call.hand_back();
    changed_.notify_one();
  }

  // What was not begun goes back to the host, uncounted, and nothing more is taken; what runs goes
  // on.
  void HandBackQueued() {
    std::deque<Job> queued;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ending_ = true;
      queued.swap(queue_);
    }
    for (Job& job : queued) job.call.hand_back();
  }

 private:
  struct Job {
    tasker::Call call;
    Work work;
  };

  void Run() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return ending_ || !queue_.empty(); });
      if (queue_.empty()) return;
      {
        Job job = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        // Nobody above catches what the work throws: it is told to the host here.
        try {
          job.work(job.call);
        } catch (const tasker::StepError& error) {
          job.call.fail(error);
        } catch (const std::exception& error) {
          job.call.fail(tasker::RetryableError(error.what()));
        }
      }
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> queue_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};
