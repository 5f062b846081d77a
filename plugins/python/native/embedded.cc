// The World of libtasker_python.so: tasker-host has loaded it, and it embeds the interpreter.
#include <pybind11/embed.h>
#include <pybind11/stl.h>

#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <tasker/version.h>

#include "embedded_config.h"
#include "gil.h"
#include "module.h"
#include "runtime.h"

namespace py = pybind11;

extern "C" const tasker_plugin_entry* tasker_plugin_v1(void) {
  return &tasker::python::Runtime::Entry();
}

PYBIND11_EMBEDDED_MODULE(_tasker_core, module) { tasker::python::Define(module); }

namespace tasker::python {
namespace {

constexpr char kBelongs[] =
    "the worker belongs to tasker-host, which runs this code; stop tasker-host instead";

// Puts this module in the place of the virtualenv's extension file, which contains a second host.
constexpr char kPrepare[] = R"python(
import importlib.abc, importlib.machinery, importlib.util, sys

class _NativeModule(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name != "tasker_core._tasker_core":
            return None
        return importlib.machinery.ModuleSpec(name, self, origin="libtasker_python.so")

    def create_module(self, spec):
        import _tasker_core
        return _tasker_core

    def exec_module(self, module):
        pass

sys.meta_path.insert(0, _NativeModule())
)python";

// Starts the package's machinery, as Worker.start does in a program of its own.
constexpr char kStart[] = R"python(
def start(path, packages, auto_discover, strict, threads, async_limit, venv, beside):
    sys.path[:0] = path
    if importlib.util.find_spec("tasker_core") is None:
        # A virtualenv's packages win; Debian's do not, for its pydantic may be of another major version.
        sys.path.insert(len(sys.path) if venv else len(path), beside)
    from tasker_core.worker import Worker
    worker = Worker()
    worker._start(packages, None, auto_discover=auto_discover, strict=strict, threads=threads,
                  async_limit=async_limit, overrides=None)
    return worker

def end(worker):
    import atexit
    try:
        if worker is not None:
            worker._stop(None)
    finally:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
)python";

std::string FolderOfThisLibrary() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&kStart), &info) == 0) return ".";
  return std::filesystem::path(info.dli_fname).parent_path().string();
}

// Extension modules of Python find the interpreter's symbols only where they are global.
void PromoteLibpython() {
  Dl_info info{};
  const auto* const symbol = reinterpret_cast<const void*>(&Py_GetVersion);
  if (::dladdr(symbol, &info) != 0 &&
      ::dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL) != nullptr)
    return;
  throw std::runtime_error(
      "libpython cannot be made visible to Python's own extension modules; this plugin has to be "
      "linked with the shared libpython of the system");
}

void CheckStatus(const PyStatus& status, PyConfig& config) {
  if (PyStatus_Exception(status) == 0) return;
  const std::string message = status.err_msg == nullptr ? "it gave no reason" : status.err_msg;
  PyConfig_Clear(&config);
  throw std::runtime_error("the Python interpreter did not start: " + message);
}

class Embedded final : public World {
 public:
  const char* name() const override { return "embedded"; }
  bool running() const override { return !forked_ && Runtime::OfProcess().link().attached(); }
  bool forked() const override { return forked_; }

  Started Start(const Settings&) override {
    RefuseFork();
    return {true, worker_id_, "tasker-host"};
  }
  bool Stop(std::optional<std::chrono::milliseconds>) override {
    throw std::runtime_error(kBelongs);
  }
  std::string Client(std::string_view operation, std::string_view request,
                     const Settings*) override {
    RefuseFork();
    return Runtime::OfProcess().link().Client(operation, request);
  }
  // Between the host's end and the process's: nobody writes a log any more.
  void Log(int, const std::string& message, const std::map<std::string, std::string>&) override {
    const std::string line = message + "\n";
    if (::write(STDERR_FILENO, line.data(), line.size()) < 0) return;
  }
  void Exit() override {}

  void PluginStarts(const std::string& config) override;
  void PluginEnds() override;

 private:
  void StartInterpreter(const EmbeddedConfig& config);

  std::atomic<bool> forked_{false};
  // Of [control], and before any Python code runs.
  std::string worker_id_;
  bool interpreter_ = false;
  py::object* worker_ = nullptr;  // never destroyed: the interpreter is not finalized
  py::dict* globals_ = nullptr;
};

void Embedded::StartInterpreter(const EmbeddedConfig& config) {
  const std::string executable = ExecutableOf(config);
  PromoteLibpython();
  PyConfig python;
  PyConfig_InitIsolatedConfig(&python);
  python.install_signal_handlers = 0;
  const char* const program = executable.empty() ? TASKER_PYTHON_EXECUTABLE : executable.c_str();
  CheckStatus(PyConfig_SetBytesString(&python, &python.program_name, program), python);
  CheckStatus(PyConfig_SetBytesString(&python, &python.executable, program), python);
  CheckStatus(Py_InitializeFromConfig(&python), python);
  PyConfig_Clear(&python);
  interpreter_ = true;
  ::pthread_atfork(nullptr, nullptr,
                   [] { static_cast<Embedded&>(World::OfProcess()).forked_ = true; });
  globals_ = std::make_unique<py::dict>().release();
  (*globals_)["__builtins__"] = py::module_::import("builtins");
  py::exec(kPrepare, *globals_);
  py::exec(kStart, *globals_);
  static_cast<void>(PyEval_SaveThread());
}

void Embedded::PluginStarts(const std::string& config) {
  // The plugin gets its own table only; the host says where that stands.
  const boost::json::value status = boost::json::parse(Runtime::OfProcess().link().Status());
  const auto text = [&](const char* key) {
    const auto* const found = status.as_object().if_contains(key);
    return found == nullptr ? std::string() : std::string(found->as_string());
  };
  worker_id_ = text("worker_name");
  const std::string file = text("config_file");
  const std::string base = file.empty() ? std::filesystem::current_path().string()
                                        : std::filesystem::path(file).parent_path().string();
  const EmbeddedConfig read = ReadEmbeddedConfig(config, base);
  if (!interpreter_) StartInterpreter(read);
  const WithGil held;
  try {
    const py::object worker = (*globals_)["start"](
        read.path, read.packages, read.auto_discover, read.strict, read.max_concurrent_handlers,
        read.max_concurrent_async, !read.venv.empty(), FolderOfThisLibrary() + "/../python");
    worker_ = std::make_unique<py::object>(worker).release();
  } catch (py::error_already_set& raised) {
    throw std::runtime_error(raised.what());
  }
}

void Embedded::PluginEnds() {
  if (!interpreter_) return;
  const WithGil held;
  try {
    (*globals_)["end"](worker_ == nullptr ? py::object(py::none()) : *worker_);
  } catch (py::error_already_set& raised) {
    const std::string line = std::string("the end of the Python worker raised: ") + raised.what();
    Runtime::OfProcess().link().Log(nullptr, TASKER_LOG_ERROR, line, {});
  }
}

}  // namespace

World& World::OfProcess() {
  static World* const world = std::make_unique<Embedded>().release();
  return *world;
}

}  // namespace tasker::python
