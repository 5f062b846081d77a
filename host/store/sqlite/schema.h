#pragma once

#include <string>

#include "base/result.h"
#include "store/sqlite/connection.h"

namespace tasker::store::sqlite {

// The schema that this program writes: the number of the last migration.
inline constexpr std::int64_t kSchemaVersion = 1;

// Creates the tables in an empty file, accepts a store of this version, refuses everything else in
// one sentence. The caller holds the turnstile.
Status EnsureSchema(Connection& connection);

}  // namespace tasker::store::sqlite
