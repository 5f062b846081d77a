#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/reads.h"
#include "store/store.h"

namespace tasker::pipeline {

// What burying this dead worker tells the store.
store::Bury BurialOf(const store::OpenWorker& dead);

// The workers on this store, as their locks show them: on one machine a lock that is free is a
// process that is dead. Owned by the turn thread.
class Peers final {
 public:
  explicit Peers(std::int64_t self) : self_(self), alive_{self} {}

  // Somebody has committed: perhaps a worker that came or went.
  void LookSoon() { outdated_ = true; }
  bool Due(Steady now) const { return now >= next_look(); }
  Steady next_look() const { return looked_ + Interval(); }
  // Probes every open worker. Returns those that have died and whose burial was not returned yet.
  Result<std::vector<store::Bury>> Look(store::Store& store, Steady now);

  // This worker is among them. As of the last look.
  const std::vector<std::int64_t>& alive() const { return alive_; }
  bool alone() const { return alive_.size() <= 1; }
  // Handlers that another live worker serves.
  Result<std::set<std::int64_t>> ServedElsewhere(store::Reader& reader) const;

 private:
  std::chrono::milliseconds Interval() const;
  void NoteStopped(const store::OpenWorker& worker);

  const std::int64_t self_;
  std::vector<std::int64_t> alive_;
  std::set<std::int64_t> burying_;
  std::set<std::int64_t> stopped_;  // of those alive; said in the log
  bool outdated_ = true;
  Steady looked_{};
};

}  // namespace tasker::pipeline
