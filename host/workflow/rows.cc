#include "workflow/rows.h"

#include <algorithm>

#include "base/check.h"

namespace tasker::workflow {
namespace {

auto LowerBound(std::vector<TaskRows::Slot>& slots, std::int32_t n) {
  return std::ranges::lower_bound(slots, n, {}, [](const TaskRows::Slot& s) { return s.row.n; });
}

}  // namespace

std::string_view Name(AttemptOutcome outcome) {
  switch (outcome) {
    case AttemptOutcome::kComplete:
      return "complete";
    case AttemptOutcome::kError:
      return "error";
    case AttemptOutcome::kTimeout:
      return "timeout";
    case AttemptOutcome::kYielded:
      return "yielded";
    case AttemptOutcome::kWorkerLost:
      return "worker_lost";
    case AttemptOutcome::kHandedBack:
      return "handed_back";
    case AttemptOutcome::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

TaskRows::Slot* TaskRows::Find(std::int32_t n) {
  // A task that was loaded whole has step n at n.
  const auto at_n = static_cast<std::size_t>(n);
  if (at_n < slots_.size() && slots_[at_n].row.n == n) return &slots_[at_n];
  const auto at = LowerBound(slots_, n);
  return at != slots_.end() && at->row.n == n ? &*at : nullptr;
}

void TaskRows::Put(const StepRow& row) {
  const auto at = LowerBound(slots_, row.n);
  CHECK(at == slots_.end() || at->row.n != row.n);
  slots_.insert(at, Slot{.row = row, .stored = row});
}

void TaskRows::PutFresh(const StepRow& row) {
  CHECK(slots_.empty() || slots_.back().row.n < row.n);
  slots_.push_back(Slot{.row = row, .stored = {}, .fresh = true, .touched = true});
}

void TaskRows::MarkSaved() {
  for (Slot& slot : slots_) {
    if (!slot.touched) continue;
    slot.stored = slot.row;
    slot.fresh = slot.touched = false;
  }
  stored_task = task;
  fresh = false;
}

void TaskRows::Recount() {
  task.open = task.active = task.retrying = task.failed = 0;
  for (const Slot& slot : slots_) {
    const StepState state = slot.row.state;
    task.open += IsFinal(state) ? 0 : 1;
    task.active += IsActive(state) ? 1 : 0;
    task.retrying += state == StepState::kWaitingForRetry ? 1 : 0;
    task.failed += state == StepState::kError ? 1 : 0;
  }
  stored_task.open = task.open;
  stored_task.active = task.active;
  stored_task.retrying = task.retrying;
  stored_task.failed = task.failed;
}

}  // namespace tasker::workflow
