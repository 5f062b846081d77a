// Upstream's pull functions: polling, and ending steps by a dict.
#include <pybind11/stl.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "gil.h"
#include "module.h"
#include "runtime.h"

namespace py = pybind11;

namespace tasker::python {
namespace {

StepQueue& Queue() { return Runtime::OfProcess().queue(); }

[[noreturn]] void Unusable(const std::string& why) {
  throw std::invalid_argument("Conversion error: " + why);
}

// The value of a key as JSON; empty where it is missing or None.
std::string JsonOf(const py::dict& data, const char* key) {
  if (!data.contains(key) || py::object(data[key]).is_none()) return {};
  try {
    return Dumps(data[key]);
  } catch (py::error_already_set& raised) {
    const std::string why = std::string(key) + ": " + raised.what();
    Unusable(why);
  }
}

py::dict DictOf(const py::dict& data, const char* key) {
  if (!data.contains(key) || py::object(data[key]).is_none()) return {};
  const py::object value = data[key];
  if (!py::isinstance<py::dict>(value)) Unusable(std::string(key) + " is no dict");
  return value;
}

std::string TextOf(const py::dict& data, const char* key) {
  if (!data.contains(key)) return {};
  const py::object value = data[key];
  return value.is_none() ? std::string() : py::str(value).cast<std::string>();
}

std::optional<bool> FlagOf(const py::dict& data, const char* key) {
  if (!data.contains(key)) return std::nullopt;
  const py::object value = data[key];
  if (value.is_none()) return std::nullopt;
  if (!py::isinstance<py::bool_>(value)) Unusable(std::string(key) + " is neither True nor False");
  return value.cast<bool>();
}

std::optional<double> NumberOf(const py::dict& data, const char* key) {
  if (!data.contains(key)) return std::nullopt;
  const py::object value = data[key];
  if (!py::isinstance<py::float_>(value) && !py::isinstance<py::int_>(value)) return std::nullopt;
  return value.cast<double>();
}

// Upstream's StepExecutionResult, both of its levels.
struct Completion {
  bool success = false;
  std::string result, metadata;
  Failure failure;
};

Failure FailureOf(const py::dict& data, const py::dict& metadata) {
  const py::dict error = DictOf(data, "error");
  Failure out;
  out.type = TextOf(error, "error_type");
  if (out.type.empty()) out.type = "handler_error";
  out.message = TextOf(error, "message");
  if (out.message.empty()) out.message = "the handler gave no message";
  out.backtrace = TextOf(error, "stack_trace");
  if (out.backtrace.empty()) out.backtrace = TextOf(error, "backtrace");
  out.error_code = TextOf(metadata, "error_code");
  out.retryable = FlagOf(metadata, "retryable").value_or(FlagOf(error, "retryable").value_or(true));
  const auto status = NumberOf(error, "status_code");
  const auto said = status ? status : NumberOf(metadata, "status_code");
  out.http_status = static_cast<std::int32_t>(said.value_or(0));
  const auto after = NumberOf(metadata, "retry_after");
  const double seconds = after.value_or(NumberOf(metadata, "retry_after_seconds").value_or(0));
  out.retry_after = std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
  out.context = JsonOf(error, "context");
  return out;
}

Completion ToCompletion(const py::dict& data) {
  Completion out;
  const std::string status = TextOf(data, "status");
  out.success = FlagOf(data, "success").value_or(status == "completed");
  const py::dict metadata = DictOf(data, "metadata");
  out.metadata = JsonOf(data, "metadata");
  out.result = JsonOf(data, "result");
  if (!out.success) {
    out.failure = FailureOf(data, metadata);
    out.failure.metadata = out.metadata;
  }
  return out;
}

bool CompleteStepEvent(const std::string& event_id, const py::dict& data) {
  const std::string event = EventId(event_id);
  const Completion completion = ToCompletion(data);
  RequireRunning();
  const WithoutGil released;
  if (!completion.success) return Queue().Fail(event, completion.failure);
  return Queue().Complete(event, completion.result, completion.metadata, "");
}

bool CheckpointYield(const std::string& event_id, const py::dict& data) {
  const std::string event = EventId(event_id);
  py::dict checkpoint;
  for (const char* const key : {"step_uuid", "cursor", "items_processed", "accumulated_results"})
    checkpoint[key] = data.contains(key) ? py::object(data[key]) : py::object(py::none());
  std::string text;
  try {
    text = Dumps(checkpoint);
  } catch (py::error_already_set& raised) {
    Unusable(raised.what());
  }
  RequireRunning();
  const WithoutGil released;
  return Queue().Yield(event, text, std::chrono::nanoseconds(0));
}

py::object PollStepEvents() {
  RequireRunning();
  std::optional<std::string> event;
  {
    const WithoutGil released;
    event = Runtime::OfProcess().Poll();
  }
  return event ? Loads(*event) : py::none();
}

std::int64_t AgeMs(Steady since) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               since)
      .count();
}

