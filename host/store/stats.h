#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/store.h"

namespace tasker::store {

struct StoreStats {
  std::int64_t file_bytes = 0, wal_bytes = 0;
  std::int64_t page_bytes = 0, pages = 0, free_pages = 0;
  std::vector<std::pair<std::string_view, std::int64_t>> rows;  // table -> its rows
  std::optional<Time> oldest_task, oldest_open;                 // when they were submitted
  std::optional<Time> oldest_ended;        // when the first of those still kept ended
  std::optional<Time> oldest_dead_letter;  // of those that wait for a person
};

// Reads on a connection of its own, each table in a short transaction. Any thread.
Result<StoreStats> Stats(const Store& store);

}  // namespace tasker::store
