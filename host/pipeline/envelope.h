#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/uuid.h"

namespace tasker::pipeline {

// What upstream's TaskRequest says of a task beside what it works on: who wants it, why, and what
// it belongs to.
struct Envelope {
  std::string initiator, source_system, reason;
  std::vector<std::string> tags;
  std::string options;                                  // a JSON object; empty: none
  std::optional<Uuid> correlation, parent_correlation;  // without: the task's own uuid, and none
  std::optional<Time> requested;                        // without: when the task was made
};

// The JSON object that the store keeps. What nearly no request says (tags and all that follows)
// stands first, and only where it was said: so RowOf knows by the first key whether to look for it.
std::string ToJson(const Envelope& envelope);

// What of it upstream's row of the task has.
struct EnvelopeRow {
  std::string who;           // JSON: the members initiator, source_system, reason
  std::string tags;          // JSON
  std::string requested_at;  // as AppendTimestamp writes it; empty: when the task was made
  std::optional<Uuid> correlation, parent_correlation;
};
EnvelopeRow RowOf(std::string_view envelope);

}  // namespace tasker::pipeline
