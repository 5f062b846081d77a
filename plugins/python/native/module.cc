#include "module.h"

#include <tasker/version.h>

#include "gil.h"
#include "json_text.h"
#include "runtime.h"

namespace py = pybind11;

namespace tasker::python {
namespace {

constexpr const char* kNotInitialized = "Worker not initialized. Call bootstrap_worker() first.";

// RuntimeError for what the host says, but for what was asked wrongly and what took too long.
void TranslateErrors() {
  py::register_exception_translator([](std::exception_ptr raised) {
    try {
      std::rethrow_exception(raised);
    } catch (const HostError& error) {
      PyObject* const type = error.status == TASKER_E_INVALID   ? PyExc_ValueError
                             : error.status == TASKER_E_TIMEOUT ? PyExc_TimeoutError
                                                                : PyExc_RuntimeError;
      PyErr_SetString(type, error.what());
    }
  });
}

// After the last Python code: no thread takes the GIL any more.
void OnExit() {
  World& world = World::OfProcess();
  if (world.forked() || GilGate::OfProcess().closed()) return;
  if (std::string_view(world.name()) == "embedded") return;
  // Not WithoutGil: this thread goes on behind the gate.
  PyThreadState* const state = PyEval_SaveThread();
  world.Exit();
  GilGate::OfProcess().Close();
  PyEval_RestoreThread(state);
}

}  // namespace

void World::RefuseFork() const {
  if (!forked()) return;
  throw std::runtime_error(
      "this process was forked from one that had the task store open, and a store does not "
      "survive fork: start the worker in the child only and not before the fork (FastAPI: in "
      "lifespan; gunicorn: in post_fork; multiprocessing: start method spawn)");
}

void RequireRunning() {
  if (!World::OfProcess().running()) throw std::runtime_error(kNotInitialized);
}

std::string EventId(const std::string& text) {
  if (!IsUuid(text)) throw std::invalid_argument("Invalid event_id: '" + text + "' is no UUID");
  std::string id = text;
  for (char& c : id) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  return id;
}

std::string Dumps(const py::handle& value) {
  using py::literals::operator""_a;
  const py::object text = py::module_::import("json").attr("dumps")(
      value, "ensure_ascii"_a = false, "allow_nan"_a = false,
      "separators"_a = py::make_tuple(",", ":"));
  try {
    return py::bytes(text.attr("encode")());
  } catch (py::error_already_set& error) {
    if (!error.matches(PyExc_UnicodeEncodeError)) throw;
    throw py::value_error(std::string("half a character cannot be said in JSON: ") + error.what());
  }
}

py::object Loads(const std::string& text) {
  return py::module_::import("json").attr("loads")(text);
}

void Define(py::module_& module) {
  RefuseUpstream();
  module.doc() = "The native part of tasker_core.";
  module.attr("__version__") = TASKER_VERSION;
  TranslateErrors();
  module.def(
      "get_version", [] { return TASKER_VERSION; }, "The version of this package.");
  module.def(
      "get_rust_version",
      [] { return "tasker-py " TASKER_VERSION " (tasker-host, C++20, no rustc)"; },
      "What upstream says of its native build: names this package's version, and that "
      "no rustc made it.");
  module.def(
      "health_check", [] { return true; },
      "True where the native module is loaded; whether a worker is well says "
      "get_health_check().");
  module.def("_world", [] { return World::OfProcess().name(); });
  module.def("_on_exit", &OnExit);
  module.def("_measure_gil", [] { GilGate::OfProcess().Measure(); });
  module.def("_gil_spent", [] {
    const GilGate::Spent spent = GilGate::OfProcess().spent();
    const auto seconds = [](std::chrono::nanoseconds time) {
      return std::chrono::duration<double>(time).count();
    };
    return py::make_tuple(seconds(spent.native), seconds(spent.waited));
  });
  DefineLog(module);
  DefineWorker(module);
  DefineSteps(module);
  DefineCompletion(module);
  DefineClient(module);
  // Whoever imports this module alone is safe at its end, too; the package's own hook runs before.
  py::module_::import("atexit").attr("register")(module.attr("_on_exit"));
}

}  // namespace tasker::python