py::dict DispatchMetrics() {
  RequireRunning();
  StepQueue::Figures figures;
  {
    const WithoutGil released;
    figures = Queue().figures();
  }
  py::dict out;
  out["pending_count"] = figures.taken.size();
  const StepQueue::Taken* const oldest = PutAges(figures, out);
  out["oldest_event_id"] = oldest != nullptr ? py::object(py::str(oldest->event)) : py::none();
  out["_waiting"] = figures.waiting;
  out["_slots"] = figures.slots;
  return out;
}

}  // namespace

const StepQueue::Taken* PutAges(const StepQueue::Figures& figures, py::dict& out) {
  const auto& taken = figures.taken;
  const auto [oldest, newest] = std::ranges::minmax_element(taken, {}, &StepQueue::Taken::since);
  const bool any = !taken.empty();
  const auto starving = std::ranges::count_if(
      taken, [](const StepQueue::Taken& one) { return AgeMs(one.since) > kStarvedMs; });
  out["oldest_pending_age_ms"] = any ? py::object(py::int_(AgeMs(oldest->since))) : py::none();
  out["newest_pending_age_ms"] = any ? py::object(py::int_(AgeMs(newest->since))) : py::none();
  out["starvation_detected"] = starving > 0;
  out["starving_event_count"] = starving;
  return any ? &*oldest : nullptr;
}

void DefineCompletion(py::module_& module) {
  module.def("poll_step_events", &PollStepEvents,
             "The next step to run as a dict, or None at once; its end is told by "
             "complete_step_event().");
  module.def("complete_step_event", &CompleteStepEvent, py::arg("event_id"),
             py::arg("completion_data"),
             "Ends a polled step by upstream's result dict; False: it had ended already, or "
             "nobody polled it.");
  module.def("checkpoint_yield_step_event", &CheckpointYield, py::arg("event_id"),
             py::arg("checkpoint_data"));
  module.def("get_ffi_dispatch_metrics", &DispatchMetrics,
             "How many steps were taken and not ended, the ages of the oldest and newest, and "
             "whether any starves.");
  module.def(
      "check_starvation_warnings",
      [] {
        RequireRunning();
        return true;
      },
      "True while a worker runs; get_ffi_dispatch_metrics() tells what starves.");
  module.def(
      "cleanup_timeouts",
      [] {
        RequireRunning();
        return 0;
      },
      "Always 0: what takes too long is ended by the host's own deadlines, and nothing "
      "is left to clean up.");
  // Domain events are made and kept in Python.
  module.def(
      "poll_in_process_events",
      [] {
        const py::object event =
            py::module_::import("tasker_core.domain_events.delivery").attr("poll_here")();
        if (event.is_none()) RequireRunning();
        return event;
      },
      "The next domain event of this process, or None; RuntimeError: there is none, "
      "and no worker runs.");
}

}  // namespace tasker::python
