#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "pipeline/envelope.h"
#include "store/store.h"
#include "workflow/template.h"

namespace tasker::pipeline {

// A task that somebody wants, before it was checked.
struct Submission {
  std::string context = "{}";      // a JSON object
  std::optional<std::string> key;  // the same key and template is the same task
  std::int32_t priority = 0;
  std::optional<Time> start_at;
  Envelope envelope;
};

// Checks size, depth and the template's input_schema (errors say what is wrong where, and which
// limit or schema), and makes the event with a new uuid. Pure but for the uuid.
Result<store::Submit> PrepareSubmit(const Submission& submission,
                                    const workflow::TaskTemplate& task_template,
                                    std::int64_t template_id, const config::Limits& limits);

}  // namespace tasker::pipeline
