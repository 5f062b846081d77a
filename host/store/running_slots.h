#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "workflow/rows.h"

namespace tasker::store {

// Which claims of this worker have really started. The words live in the mmapped file worker-<id>
// and so survive SIGKILL. Each place has a slot: Set before the handler's start(), Clear once its
// end is committed, so that each start that a SIGKILL cut off, or whose end it lost, gets an
// attempt row. Lock-free.
class RunningSlots final {
 public:
  // The words outlive the object.
  explicit RunningSlots(std::span<std::atomic<std::int64_t>> words)
      : words_(words), starts_(words.size()) {}

  std::int32_t size() const { return static_cast<std::int32_t>(words_.size()); }
  void Set(std::int32_t slot, workflow::ClaimId claim, Steady now) {
    starts_[Index(slot)].store(now.time_since_epoch().count());
    words_[Index(slot)].store(workflow::Number(claim));
  }
  void Clear(std::int32_t slot) { words_[Index(slot)].store(0); }
  // When this claim started; nothing if it has not.
  std::optional<Steady> Started(std::int32_t slot, workflow::ClaimId claim) const {
    if (words_[Index(slot)].load() != workflow::Number(claim)) return std::nullopt;
    return Steady(Steady::duration(starts_[Index(slot)].load()));
  }

 private:
  std::size_t Index(std::int32_t slot) const {
    CHECK(slot >= 0 && slot < size());
    return static_cast<std::size_t>(slot);
  }

  const std::span<std::atomic<std::int64_t>> words_;
  std::vector<std::atomic<std::int64_t>> starts_;  // of each slot; only this process asks
};

}  // namespace tasker::store
