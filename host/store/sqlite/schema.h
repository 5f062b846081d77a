#pragma once

#include <string>

#include "base/result.h"
#include "store/sqlite/connection.h"

namespace tasker::store::sqlite {

// The schema that this program writes: the number of the last migration.
inline constexpr std::int64_t kSchemaVersion = 2;

// Whether the file has this program's schema; false: it is empty. Everything else is refused in one
// sentence.
Result<bool> HasSchema(Connection& connection);
// Creates the tables where there are none. The caller holds the turnstile.
Status EnsureSchema(Connection& connection);

}  // namespace tasker::store::sqlite
