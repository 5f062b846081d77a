#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "pipeline/executor.h"
#include "pipeline/inbox.h"
#include "pipeline/places.h"
#include "pipeline/served_handlers.h"
#include "store/running_slots.h"
#include "store/store.h"

namespace tasker::pipeline {

// Hands committed claims to executors: one shared by all in-process handlers, one for each runtime
// instance, so that long native handlers never hold up another language. Owned by the turn thread;
// before that starts and after it has ended by the thread that owns it.
class Dispatcher final {
 public:
  Dispatcher(const store::Store& store, store::RunningSlots& slots, Inbox& inbox,
             std::int64_t hydrated_max_bytes);

  // The shared executor.
  Status Start(std::int32_t threads);
  // Makes an executor for each runtime instance that has none yet.
  Status StartRuntimes(const ServedHandlers& handlers);

  // Gives each claim a place and queues it. A claim without a served handler, or whose runtime has
  // no executor, is returned.
  std::vector<store::Claimed> Dispatch(std::vector<store::Claimed> claimed,
                                       const ServedHandlers& handlers, Places& places);
  // If this claim waits for its start, it does not any more.
  bool TakeBack(const Place& place) { return place.executor->TakeBack(place.claim).has_value(); }
  // Starts nothing any more. Returns what had not started.
  std::vector<store::ClaimId> Close();

  // Of the shared executor.
  std::int64_t Unstarted(bool wake) { return shared_.Unstarted(0, wake); }
  std::int64_t starts() const { return shared_.starts(); }
  // Of a runtime's pool; nothing when it has no executor.
  std::optional<std::int64_t> Unstarted(const ServedHandlers::Pool& pool, bool wake);

  // After Close: waits for the threads; returns how many were left behind in handlers.
  std::int32_t Stop(Steady deadline);

 private:
  Executor* ExecutorOf(const ServedHandlers::Served& served);

  const store::Store& store_;
  store::RunningSlots& slots_;
  Inbox& inbox_;
  const std::int64_t hydrated_max_bytes_;
  Executor shared_;
  std::map<plugin::Instance*, std::unique_ptr<Executor>> runtimes_;
};

}  // namespace tasker::pipeline
