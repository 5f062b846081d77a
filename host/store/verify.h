#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "store/store.h"

namespace tasker::store {

// Something that must hold in every store, and does not hold in this one.
struct Violation {
  std::string_view invariant;     // its name, for scripts: "task_counters", "live_claim", ...
  std::string_view must_hold;     // the same as a sentence
  std::string found;              // what is there instead
  std::int64_t task_id = 0;       // 0: of no task
  std::optional<Uuid> task;       // nothing: there is no row of this task
  std::optional<std::int32_t> n;  // the step
};

struct VerifyOptions {
  bool pages = true;  // also SQLite's own check of every page: one read transaction a table
  std::size_t violations_max = 1000;
};

struct Verified {
  std::int64_t tasks = 0, steps = 0;  // looked at
  std::vector<Violation> violations;
  bool all = true;  // false: it stopped at violations_max
};

// Asserts what must hold of the rows (peers.md 6.1, as far as the tables can show it), at rest or
// under running hosts: each page of tasks in one short read transaction on a connection of its own.
// An error: the store could not be read. Borrows `store` for its templates.
Result<Verified> Verify(Store& store, const VerifyOptions& options);

}  // namespace tasker::store
