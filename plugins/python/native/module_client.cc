// Upstream's client functions; where no worker runs, they are a client of the store.
#include <pybind11/stl.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <stdexcept>

#include "gil.h"
#include "module.h"
#include "runtime.h"

namespace py = pybind11;

namespace tasker::python {
namespace {

using MaybeText = std::optional<std::string>;

struct TaskNotFound : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// "<what> failed: <the host's sentence>", as upstream; a wrong request is a ValueError, a wait that
// is over a TimeoutError.
py::object Call(const char* what, const char* operation, const py::dict& request) {
  const std::string text = Dumps(request);
  std::string reply;
  try {
    const WithoutGil released;
    reply = World::OfProcess().Client(operation, text, nullptr);
  } catch (const HostError& error) {
    if (error.status == TASKER_E_INVALID || error.status == TASKER_E_TIMEOUT) throw;
    const std::string sentence = std::string(what) + " failed: " + error.what();
    if (error.status == TASKER_E_NOT_FOUND) throw TaskNotFound(sentence);
    throw std::runtime_error(sentence);
  }
  return Loads(reply);
}

py::dict Ids(const std::string& task, const MaybeText& step = std::nullopt) {
  py::dict request;
  request["task_uuid"] = EventId(task);
  if (step) request["step_uuid"] = EventId(*step);
  return request;
}

py::object ListTasks(int limit, int offset, const MaybeText& ns, const MaybeText& status) {
  py::dict request;
  request["limit"] = limit;
  request["offset"] = offset;
  request["namespace"] = ns ? py::object(py::str(*ns)) : py::none();
  request["status"] = status ? py::object(py::str(*status)) : py::none();
  return Call("list_tasks", "list_tasks", request);
}

// In slices, between which Python looks after its signals: Ctrl-C ends a long wait.
py::object Wait(const std::string& task, double timeout_s) {
  constexpr double kMaxMs = 86'400'000, kSliceMs = 200;
  const auto now = [] { return std::chrono::steady_clock::now(); };
  const auto deadline = now() + std::chrono::milliseconds(static_cast<std::int64_t>(
                                    std::clamp(timeout_s * 1000, 0.0, kMaxMs)));
  py::dict request = Ids(task);
  while (true) {
    const auto left = std::chrono::duration<double, std::milli>(deadline - now()).count();
    request["timeout_ms"] = static_cast<std::int64_t>(std::clamp(left, 0.0, kSliceMs));
    try {
      return Call("wait", "wait_task", request);
    } catch (const HostError& error) {
      if (error.status != TASKER_E_TIMEOUT || left <= kSliceMs) throw;
    }
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  }
}

// The task once it is unlike `seen`; None when the time is over.
py::object Watch(const std::string& task, const MaybeText& seen, double timeout_s) {
  constexpr double kMaxMs = 3'600'000;
  py::dict request = Ids(task);
  request["seen"] = seen ? py::object(py::str(*seen)) : py::none();
  request["timeout_ms"] = static_cast<std::int64_t>(std::clamp(timeout_s * 1000, 0.0, kMaxMs));
  try {
    return Call("watch", "watch_task", request);
  } catch (const HostError& error) {
    if (error.status == TASKER_E_TIMEOUT) return py::none();
    throw;
  }
}

}  // namespace

void DefineClient(py::module_& module) {
  py::register_exception<TaskNotFound>(module, "TaskNotFoundError", PyExc_RuntimeError);
  module.def(
      "client_open",
      [](const py::object& config) {
        const Settings settings = ToSettings(config);
        const WithoutGil released;
        static_cast<void>(World::OfProcess().Client("health_check", "{}", &settings));
      },
      py::arg("config") = py::none());
  module.def(
      "client_create_task",
      [](const py::dict& request) { return Call("create_task", "create_task", request); },
      py::arg("request"));
  module.def(
      "client_get_task",
      [](const std::string& task) { return Call("get_task", "get_task", Ids(task)); },
      py::arg("task_uuid"));
  module.def("client_list_tasks", &ListTasks, py::arg("limit") = 50, py::arg("offset") = 0,
             py::arg("namespace") = py::none(), py::arg("status") = py::none());
  module.def(
      "client_cancel_task",
      [](const std::string& task) { return Call("cancel_task", "cancel_task", Ids(task)); },
      py::arg("task_uuid"));
  module.def(
      "client_list_task_steps",
      [](const std::string& task) {
        return py::object(Call("list_task_steps", "list_task_steps", Ids(task))["steps"]);
      },
      py::arg("task_uuid"));
  module.def(
      "client_get_step",
      [](const std::string& task, const std::string& step) {
        return Call("get_step", "get_step", Ids(task, step));
      },
      py::arg("task_uuid"), py::arg("step_uuid"));
  module.def(
      "client_get_step_audit_history",
      [](const std::string& task, const std::string& step) {
        return py::object(
            Call("get_step_audit_history", "get_step_audit_history", Ids(task, step))["entries"]);
      },
      py::arg("task_uuid"), py::arg("step_uuid"));
  module.def("client_health_check",
             [] { return Call("health_check", "health_check", py::dict()); });
  module.def("_client_wait", &Wait, py::arg("task_uuid"), py::arg("timeout_s"));
  module.def("_client_watch", &Watch, py::arg("task_uuid"), py::arg("seen"), py::arg("timeout_s"));
}

}  // namespace tasker::python
