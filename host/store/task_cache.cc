#include "store/task_cache.h"

#include <utility>

namespace tasker::store {
namespace {

constexpr std::size_t kTextBytesMax = std::size_t{16} << 20;

std::size_t BytesOf(const std::shared_ptr<const TaskTexts>& texts) {
  return texts == nullptr ? 0 : texts->bytes;
}

}  // namespace

TaskEntry& TaskCache::Get(std::int64_t task) {
  std::unique_ptr<TaskEntry>& entry = entries_[task];
  if (entry == nullptr) {
    entry = std::make_unique<TaskEntry>();
    entry->rows.task.id = task;
  }
  return *entry;
}

TaskEntry* TaskCache::Find(std::int64_t task) {
  const auto found = entries_.find(task);
  return found == entries_.end() ? nullptr : found->second.get();
}

void TaskCache::Clear() {
  entries_.clear();
  steps_ = 0;
  text_bytes_ = 0;
}

void TaskCache::Keep(TaskEntry& entry, std::shared_ptr<const TaskTexts> texts) {
  text_bytes_ -= BytesOf(entry.texts);
  if (text_bytes_ + BytesOf(texts) > kTextBytesMax) texts.reset();
  text_bytes_ += BytesOf(texts);
  entry.texts = std::move(texts);
}

void TaskCache::Release(TaskEntry& entry) {
  const auto size = static_cast<std::int64_t>(entry.rows.slots().size());
  steps_ += size - static_cast<std::int64_t>(entry.counted);
  entry.counted = static_cast<std::size_t>(size);
  entry.in_turn = false;
  entry.submit = nullptr;
  entry.input.reset();
  entry.steps.clear();
  if (entry.claims > 0 && steps_ <= steps_max_) return;
  steps_ -= size;
  text_bytes_ -= BytesOf(entry.texts);
  entries_.erase(entry.rows.task.id);
}

}  // namespace tasker::store
