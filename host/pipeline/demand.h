#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "store/store.h"

namespace tasker::pipeline {

// How things stand when a turn may claim. Counts leave out what ends in this very turn: its places
// are free again when the turn is committed, and claims are committed with it.
struct Load {
  std::int64_t in_flight_max = 0;  // of the host: claimed, and the end not committed
  std::int64_t in_flight = 0;
  std::int64_t threads = 0;             // executor threads of the in-process handlers
  std::int64_t starts_last_second = 0;  // of in-process handlers
  std::int64_t unstarted = 0;  // of in-process handlers: dispatched, and start() has not returned
};

// A runtime's pool: what it says it takes, less what is on its way to it.
struct PoolLoad {
  std::int64_t capacity = 0;
  std::int64_t unstarted = 0;
};

// A handler that a live instance here has.
struct HandlerLoad {
  std::int64_t handler = 0;
  std::int64_t limit = 0;  // attempts at once; 0: no limit of its own
  std::int64_t in_flight = 0;
  int pool = -1;  // index of its runtime pool; -1: executor threads run it
};

// The places: the steps that executor threads can start within about a second. It doubles each turn
// while they are fast, and slow steps are not hoarded.
std::int64_t PlacesOf(const Load& load);

struct Plan {
  std::vector<store::Demand> demand;  // only groups with room
  std::int32_t free_total = 0;
};

// What to ask the store for: the unlimited handlers of the executor threads are one group, those of
// each pool another, and each limited handler is one. A pool's limited handlers may together be
// offered more than the pool takes: what is too much the plugin hands back.
Plan PlanDemand(const Load& load, std::span<const PoolLoad> pools,
                std::span<const HandlerLoad> handlers);

}  // namespace tasker::pipeline
