// Taking steps and ending them: the package's fast path.
#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <tuple>

#include "gil.h"
#include "json_text.h"
#include "module.h"
#include "runtime.h"

namespace py = pybind11;

namespace tasker::python {
namespace {

using Text = std::optional<std::string>;

constexpr double kTakeMaxSeconds = 3600;

StepQueue& Queue() { return Runtime::OfProcess().queue(); }

std::chrono::nanoseconds Seconds(double seconds) {
  const double bounded = std::clamp(seconds, 0.0, 1e9);
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::duration<double>(bounded));
}

std::optional<std::string> TakeStep(double timeout_s, bool only_async) {
  if (World::OfProcess().forked()) return std::nullopt;
  const auto deadline =
      std::chrono::steady_clock::now() + Seconds(std::min(timeout_s, kTakeMaxSeconds));
  const WithoutGil released(WithoutGil::For::kIdling);
  return only_async ? Queue().TakeAsync(deadline) : Queue().Take(deadline, GilGate::WaitedHere());
}

bool Complete(const std::string& event, const std::string& result, const std::string& metadata,
              const Text& events) {
  const WithoutGil released;
  return Queue().Complete(event, result, metadata, events.value_or(""));
}

bool Fail(const std::string& event, const std::string& type, const std::string& message,
          bool retryable, std::optional<double> retry_after_s, const Text& error_code,
          const Text& backtrace, std::optional<int> http_status, const Text& context,
          const Text& metadata) {
  Failure failure;
  failure.type = type;
  failure.message = message;
  failure.retryable = retryable;
  if (retry_after_s) failure.retry_after = Seconds(*retry_after_s);
  failure.error_code = error_code.value_or("");
  failure.backtrace = backtrace.value_or("");
  failure.http_status = http_status.value_or(0);
  failure.context = context.value_or("");
  failure.metadata = metadata.value_or("");
  const WithoutGil released;
  return Queue().Fail(event, failure);
}

bool Yield(const std::string& event, const Text& checkpoint, double resume_after_s) {
  const WithoutGil released;
  return Queue().Yield(event, checkpoint.value_or(""), Seconds(resume_after_s));
}

int Heartbeat(const std::string& event, double progress, const std::string& note) {
  const WithoutGil released;
  return static_cast<int>(Queue().Heartbeat(event, progress, note));
}

int Checkpoint(const std::string& event, const std::string& checkpoint) {
  tasker_status status = TASKER_OK;
  {
    const WithoutGil released;
    status = Queue().Checkpoint(event, checkpoint);
  }
  switch (status) {
    case TASKER_OK:
      return static_cast<int>(GoOn::kYes);
    case TASKER_E_CANCELLED:
      return static_cast<int>(GoOn::kCancelled);
    case TASKER_E_STALE:
      return static_cast<int>(GoOn::kStale);
    case TASKER_E_INVALID:
      throw std::runtime_error(
          "the checkpoint was not stored: it is no JSON, nests too deeply, or exceeds "
          "limits.checkpoint_max_bytes; the host's log says which");
    case TASKER_E_BUSY:
      throw std::runtime_error("the checkpoint was not stored: the host stops");
    default:
      throw std::runtime_error(
          "the checkpoint was not stored: the store could not be written; see the host's log");
  }
}

// A Python callable that native threads call; the last reference goes with the GIL, or, when Python
// has ended, not at all.
std::shared_ptr<py::object> Keep(const py::object& callable) {
  return {std::make_unique<py::object>(callable).release(), [](py::object* kept) {
            const WithGil held;
            if (held) {
              std::unique_ptr<py::object>(kept).reset();
            }
          }};
}

// With the GIL: an exception of a callback is a line in the log.
void LogRaised(const char* what, py::error_already_set& raised) {
  const std::string line = std::string(what) + " raised: " + raised.what();
  raised.restore();
  PyErr_Clear();
  const WithoutGil released;
  static_cast<void>(Runtime::OfProcess().link().Log(nullptr, TASKER_LOG_ERROR, line, {}));
}

void SetCancelCallback(const py::object& callback) {
  std::function<void(const std::string&, const char*)> cancel;
  if (!callback.is_none()) {
    cancel = [kept = Keep(callback)](const std::string& event, const char* reason) {
      const WithGil held;
      if (!held) return;
      try {
        (*kept)(event, reason);
      } catch (py::error_already_set& raised) {
        LogRaised("the cancel callback", raised);
      }
    };
  }
  const WithoutGil released;
  Runtime::OfProcess().SetCancel(std::move(cancel));
}

py::object TextOrNone(const std::string& text) {
  return text.empty() ? py::object(py::none()) : py::object(py::str(text));
}

void SetResolver(const py::object& resolver) {
  std::function<bool(const std::string&, const std::string&, const std::string&)> can_resolve;
  if (!resolver.is_none()) {
    can_resolve = [kept = Keep(resolver)](const std::string& id, const std::string& method,
                                          const std::string& named) {
      const WithGil held;
      if (!held) return false;
      try {
        const py::object answer = (*kept)(id, TextOrNone(method), TextOrNone(named));
        return !answer.is_none() && answer.cast<bool>();
      } catch (py::error_already_set& raised) {
        LogRaised("the resolver callback", raised);
      } catch (const py::cast_error&) {
        return false;
      }
      return false;
    };
  }
  const WithoutGil released;
  Runtime::OfProcess().SetResolver(std::move(can_resolve));
}

using Registration = std::tuple<std::string, std::string, std::uint32_t, bool, bool>;

void RegisterHandlers(const std::vector<Registration>& handlers) {
  std::vector<HandlerSpec> specs;
  for (const auto& [id, version, max_concurrency, idempotent, is_async] : handlers)
    specs.push_back({id, version, max_concurrency, idempotent, is_async});
  const WithoutGil released;
  Runtime::OfProcess().Register(specs);
}

}  // namespace

void DefineSteps(py::module_& module) {
  module.def("_take_step", &TakeStep, py::arg("timeout_s"), py::arg("only_async") = false);
  module.def(
      "_consume",
      [](std::uint32_t slots, std::uint32_t async_slots) {
        const WithoutGil released;
        Queue().Consume(slots, async_slots);
      },
      py::arg("slots"), py::arg("async_slots") = 0);
  module.def("_complete", &Complete, py::arg("event_id"), py::arg("result_json"),
             py::arg("metadata_json"), py::arg("events_json") = py::none());
  module.def("_fail", &Fail, py::arg("event_id"), py::arg("error_type"), py::arg("message"),
             py::arg("retryable"), py::arg("retry_after_s") = py::none(),
             py::arg("error_code") = py::none(), py::arg("backtrace") = py::none(),
             py::arg("http_status") = py::none(), py::arg("context_json") = py::none(),
             py::arg("metadata_json") = py::none());
  module.def("_yield", &Yield, py::arg("event_id"), py::arg("checkpoint_json"),
             py::arg("resume_after_s"));
  module.def("_heartbeat", &Heartbeat, py::arg("event_id"), py::arg("progress"), py::arg("note"));
  module.def("_checkpoint", &Checkpoint, py::arg("event_id"), py::arg("json"));
  module.def("_set_cancel_callback", &SetCancelCallback, py::arg("callback"));
  module.def("_set_resolver", &SetResolver, py::arg("resolver"));
  module.def("_register_handlers", &RegisterHandlers, py::arg("handlers"));
  module.def(
      "_unregister_handler",
      [](const std::string& id) {
        const WithoutGil released;
        Runtime::OfProcess().Unregister(id);
      },
      py::arg("callable"));
}

}  // namespace tasker::python
