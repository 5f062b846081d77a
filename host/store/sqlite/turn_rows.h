#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <span>

#include "base/result.h"
#include "workflow/decide.h"
#include "workflow/rows.h"

namespace tasker::store::sqlite {

struct NewStep {
  std::int64_t task;
  const workflow::StepRow* row;
};

// What a turn adds, as the tables turn_attempt, turn_payload and turn_step of its connection: one
// INSERT ... SELECT of many rows costs half of as many INSERTs, which all begin and end a
// statement. The spans are borrowed while that statement runs.
struct TurnRows {
  std::span<const workflow::AttemptWrite> attempts;
  std::span<const workflow::PayloadWrite* const> payloads;
  std::span<const NewStep> steps;
};

// Makes these tables known to the connection, for as long as it is open; `rows` outlives every
// statement that names them.
Status RegisterTurnRows(sqlite3* db, const TurnRows& rows);

}  // namespace tasker::store::sqlite
