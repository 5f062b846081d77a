#include "event_json.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <string_view>

#include "json_text.h"

namespace tasker::python {
namespace {

// The keys of a JSON object of the host, behind others, and its closing brace.
void AppendRest(std::string_view object, std::string& out) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t open = object.find('{');
  const std::size_t first =
      open == std::string_view::npos ? open : object.find_first_not_of(kBlank, open + 1);
  if (first == std::string_view::npos) {
    out += '}';
    return;
  }
  if (object[first] != '}') out += ',';
  out.append(object.substr(first));
}

void AppendOr(std::string_view json, std::string_view otherwise, std::string& out) {
  out.append(json.empty() ? otherwise : json);
}

// W3C trace context: version-trace-parent-flags.
void AppendTrace(std::string_view traceparent, std::string& out) {
  constexpr std::size_t kTraceAt = 3, kTraceLength = 32, kSpanAt = 36, kSpanLength = 16;
  if (traceparent.size() < kSpanAt + kSpanLength) return;
  out += ",\"trace_id\":";
  AppendString(traceparent.substr(kTraceAt, kTraceLength), out);
  out += ",\"span_id\":";
  AppendString(traceparent.substr(kSpanAt, kSpanLength), out);
}

// The ABI gives it in the row only; upstream's event has it too, where there is one. In a text of
// the row its key cannot stand: there the quotes are escaped.
void AppendParent(std::string_view task_row, std::string& out) {
  constexpr std::string_view kKey = "\"parent_correlation_id\":\"";
  constexpr std::size_t kUuidLength = 36;
  const std::size_t at = task_row.rfind(kKey);
  if (at == std::string_view::npos) return;
  const std::string_view parent = task_row.substr(at + kKey.size(), kUuidLength);
  if (IsUuid(parent)) out.append(",").append(kKey).append(parent).append("\"");
}

void AppendTask(const tasker_step& step, std::string& out) {
  out += "{\"task\":{\"context\":";
  AppendOr(View(step.context), "null", out);
  AppendRest(View(step.task_row), out);
  out += ",\"task_name\":";
  AppendString(View(step.task_name), out);
  out += ",\"task_version\":";
  AppendString(View(step.task_version), out);
  out += ",\"namespace_name\":";
  AppendString(View(step.task_namespace), out);
  out += '}';
}

void AppendSequence(const tasker_step& step, std::string& out) {
  out += "{\"task\":";
  AppendTask(step, out);
  out += ",\"workflow_step\":{\"inputs\":";
  AppendOr(View(step.inputs), "null", out);
  out += ",\"results\":null,\"checkpoint\":";
  AppendOr(View(step.checkpoint), "null", out);
  AppendRest(View(step.step_row), out);
  out += ",\"dependency_results\":";
  AppendOr(View(step.dependencies), "{}", out);
  out += ",\"step_definition\":";
  AppendOr(View(step.definition), "null", out);
  out += '}';
}

}  // namespace

std::string EventJson(const tasker_step& step, const std::string& event_id) {
  constexpr std::size_t kFramesMax = 1024;
  std::string out;
  out.reserve(kFramesMax + step.task_row.len + step.step_row.len + step.context.len +
              step.inputs.len + step.checkpoint.len + step.dependencies.len + step.definition.len);
  const std::string correlation = ToString(step.correlation);
  out.append("{\"event_id\":\"").append(event_id);
  out.append("\",\"task_uuid\":\"").append(ToString(step.task));
  out.append("\",\"step_uuid\":\"").append(ToString(step.step));
  out.append("\",\"correlation_id\":\"").append(correlation);
  out.append("\",\"task_correlation_id\":\"").append(correlation);
  out += '"';
  AppendParent(View(step.task_row), out);
  AppendTrace(View(step.traceparent), out);
  out += ",\"task_sequence_step\":";
  AppendSequence(step, out);
  out.append(",\"_attempt\":").append(std::to_string(step.attempt));
  out += ",\"_idempotency_key\":";
  AppendString(View(step.idempotency_key), out);
  out += ",\"_handler\":";
  AppendString(View(step.handler), out);
  out += ",\"_method\":";
  AppendStringOrNull(View(step.method), out);
  out += ",\"_resolver\":";
  AppendStringOrNull(View(step.resolver), out);
  return out;
}

std::string WithDeadline(std::string event, std::int64_t deadline_ns) {
  event += ",\"_deadline_s\":";
  if (deadline_ns == 0) {
    event += "null}";
    return event;
  }
  const auto now = std::chrono::duration_cast<std::chrono::nanoseconds>(
                       std::chrono::steady_clock::now().time_since_epoch())
                       .count();
  std::array<char, 32> seconds{};
  std::snprintf(seconds.data(), seconds.size(), "%.6f",
                static_cast<double>(deadline_ns - now) / 1e9);
  return event.append(seconds.data()).append("}");
}

}  // namespace tasker::python
