#include "store/task_cache.h"

namespace tasker::store {

TaskEntry& TaskCache::Get(std::int64_t task) {
  std::unique_ptr<TaskEntry>& entry = entries_[task];
  if (entry == nullptr) {
    entry = std::make_unique<TaskEntry>();
    entry->rows.task.id = task;
  }
  return *entry;
}

void TaskCache::Clear() {
  entries_.clear();
  steps_ = 0;
}

void TaskCache::Release(TaskEntry& entry) {
  const auto size = static_cast<std::int64_t>(entry.rows.slots().size());
  steps_ += size - static_cast<std::int64_t>(entry.counted);
  entry.counted = static_cast<std::size_t>(size);
  entry.in_turn = false;
  entry.submit = nullptr;
  entry.steps.clear();
  if (entry.claims > 0 && steps_ <= steps_max_) return;
  steps_ -= size;
  entries_.erase(entry.rows.task.id);
}

}  // namespace tasker::store
