#include "pipeline/pruning.h"

#include <algorithm>

#include "log/log.h"

namespace tasker::pipeline {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPassAtLeast{1'000}, kPassAtMost{60'000};

}  // namespace

Status Pruning::RunSlice(store::Store& store, Time now) {
  const Steady begun = std::chrono::steady_clock::now();
  const auto pruned = store.Prune(now - keep_, cursor_);
  const Steady ended = std::chrono::steady_clock::now();
  if (!pruned) {
    next_ = ended + kPassAtMost;
    return pruned.error();
  }
  tasks_ += pruned->tasks;
  if (pruned->more) {
    next_ = ended + (ended - begun);
    return Ok();
  }
  if (tasks_ > 0) {
    log::Info("pipeline", "tasks that ended longer ago than store.keep_finished were deleted",
              {{"tasks", tasks_}});
  }
  tasks_ = 0;
  cursor_ = {};
  next_ = ended + std::clamp(keep_ / 10, kPassAtLeast, kPassAtMost);
  return Ok();
}

}  // namespace tasker::pipeline
