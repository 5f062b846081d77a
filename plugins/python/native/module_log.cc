// The host's log for Python code, before there is a host, too.
#include <map>
#include <string>

#include "gil.h"
#include "json_text.h"
#include "module.h"
#include "runtime.h"

namespace py = pybind11;

namespace tasker::python {
namespace {

// A field of this name says which attempt the line is about: the host adds its ids.
constexpr char kEventField[] = "_event_id";

void Log(int level, const std::string& message, const py::object& fields) {
  std::map<std::string, std::string> texts;
  if (!fields.is_none()) {
    for (const auto& [key, value] : py::dict(fields))
      texts[py::str(key).cast<std::string>()] = py::str(value).cast<std::string>();
  }
  const WithoutGil released;
  World& world = World::OfProcess();
  if (world.forked()) return world.Log(level, message, texts);
  Runtime& runtime = Runtime::OfProcess();
  tasker_call* call = nullptr;
  if (const auto event = texts.find(kEventField); event != texts.end()) {
    call = runtime.queue().CallOf(event->second);
    texts.erase(event);
  }
  std::string json;
  for (const auto& [key, value] : texts) {
    json += json.empty() ? '{' : ',';
    AppendString(key, json);
    json += ':';
    AppendString(value, json);
  }
  if (!json.empty()) json += '}';
  if (!runtime.link().Log(call, level, message, json)) world.Log(level, message, texts);
}

void DefineLevel(py::module_& module, const char* name, int level) {
  module.def(
      name,
      [level](const std::string& message, const py::object& fields) {
        Log(level, message, fields);
      },
      py::arg("message"), py::arg("fields") = py::none());
}

}  // namespace

void DefineLog(py::module_& module) {
  DefineLevel(module, "log_trace", TASKER_LOG_TRACE);
  DefineLevel(module, "log_debug", TASKER_LOG_DEBUG);
  DefineLevel(module, "log_info", TASKER_LOG_INFO);
  DefineLevel(module, "log_warn", TASKER_LOG_WARNING);
  DefineLevel(module, "log_error", TASKER_LOG_ERROR);
}

}  // namespace tasker::python
