#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "store/store.h"

namespace tasker::store {

// What Store::Prune would delete, without deleting it. Any thread.
Result<Pruned> CountPrunable(const Store& store, Time ended_before);

}  // namespace tasker::store
