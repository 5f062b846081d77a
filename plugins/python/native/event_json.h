#pragma once

#include <cstdint>
#include <string>

#include <tasker/plugin.h>

namespace tasker::python {

// Tasker's FfiStepEvent as JSON, with the package's own keys "_attempt", "_idempotency_key",
// "_handler", "_method" and "_resolver"; without the brace at its end, so that "_deadline_s" can
// follow when the step is taken. `event_id`: the attempt's, as text.
std::string EventJson(const tasker_step& step, const std::string& event_id);

// The whole text; deadline_ns: CLOCK_MONOTONIC, 0: none.
std::string WithDeadline(std::string event, std::int64_t deadline_ns);

}  // namespace tasker::python
