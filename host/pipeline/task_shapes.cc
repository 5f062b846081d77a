#include "pipeline/task_shapes.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/envelope.h"
#include "pipeline/stored_json.h"
#include "pipeline/timestamps.h"
#include "workflow/identity.h"
#include "workflow/rows.h"
#include "workflow/state.h"

namespace tasker::pipeline {
namespace {

namespace json = boost::json;
using workflow::StepState;

struct Tally {
  std::int64_t pending = 0, in_progress = 0, completed = 0, failed = 0, ready = 0, waiting = 0;
};

Tally Count(const store::TaskView& view) {
  Tally tally;
  for (const store::StepView& step : view.steps) {
    switch (step.row.state) {
      case StepState::kPending:
        ++tally.pending;
        break;
      case StepState::kEnqueued:
        ++tally.ready;
        break;
      case StepState::kInProgress:
        ++tally.in_progress;
        break;
      case StepState::kWaitingForRetry:
        ++tally.waiting;
        break;
      case StepState::kComplete:
      case StepState::kResolvedManually:
        ++tally.completed;
        break;
      case StepState::kError:
        ++tally.failed;
        break;
      case StepState::kCancelled:
        break;
    }
  }
  return tally;
}

struct Verdict {
  const char* status;
  const char* action;
  const char* health;
};

// Upstream's words for how a task stands and what is to be done about it.
Verdict VerdictOf(const store::TaskView& view, const Tally& tally) {
  using workflow::TaskState;
  switch (view.summary.state) {
    case TaskState::kComplete:
    case TaskState::kCancelled:
    case TaskState::kResolvedManually:
      return {"all_complete", "finalize_task", "healthy"};
    case TaskState::kBlockedByFailures:
    case TaskState::kError:
      return {"blocked_by_failures", "handle_failures", "blocked"};
    default:
      break;
  }
  if (tally.ready > 0) return {"has_ready_steps", "execute_ready_steps", "healthy"};
  if (tally.in_progress > 0) return {"processing", "wait_for_completion", "healthy"};
  return {"waiting_for_dependencies", "wait_for_dependencies",
          tally.waiting > 0 ? "recovering" : "healthy"};
}

const store::StepView* Find(const store::TaskView& view, std::int32_t n) {
  const auto found =
      std::ranges::find_if(view.steps, [n](const store::StepView& s) { return s.row.n == n; });
  return found == view.steps.end() ? nullptr : &*found;
}

json::array NamesOf(const store::TaskView& view, const std::vector<std::int32_t>& steps) {
  json::array names;
  for (const std::int32_t n : steps) {
    const store::StepView* const step = Find(view, n);
    if (step != nullptr) names.emplace_back(step->name);
  }
  return names;
}

std::optional<Time> LastFailure(const store::TaskView& view, std::int32_t n) {
  std::optional<Time> last;
  for (const store::AttemptView& attempt : view.attempts) {
    const bool failed = attempt.outcome == workflow::AttemptOutcome::kError ||
                        attempt.outcome == workflow::AttemptOutcome::kTimeout;
    if (attempt.n == n && failed) last = std::max(last.value_or(attempt.ended), attempt.ended);
  }
  return last;
}

std::optional<Time> LastChange(const store::TaskView& view) {
  std::optional<Time> last = view.summary.created;
  for (const store::StepView& step : view.steps) {
    for (const auto& time : {step.row.claimed, step.row.ended}) {
      if (time) last = std::max(*last, *time);
    }
  }
  return last;
}

}  // namespace

json::value ClientTime(const std::optional<Time>& time) {
  if (!time) return nullptr;
  std::string text;
  AppendTimestamp(*time, text);
  return json::value(text + "Z");
}

json::value ClientJson(std::string_view text) {
  if (text.empty()) return nullptr;
  auto value = ParseStored(text);
  return value ? *std::move(value) : json::value(text);
}

json::object ClientStep(const store::TaskView& view, const store::StepView& step,
                        json::value results) {
  const workflow::StepRow& row = step.row;
  std::int64_t completed = 0;
  for (const std::int32_t parent : step.parents) {
    const store::StepView* const found = Find(view, parent);
    if (found != nullptr && (found->row.state == StepState::kComplete ||
                             found->row.state == StepState::kResolvedManually))
      ++completed;
  }
  const bool done = row.state == StepState::kComplete || row.state == StepState::kCancelled ||
                    row.state == StepState::kResolvedManually;
  const std::optional<Time> failure = LastFailure(view, row.n);
  return {{"step_uuid", workflow::StepUuid(view.summary.uuid, row.n).ToString()},
          {"task_uuid", view.summary.uuid.ToString()},
          {"name", step.name},
          {"created_at", ClientTime(view.summary.created)},
          {"updated_at", ClientTime(row.ended     ? row.ended
                                    : row.claimed ? row.claimed
                                                  : std::optional(view.summary.created))},
          {"completed_at", ClientTime(done ? row.ended : std::nullopt)},
          {"results", std::move(results)},
          {"current_state", workflow::Name(row.state)},
          {"dependencies_satisfied", row.waiting_for == 0},
          {"retry_eligible", !done && row.attempts < step.max_attempts},
          {"ready_for_execution", row.state == StepState::kEnqueued},
          {"dependencies", NamesOf(view, step.parents)},
          {"total_parents", step.parents.size()},
          {"completed_parents", completed},
          {"attempts", row.attempts},
          {"max_attempts", step.max_attempts},
          {"last_failure_at", ClientTime(failure)},
          {"next_retry_at",
           ClientTime(row.state == StepState::kWaitingForRetry ? row.due : std::nullopt)},
          {"last_attempted_at", ClientTime(row.claimed)},
          {"handler", step.handler},
          {"served", step.served}};
}

// Every member that a request may have beside its context, whether it was said or not.
json::object RequestOf(const store::TaskView& view) {
  json::object request = {{"initiator", ""},
                          {"source_system", ""},
                          {"reason", ""},
                          {"tags", nullptr},
                          {"correlation_id", view.summary.uuid.ToString()},
                          {"parent_correlation_id", nullptr},
                          {"requested_at", ClientTime(view.summary.created)},
                          {"options", nullptr}};
  const json::value envelope = ClientJson(view.envelope);
  if (!envelope.is_object()) return request;
  for (const auto& [key, said] : envelope.as_object()) request[key] = said;
  if (envelope.as_object().contains("requested_at")) request["requested_at"].as_string() += "Z";
  return request;
}

json::object ClientTask(const store::TaskView& view) {
  const store::TaskSummary& summary = view.summary;
  const Tally tally = Count(view);
  const Verdict verdict = VerdictOf(view, tally);
  json::array steps;
  for (const store::StepView& step : view.steps) steps.push_back(ClientStep(view, step, nullptr));
  const double total = static_cast<double>(std::max<std::size_t>(view.steps.size(), 1));
  json::object task = {
      {"task_uuid", summary.uuid.ToString()},
      {"name", summary.name},
      {"namespace", summary.ns},
      {"version", summary.version},
      {"status", workflow::Name(summary.state)},
      {"created_at", ClientTime(summary.created)},
      {"updated_at", ClientTime(LastChange(view))},
      {"completed_at", ClientTime(summary.ended)},
      {"context", ClientJson(view.context)},
      {"priority", summary.priority},
      {"total_steps", view.steps.size()},
      {"pending_steps", tally.pending},
      {"in_progress_steps", tally.in_progress},
      {"completed_steps", tally.completed},
      {"failed_steps", tally.failed},
      {"ready_steps", tally.ready},
      {"execution_status", verdict.status},
      {"recommended_action", verdict.action},
      {"completion_percentage", 100.0 * static_cast<double>(tally.completed) / total},
      {"health_status", verdict.health},
      {"steps", std::move(steps)}};
  json::object asked = RequestOf(view);
  for (auto& [key, said] : asked) task[key] = std::move(said);
  return task;
}

json::array ClientAudit(const store::TaskView& view, const store::StepView& step) {
  json::array entries;
  const std::string task = view.summary.uuid.ToString();
  const Uuid correlation = RowOf(view.envelope).correlation.value_or(view.summary.uuid);
  for (const store::AttemptView& attempt : view.attempts) {
    if (attempt.n != step.row.n) continue;
    const std::string call =
        workflow::CallId(view.summary.uuid, workflow::Number(attempt.claim)).ToString();
    json::value took = nullptr;
    if (attempt.started)
      took = std::chrono::duration_cast<std::chrono::milliseconds>(attempt.ended - *attempt.started)
                 .count();
    entries.push_back(
        {{"audit_uuid", call},
         {"workflow_step_uuid", workflow::StepUuid(view.summary.uuid, step.row.n).ToString()},
         {"transition_uuid", call},
         {"task_uuid", task},
         {"recorded_at", ClientTime(attempt.ended)},
         {"worker_uuid", std::to_string(workflow::WorkerOf(attempt.claim))},
         {"correlation_id", correlation.ToString()},
         {"success", attempt.outcome == workflow::AttemptOutcome::kComplete},
         {"execution_time_ms", std::move(took)},
         {"result", ClientJson(attempt.error)},
         {"step_name", step.name},
         {"from_state", "in_progress"},
         {"to_state", workflow::Name(attempt.outcome)}});
  }
  return entries;
}

}  // namespace tasker::pipeline
