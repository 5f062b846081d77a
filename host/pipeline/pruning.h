#pragma once

#include <chrono>

#include "base/clock.h"
#include "base/result.h"
#include "store/store.h"

namespace tasker::pipeline {

// Deletes what ended long ago, a slice whenever the turn thread has nothing else to do, and rests
// after each for as long as it took, so that whoever shares the store gets through. Owned by the
// turn thread.
class Pruning final {
 public:
  // 0: nothing is ever deleted.
  explicit Pruning(std::chrono::milliseconds keep)
      : keep_(keep), next_(keep.count() > 0 ? Steady{} : Steady::max()) {}

  // When the next slice is to be run.
  Steady next() const { return next_; }
  Status RunSlice(store::Store& store, Time now);

 private:
  const std::chrono::milliseconds keep_;
  Steady next_;
  store::PruneCursor cursor_;
  std::int64_t tasks_ = 0;  // deleted in this pass
};

}  // namespace tasker::pipeline
