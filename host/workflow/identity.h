#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/uuid.h"

namespace tasker::workflow {

// 64 lower-case hexadecimal digits.
std::string Sha256Hex(std::string_view text);

// Version 5: the same for the same name, for ever. They are derived instead of stored.
Uuid StepUuid(const Uuid& task, std::int32_t n);
// One attempt, as the handler and people know it: tasker_step.call_id, Python's event_id.
Uuid CallId(const Uuid& task, std::int64_t claim);
Uuid NamedTaskUuid(std::string_view ns, std::string_view name, std::string_view version);
Uuid NamedStepUuid(std::string_view ns, std::string_view name, std::string_view version,
                   std::string_view step);

// What makes two submits one task: the template and the caller's key.
std::string Identity(std::string_view ns, std::string_view name, std::string_view version,
                     std::string_view key);

}  // namespace tasker::workflow
