#pragma once

#include <optional>
#include <queue>
#include <vector>

#include "base/clock.h"
#include "workflow/rows.h"

namespace tasker::pipeline {

// When claims are to be looked at because their step's time may be over. Owned by the turn thread.
class Timeouts final {
 public:
  // A claim may be added again, and may have ended when its time comes: who asks looks.
  void Add(Steady when, workflow::ClaimId claim) { times_.push({when, claim}); }
  std::optional<Steady> next() const {
    return times_.empty() ? std::nullopt : std::optional(times_.top().when);
  }
  // Removes and returns the claims whose time has come.
  std::vector<workflow::ClaimId> TakeDue(Steady now);

 private:
  struct Entry {
    Steady when;
    workflow::ClaimId claim;
    bool operator>(const Entry& other) const { return when > other.when; }
  };
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> times_;
};

}  // namespace tasker::pipeline
