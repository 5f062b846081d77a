#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tasker/plugin.h>

#include "crowd.h"
#include "host_link.h"

namespace tasker::python {

using Steady = std::chrono::steady_clock::time_point;

// How an attempt failed, as Python says it; texts are UTF-8, context and metadata JSON objects.
struct Failure {
  std::string type, message, backtrace, error_code, context, metadata;
  bool retryable = true;
  std::int32_t http_status = 0;
  std::chrono::nanoseconds retry_after{0};
};

enum class GoOn { kYes, kCancelled, kStale };

// What a handler's attempts occupy while they run, as pools of the host: a thread, or nothing but
// memory.
constexpr std::uint32_t kSyncPool = 0, kAsyncPool = 1, kPools = 2;

// The steps between the host and Python: the host enqueues, Python takes them and ends them by
// their event's id. It states the demand: nothing is asked for that nobody would take. Thread-safe;
// no function of the host is called under its lock, and nothing here knows the GIL.
class StepQueue final {
 public:
  // now: the time by which a poller is gone; Take waits by the steady clock.
  // busy: what the calling thread has had of a processor.
  explicit StepQueue(HostLink& link, std::function<Steady()> now = &std::chrono::steady_clock::now,
                     std::function<std::chrono::nanoseconds()> busy = &ThreadTime)
      : link_(link), now_(std::move(now)), busy_(std::move(busy)) {}

  // From the plugin's init to its end. Before Open and after Close it takes and gives nothing.
  void Open();
  // Hands back what nobody has taken; what was taken can still be ended.
  void Close();
  bool open() const;
  // Hands back what nobody has taken and gives nothing more, whoever asks, until Open.
  void StopGiving();

  // The host's side.
  tasker_status Start(const tasker_step& step, tasker_call* call, std::uint32_t pool = kSyncPool);
  // The event's id of an attempt that was taken; empty: it was not, and was handed back, or is
  // gone.
  std::string Cancel(tasker_call* call);

  // A consumer takes up to `slots` steps of sync handlers at once, and `async_slots` of async ones:
  // what it has taken and not ended counts. 0 and 0: nothing more; what waits is handed back.
  void Consume(std::uint32_t slots, std::uint32_t async_slots = 0);
  // The next event. Nothing at the deadline, or once closed. While the callers' handlers compute,
  // one caller takes one step after the other and the others sleep on (Crowd).
  // waited: how long the calling thread has waited for the GIL in all.
  std::optional<std::string> Take(Steady deadline, std::chrono::nanoseconds waited = {});
  // The same, of async handlers only.
  std::optional<std::string> TakeAsync(Steady deadline);
  // The same without waiting, for a consumer that polls: it is given one step beyond those that it
  // has taken and not ended. One that stops to poll is given nothing after kPollerGone.
  std::optional<std::string> Poll();
  // Hands back what a poller left for kUntakenMax. Returns whether there is a poller to look after.
  bool LookAfterPoller();

  // The end of an attempt; false: it had ended already, or nobody took such an event.
  bool Complete(const std::string& event, const std::string& result, const std::string& metadata,
                const std::string& events);
  bool Fail(const std::string& event, const Failure& failure);
  bool Yield(const std::string& event, const std::string& checkpoint,
             std::chrono::nanoseconds resume_after);

  GoOn Heartbeat(const std::string& event, double progress, const std::string& note);
  // What the host says; TASKER_E_STALE where the event is unknown.
  tasker_status Checkpoint(const std::string& event, const std::string& checkpoint);
  // Its token, for the host's log; null where the event is unknown.
  tasker_call* CallOf(const std::string& event) const;

  struct Taken {
    std::string event, handler, step_uuid;
    Steady since;
  };
  struct Figures {
    std::size_t waiting = 0;
    std::uint32_t slots = 0, async_slots = 0;
    bool polled = false;  // by a consumer of its own in the last seconds
    std::vector<Taken> taken;
  };
  Figures figures() const;
  // Whether a consumer has polled and is not gone.
  bool polled() const;

  static constexpr std::chrono::seconds kUntakenMax{5};
  static constexpr std::chrono::seconds kPollerGone{10};

 private:
  struct Item {
    tasker_call* call = nullptr;
    std::string event, json, handler, step_uuid;
    std::uint32_t pool = kSyncPool;
    std::int64_t deadline_ns = 0;
    Steady since;
  };
  struct Held {
    tasker_call* call = nullptr;
    std::string handler, step_uuid;
    std::uint32_t pool = kSyncPool;
    Steady since;
  };

  // What a thread that took a step remembers until it comes for the next.
  struct Outing {
    const StepQueue* queue = nullptr;
    Steady took;
    std::chrono::nanoseconds busy{0}, waited{0};
  };

  // With the lock.
  bool Waiting() const { return !waiting_[kSyncPool].empty() || !waiting_[kAsyncPool].empty(); }
  bool Consumed() const { return slots_[kSyncPool] > 0 || slots_[kAsyncPool] > 0; }
  bool LeftToOthers();
  void ComeBack(Outing& outing, std::chrono::nanoseconds busy, std::chrono::nanoseconds waited);
  std::string TakeFront(std::uint32_t pool);
  std::string TakeOldest();
  void MoveWaiting(std::deque<Item>& to);
  std::uint32_t Room(std::uint32_t pool) const;

  std::optional<Held> Forget(const std::string& event);
  std::optional<tasker_call*> Find(const std::string& event) const;
  void StateDemand();
  void HandBack(const std::deque<Item>& items);

  HostLink& link_;
  const std::function<Steady()> now_;
  const std::function<std::chrono::nanoseconds()> busy_;

  mutable std::mutex mu_;  // of what follows
  std::condition_variable arrived_, async_arrived_;
  int async_takers_ = 0;  // who wait for async_arrived_
  int out_ = 0;           // threads that have taken a step and not come back for the next
  bool watched_ = false;  // somebody in Take looks each kPatience whether steps are left lying
  Crowd crowd_;
  bool open_ = false, giving_ = false;
  std::array<std::deque<Item>, kPools> waiting_;
  std::map<std::string, Held> taken_;
  std::array<std::uint32_t, kPools> slots_{}, taken_of_{};
  std::optional<Steady> polled_;

  std::mutex demand_mu_;  // orders what the host is told of the demand; taken before mu_
  bool async_stated_ = false;
};

}  // namespace tasker::python
