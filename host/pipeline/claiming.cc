#include "pipeline/claiming.h"

#include <chrono>
#include <utility>

namespace tasker::pipeline {
namespace {

constexpr std::chrono::seconds kPause{1};

}  // namespace

Claiming::Claiming(std::int64_t in_flight_max, std::int64_t threads,
                   std::map<std::string, std::int64_t> handler_limits,
                   const plugin::HandlerRegistry& registry, Dispatcher& dispatcher)
    : in_flight_max_(in_flight_max),
      threads_(threads),
      dispatcher_(dispatcher),
      handlers_(registry, std::move(handler_limits)) {}

Result<std::vector<std::int64_t>> Claiming::Refresh(store::Store& store, Steady now) {
  refresh_at_ = now + kPause;
  TRY_OK(handlers_.Refresh(
      [&store](std::span<const store::HandlerName> names) { return store.Intern(names); }));
  unfinished_ = true;
  TRY_OK(dispatcher_.StartRuntimes(handlers_));
  unfinished_ = false;
  refresh_at_ = {};
  std::vector<std::int64_t> ids;
  for (const auto& [id, served] : handlers_.all()) ids.push_back(id);
  return ids;
}

void Claiming::Pause(std::string reason, Steady now) {
  paused_until_ = now + kPause;
  pause_reason_ = std::move(reason);
}

const std::string* Claiming::Paused(Steady now) const {
  return now < paused_until_ ? &pause_reason_ : nullptr;
}

Plan Claiming::PlanNow(Steady now, std::int64_t in_flight, bool wake_when_started) {
  const std::int64_t started = dispatcher_.starts();
  starts_.Add(now, started - std::exchange(starts_counted_, started));
  Load load;
  load.in_flight_max = in_flight_max_;
  load.in_flight = in_flight;
  load.threads = threads_;
  load.unstarted = dispatcher_.Unstarted(wake_when_started);
  load.starts_last_second = starts_.LastSecond(now);
  if (held_at_ && started != *held_at_) held_at_.reset();
  if (held_at_) load.starts_last_second = 0;
  places_ = PlacesOf(load);
  const ServedHandlers::Loads loads = handlers_.LoadsAt(now);
  std::vector<PoolLoad> pools;
  pools.reserve(loads.pools.size());
  for (const ServedHandlers::Pool& pool : loads.pools) {
    const auto unstarted = dispatcher_.Unstarted(pool, wake_when_started);
    if (unstarted) {
      pools.push_back({pool.instance->Capacity(pool.number), *unstarted});
    } else {
      pools.push_back({0, 0});
    }
  }
  return PlanDemand(load, pools, loads.handlers);
}

bool Claiming::Due(Steady now, std::int64_t in_flight) {
  if (!handlers_.AnyMarked()) return false;
  if (handlers_.AnyMarked(PlanNow(now, in_flight).demand)) return true;
  // An executor may have made room since: asked again, now that it would say so.
  return handlers_.AnyMarked(PlanNow(now, in_flight, true).demand);
}

void Claiming::Found(const Plan& plan, std::size_t claimed, bool more_ready) {
  // Who claims nothing although there is room finds nothing by asking again.
  if (!more_ready || claimed == 0) handlers_.Unmark(plan.demand);
}

}  // namespace tasker::pipeline
