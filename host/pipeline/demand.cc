#include "pipeline/demand.h"

#include <algorithm>
#include <cstddef>
#include <limits>

namespace tasker::pipeline {
namespace {

std::int32_t Narrow(std::int64_t count) {
  return static_cast<std::int32_t>(
      std::clamp<std::int64_t>(count, 0, std::numeric_limits<std::int32_t>::max()));
}

}  // namespace

std::int64_t PlacesOf(const Load& load) {
  return std::min(load.in_flight_max, load.threads + load.starts_last_second);
}

Plan PlanDemand(const Load& load, std::span<const PoolLoad> pools,
                std::span<const HandlerLoad> handlers) {
  const std::int64_t host_free = load.in_flight_max - load.in_flight;
  // Group 0 is the executor threads, group i + 1 pool i.
  std::vector<std::int64_t> room;
  room.reserve(pools.size() + 1);
  room.push_back(PlacesOf(load) - load.unstarted);
  for (const PoolLoad& pool : pools) room.push_back(pool.capacity - pool.unstarted);
  std::vector<store::Demand> shared(room.size());

  Plan plan;
  for (const HandlerLoad& handler : handlers) {
    const auto group = static_cast<std::size_t>(std::int64_t{handler.pool} + 1);
    if (handler.limit == 0) {
      shared[group].handlers.push_back(handler.handler);
      continue;
    }
    const std::int64_t free = std::min({room[group], handler.limit - handler.in_flight, host_free});
    if (free > 0) plan.demand.push_back({{handler.handler}, Narrow(free)});
  }
  std::int64_t total = 0;
  for (std::size_t group = 0; group < room.size(); ++group) {
    total += std::max<std::int64_t>(room[group], 0);
    const std::int64_t free = std::min(room[group], host_free);
    if (free <= 0 || shared[group].handlers.empty()) continue;
    shared[group].free = Narrow(free);
    plan.demand.push_back(std::move(shared[group]));
  }
  if (!plan.demand.empty()) plan.free_total = Narrow(std::min(total, host_free));
  return plan;
}

}  // namespace tasker::pipeline
