#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "base/check.h"
#include "workflow/rows.h"

namespace tasker::store {

// Which claims of this worker have really started. The words live in the mmapped file worker-<id>
// and so survive SIGKILL. Each place has a slot: Set before the handler's start(), Clear once its
// end is committed, so that each start that a SIGKILL cut off, or whose end it lost, gets an
// attempt row. Lock-free.
class RunningSlots final {
 public:
  // The words outlive the object.
  explicit RunningSlots(std::span<std::atomic<std::int64_t>> words) : words_(words) {}

  std::int32_t size() const { return static_cast<std::int32_t>(words_.size()); }
  void Set(std::int32_t slot, workflow::ClaimId claim) { At(slot).store(workflow::Number(claim)); }
  void Clear(std::int32_t slot) { At(slot).store(0); }

 private:
  std::atomic<std::int64_t>& At(std::int32_t slot) {
    CHECK(slot >= 0 && slot < size());
    return words_[static_cast<std::size_t>(slot)];
  }

  std::span<std::atomic<std::int64_t>> words_;
};

}  // namespace tasker::store
