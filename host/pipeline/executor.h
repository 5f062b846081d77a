#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "pipeline/hydrate.h"
#include "pipeline/inbox.h"
#include "plugin/instance.h"
#include "store/running_slots.h"
#include "store/store.h"

namespace tasker::pipeline {

// One committed claim on its way to its handler.
struct Work {
  store::Claimed claimed;
  plugin::Instance* instance = nullptr;
  std::int32_t slot = 0;
  std::uint32_t pool = 0;  // of a runtime's handler
};

// A dispatch queue and the threads that serve it: each reads what its step is given and calls the
// handler's start. Thread-safe, but for Start, Stop and the destructor, which belong to one thread.
class Executor final {
 public:
  // `name` for people. The inbox and the slots outlive every thread that is not left behind.
  Executor(std::string name, std::int64_t hydrated_max_bytes, Inbox& inbox,
           store::RunningSlots& slots);
  ~Executor();  // Stop with the deadline now.
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Each thread gets a read connection of its own.
  Status Start(const store::Store& store, std::int32_t threads);

  void Dispatch(std::vector<Work> work);
  // Takes back what waits in the queue and starts nothing any more: what a thread has in its hands
  // but not started comes back through the inbox.
  std::vector<Work> Close();
  // The work of this claim, if it still waits in the queue.
  std::optional<Work> TakeBack(workflow::ClaimId claim);

  // Waits for the threads, after Close. Those that are still in a handler at the deadline are left
  // behind: they end by themselves when it returns, and touch nothing of this object any more.
  // Returns how many. Idempotent.
  std::int32_t Stop(Steady deadline);

  // Dispatched, and start() has not returned. With `wake`, the inbox is woken when this number next
  // falls, if it is not 0.
  std::int64_t Unstarted(std::uint32_t pool, bool wake);
  // How many times a handler was started, ever.
  std::int64_t starts() const { return starts_.load(std::memory_order_relaxed); }

 private:
  struct Seat;

  void Run(Seat& seat);
  std::optional<Work> Next(std::optional<std::uint32_t> done);
  bool Returned(std::uint32_t pool);
  bool Execute(Seat& seat, Work work);
  void End(const Work& work, workflow::Outcome outcome, std::string read_error = {});

  const std::string name_;
  const std::int64_t hydrated_max_bytes_;
  Inbox& inbox_;
  store::RunningSlots& slots_;
  std::atomic<std::int64_t> starts_{0};
  std::atomic<bool> closed_{false};  // written under the lock

  Mutex mu_;
  CondVar changed_;
  std::deque<Work> queue_ GUARDED_BY(mu_);
  std::map<std::uint32_t, std::int64_t> unstarted_ GUARDED_BY(mu_);  // by pool
  std::int32_t sleeping_ GUARDED_BY(mu_) = 0;
  bool wake_ GUARDED_BY(mu_) = false;
  CondVar ended_;

  // Owners: this object and the thread, which outlives it when it is left behind in a handler.
  std::vector<std::shared_ptr<Seat>> seats_;
  std::vector<std::thread> threads_;
};

}  // namespace tasker::pipeline
