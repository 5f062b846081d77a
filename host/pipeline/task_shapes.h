#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "store/reads.h"

// The JSON of upstream Tasker's client API, which its Python, Ruby and TypeScript clients read.
namespace tasker::pipeline {

// "2026-01-02T03:04:05.678901Z" or null.
boost::json::value ClientTime(const std::optional<Time>& time);
// A JSON text of the store; null for an empty one.
boost::json::value ClientJson(std::string_view text);

boost::json::object ClientStep(const store::TaskView& view, const store::StepView& step,
                               boost::json::value results);
boost::json::object ClientTask(const store::TaskView& view);
// One entry an attempt of the step.
boost::json::array ClientAudit(const store::TaskView& view, const store::StepView& step);

}  // namespace tasker::pipeline
