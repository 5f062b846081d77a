#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "pipeline/demand.h"
#include "pipeline/dispatcher.h"
#include "pipeline/rate_window.h"
#include "pipeline/served_handlers.h"
#include "plugin/registry.h"
#include "store/store.h"

namespace tasker::pipeline {

// What this host wants to claim, and when it is worth asking. Owned by the turn thread.
class Claiming final {
 public:
  // `handler_limits`: see ServedHandlers.
  Claiming(std::int64_t in_flight_max, std::int64_t threads,
           std::map<std::string, std::int64_t> handler_limits,
           const plugin::HandlerRegistry& registry, Dispatcher& dispatcher);

  ServedHandlers& handlers() { return handlers_; }

  // Whether the registry has changed, and the last try to follow it does not lie too close.
  bool Outdated(Steady now) const {
    return (unfinished_ || handlers_.Outdated()) && now >= refresh_at_;
  }
  // Follows the registry: numbers its handlers and starts executors for new runtimes. Returns the
  // complete set of handlers.
  Result<std::vector<std::int64_t>> Refresh(store::Store& store, Steady now);

  // Claims nothing for a second.
  void Pause(std::string reason, Steady now);
  // Why not; nothing when it may claim.
  const std::string* Paused(Steady now) const;

  // `in_flight`: claims, less those whose end is in the coming turn.
  Plan PlanNow(Steady now, std::int64_t in_flight, bool wake_when_started = false);
  // Whether steps may be ready for which there is room. If not, the inbox is woken when an executor
  // has made room.
  bool Due(Steady now, std::int64_t in_flight);
  // Something may have become ready.
  void MayBeReady() { handlers_.MarkAll(); }
  // What was claimed here waited too long: until a step starts, only as much is claimed as threads
  // are free. Else what one worker hands back it would claim again.
  void HoldBack() { held_at_ = dispatcher_.starts(); }
  // What a committed turn found with this plan.
  void Found(const Plan& plan, std::size_t claimed, bool more_ready);

  // Starts of in-process handlers that were dispatched and have not returned.
  std::int64_t unreturned() const { return dispatcher_.Unstarted(false); }
  // As of the last plan.
  std::int64_t places() const { return places_; }

 private:
  const std::int64_t in_flight_max_;
  const std::int64_t threads_;
  Dispatcher& dispatcher_;
  ServedHandlers handlers_;
  RateWindow starts_;
  std::int64_t starts_counted_ = 0;
  std::optional<std::int64_t> held_at_;  // starts when HoldBack was called
  std::int64_t places_ = 0;
  Steady refresh_at_{};      // not before
  bool unfinished_ = false;  // a runtime has no executor yet
  Steady paused_until_{};
  std::string pause_reason_;
};

}  // namespace tasker::pipeline
