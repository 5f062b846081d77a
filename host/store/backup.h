#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "store/store.h"

namespace tasker::store {

struct BackedUp {
  std::int64_t bytes = 0, tasks = 0;
};

// Copies the store as it is at one moment into a new file, also under running hosts, and checks the
// copy's pages. kConflict when the file exists; after any error there is no file. The copy is this
// user's alone (0600), and on its disk when this returns. Any thread.
Result<BackedUp> Backup(const Store& store, const std::string& file);

}  // namespace tasker::store
