#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "store/reads.h"

// The shapes of --json, which scripts rely on: keys are only added. Times are
// "2026-01-02T03:04:05.678901Z" or null.
namespace tasker::cli {

// One line of output.
std::string JsonLine(const boost::json::value& value);

// A JSON text of the store; null for an empty one.
boost::json::value Embedded(std::string_view json_text);

boost::json::value TimeJson(const std::optional<Time>& time);

// {task, namespace, name, version, state, priority, steps: {total, open, active, retrying, failed},
// created, start, ended}
boost::json::object ToJson(const store::TaskSummary& summary);
// The same, where `steps` is the list of them, with context, attempts and actions; of one step only
// where `only` says so.
boost::json::object ToJson(const store::TaskView& view,
                           std::optional<std::int32_t> only = std::nullopt);

}  // namespace tasker::cli
