#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "store/store.h"
#include "workflow/decide.h"
#include "workflow/rows.h"

namespace tasker::store {

// A task in memory, and what the running turn does with it.
struct TaskEntry {
  workflow::TaskRows rows;
  std::shared_ptr<const Workflow> workflow;
  std::int32_t claims = 0;  // steps of it that this worker holds
  // Every text of the task, for what is claimed next; null: not all of them are known. Owners: this
  // and the attempts.
  std::shared_ptr<const TaskTexts> texts;

  // Of the turn that runs now.
  bool in_turn = false;
  bool loaded = false;              // the task's row is there, from the store or fresh
  const Submit* submit = nullptr;   // of a fresh task
  std::optional<TaskInput> input;   // of a task of which nothing has run
  std::vector<std::int32_t> steps;  // that it may touch; ascending once loaded
  std::size_t counted = 0;          // slots as counted in the cache's total

  // Small tasks are loaded whole: one search instead of one a step, and their counters need not be
  // written while they run.
  static constexpr std::int32_t kSmallMax = 64;
  bool small() const { return workflow->graph.size() <= kSmallMax; }
};

// The rows of tasks of which this worker holds claims, as the store has them. Valid while nobody
// else commits; dropped whole with every turn that did not commit.
class TaskCache final {
 public:
  explicit TaskCache(std::int64_t steps_max) : steps_max_(steps_max) {}

  // The entry of this task, made where there is none.
  TaskEntry& Get(std::int64_t task);
  // Null where there is none.
  TaskEntry* Find(std::int64_t task);
  void Clear();
  // Replaces the texts of an entry; drops them when all together would take too much memory.
  void Keep(TaskEntry& entry, std::shared_ptr<const TaskTexts> texts);
  // Whether any entry has some.
  bool has_texts() const { return text_bytes_ > 0; }
  // After the commit: keeps the entry if this worker holds claims of it, else drops it. The entry
  // may be gone afterwards.
  void Release(TaskEntry& entry);

 private:
  const std::int64_t steps_max_;
  std::int64_t steps_ = 0;
  std::size_t text_bytes_ = 0;
  std::unordered_map<std::int64_t, std::unique_ptr<TaskEntry>> entries_;
};

}  // namespace tasker::store
