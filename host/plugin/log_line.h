#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "log/log.h"
#include "plugin/instance.h"

namespace tasker::plugin {

// Which attempt a line is about: task, step, attempt, handler.
log::Fields AttemptFields(const StepInput& input);

// A plugin's own line, as its module "plugin". level: TASKER_LOG_...; one beyond the known ones
// counts as the nearest. fields: a JSON object or empty; its texts, numbers and booleans become
// fields of the line, up to 32 and never one that the host sets.
void WriteLogLine(const std::string& plugin, const StepInput* attempt_or_null, std::int32_t level,
                  std::string_view message, std::string_view fields);
bool LogLineEnabled(std::int32_t level);

}  // namespace tasker::plugin
