#include "cli/json_out.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdint>
#include <utility>

#include "cli/format.h"
#include "workflow/identity.h"
#include "workflow/rows.h"
#include "workflow/state.h"

namespace tasker::cli {
namespace {

namespace json = boost::json;

json::string NameOf(const store::TaskView& view, std::int32_t n) {
  for (const store::StepView& step : view.steps) {
    if (step.row.n == n) return json::string(step.name);
  }
  return json::string(std::to_string(n));
}

json::object ToJson(const store::TaskView& view, const store::StepView& step) {
  json::array parents;
  for (const std::int32_t parent : step.parents) parents.push_back(NameOf(view, parent));
  const workflow::StepRow& row = step.row;
  return {{"n", row.n},
          {"step", workflow::StepUuid(view.summary.uuid, row.n).ToString()},
          {"name", step.name},
          {"handler", step.handler},
          {"resolver", step.resolver},
          {"state", workflow::Name(row.state)},
          {"parents", std::move(parents)},
          {"attempts", row.attempts},
          {"max_attempts", step.max_attempts},
          {"crashes", row.crashes},
          {"served", step.served},
          {"ready", TimeJson(row.ready)},
          {"claimed", TimeJson(row.claimed)},
          {"due", TimeJson(row.due)},
          {"ended", TimeJson(row.ended)}};
}

json::object ToJson(const store::TaskView& view, const store::AttemptView& attempt) {
  return {
      {"step", NameOf(view, attempt.n)},
      {"call_id", workflow::CallId(view.summary.uuid, workflow::Number(attempt.claim)).ToString()},
      {"worker", workflow::WorkerOf(attempt.claim)},
      {"outcome", workflow::Name(attempt.outcome)},
      {"ready", TimeJson(attempt.ready)},
      {"claimed", TimeJson(attempt.claimed)},
      {"started", TimeJson(attempt.started)},
      {"ended", TimeJson(attempt.ended)},
      {"error", Embedded(attempt.error)}};
}

json::object ToJson(const store::TaskView& view, const store::ActionView& action) {
  return {{"step", action.n ? json::value(NameOf(view, *action.n)) : json::value(nullptr)},
          {"at", TimeJson(action.at)},
          {"kind", action.kind},
          {"actor", action.actor},
          {"reason", action.reason}};
}

}  // namespace

std::string JsonLine(const json::value& value) { return json::serialize(value) + "\n"; }

json::value Embedded(std::string_view json_text) {
  if (json_text.empty()) return nullptr;
  json::parse_options options;
  options.max_depth = 1024;  // Deeper than anything that the limits let into a store.
  json::error_code error;
  json::value value = json::parse(json_text, error, {}, options);
  return error ? json::value(json_text) : value;
}

json::value TimeJson(const std::optional<Time>& time) {
  return time ? json::value(IsoTime(*time)) : json::value(nullptr);
}

json::object ToJson(const store::TaskSummary& summary) {
  return {{"task", summary.uuid.ToString()},
          {"namespace", summary.ns},
          {"name", summary.name},
          {"version", summary.version},
          {"state", workflow::Name(summary.state)},
          {"priority", summary.priority},
          {"steps",
           {{"total", summary.steps},
            {"open", summary.open},
            {"active", summary.active},
            {"retrying", summary.retrying},
            {"failed", summary.failed}}},
          {"created", TimeJson(summary.created)},
          {"start", TimeJson(summary.start)},
          {"ended", TimeJson(summary.ended)}};
}

json::object ToJson(const store::TaskView& view, std::optional<std::int32_t> only) {
  json::object task = ToJson(view.summary);
  task["context"] = Embedded(view.context);
  task["request"] = Embedded(view.envelope);
  json::array steps;
  for (const store::StepView& step : view.steps) {
    if (!only || step.row.n == *only) steps.push_back(ToJson(view, step));
  }
  task["steps"] = std::move(steps);
  json::array attempts;
  for (const store::AttemptView& attempt : view.attempts) {
    if (!only || attempt.n == *only) attempts.push_back(ToJson(view, attempt));
  }
  task["attempts"] = std::move(attempts);
  json::array actions;
  for (const store::ActionView& action : view.actions) {
    if (!only || action.n == only) actions.push_back(ToJson(view, action));
  }
  task["actions"] = std::move(actions);
  return task;
}

}  // namespace tasker::cli
