// Starting and stopping the host, and what it knows of itself.
#include <pybind11/stl.h>

#include <chrono>
#include <optional>

#include "gil.h"
#include "module.h"
#include "runtime.h"

namespace py = pybind11;

namespace tasker::python {
namespace {

std::string Text(const py::dict& config, const char* key) {
  if (!config.contains(key)) return {};
  const py::object value = config[key];
  return value.is_none() ? std::string() : py::str(value).cast<std::string>();
}

std::string Scalar(const py::handle& value) {
  if (py::isinstance<py::bool_>(value)) return value.cast<bool>() ? "true" : "false";
  return py::str(value).cast<std::string>();
}

py::dict Bootstrap(const py::object& config) {
  const Settings settings = ToSettings(config);
  Started started;
  {
    const WithoutGil released;
    started = World::OfProcess().Start(settings);
  }
  py::dict out;
  out["handle_id"] = started.handle_id;
  out["worker_id"] = started.worker_id;
  out["status"] = started.already_running ? "already_running" : "started";
  out["message"] = started.already_running ? "a worker runs in this process already; it is this one"
                                           : "Python worker started";
  return out;
}

const char* StopWorker(std::optional<double> drain_s) {
  std::optional<std::chrono::milliseconds> drain;
  if (drain_s) {
    constexpr double kMaxMs = 86'400'000;
    drain = std::chrono::milliseconds(
        static_cast<std::int64_t>(std::min(std::max(*drain_s, 0.0) * 1000, kMaxMs)));
  }
  const World& world = World::OfProcess();
  if (world.forked()) return "Worker system not running";
  bool stopped = false;
  {
    const WithoutGil released;
    stopped = World::OfProcess().Stop(drain);
  }
  return stopped ? "Worker system stopped" : "Worker system not running";
}

// What tasker.status/1 says, as a dict.
py::dict HostStatus() {
  std::string text;
  {
    const WithoutGil released;
    text = Runtime::OfProcess().link().Status();
  }
  return Loads(text);
}

py::object Get(const py::dict& from, const char* key, const py::object& otherwise) {
  return from.contains(key) ? py::object(from[key]) : otherwise;
}

StepQueue::Figures FiguresNow() {
  const WithoutGil released;
  return Runtime::OfProcess().queue().figures();
}

py::dict WorkerStatus() {
  py::dict out;
  if (!World::OfProcess().running()) {
    out["running"] = false;
    out["error"] = "Worker system not initialized";
    return out;
  }
  const py::dict host = HostStatus();
  const bool ready = Get(host, "ready", py::bool_(false)).cast<bool>();
  out["running"] = true;
  out["environment"] = "tasker-host";
  out["worker_core_status"] =
      ready ? "Running"
            : "NotReady: " + Get(host, "not_ready", py::str("starting")).cast<std::string>();
  out["web_api_enabled"] = false;
  out["supported_namespaces"] = Get(host, "namespaces", py::list());
  out["database_pool_size"] = 1;
  out["database_pool_idle"] = 1;
  return out;
}

py::dict Status() {
  py::dict out;
  const bool running = World::OfProcess().running();
  if (running) out = HostStatus();
  const StepQueue::Figures figures = FiguresNow();
  if (out.contains("worker_name")) out["worker_id"] = out["worker_name"];
  out["running_worker"] = running;
  out["attached"] = Runtime::OfProcess().link().attached();
  out["slots"] = figures.slots;
  out["async_slots"] = figures.async_slots;
  out["waiting"] = figures.waiting;
  out["polled"] = figures.polled;
  py::list taken;
  const auto now = std::chrono::steady_clock::now();
  for (const StepQueue::Taken& one : figures.taken) {
    py::dict attempt;
    attempt["event_id"] = one.event;
    attempt["handler"] = one.handler;
    attempt["step_uuid"] = one.step_uuid;
    attempt["running_s"] = std::chrono::duration<double>(now - one.since).count();
    taken.append(attempt);
  }
  out["attempts"] = taken;
  return out;
}

py::dict Component(const char* name, const std::string& status) {
  py::dict component;
  component["name"] = name;
  component["status"] = status;
  return component;
}

py::dict HealthCheck() {
  RequireRunning();
  const py::dict host = HostStatus();
  const StepQueue::Figures figures = FiguresNow();
  const bool ready = Get(host, "ready", py::bool_(false)).cast<bool>();
  const bool consumed =
      figures.slots > 0 || figures.async_slots > 0 || figures.polled || !figures.taken.empty();
  py::dict database = Component("database", ready ? "healthy" : "unhealthy");
  database["pool_size"] = 1;
  database["pool_idle"] = 1;
  py::dict components;
  components["database"] = database;
  components["consumer"] = Component(
      "consumer", consumed ? "healthy"
                           : "no consumer: nothing polls, and no Worker runs handlers, so that no "
                             "step is claimed");
  py::dict rust;
  rust["environment"] = "tasker-host";
  rust["worker_core_status"] =
      ready ? py::object(py::str("Running")) : Get(host, "not_ready", py::str("starting"));
  rust["web_api_enabled"] = false;
  py::dict python;
  python["handler_count"] = py::len(Get(host, "handlers", py::list()));
  py::dict out;
  out["status"] = !ready ? "unhealthy" : consumed ? "healthy" : "degraded";
  out["is_running"] = true;
  out["components"] = components;
  out["rust"] = rust;
  out["python"] = python;
  return out;
}

py::dict Metrics() {
  RequireRunning();
  const py::dict host = HostStatus();
  const StepQueue::Figures figures = FiguresNow();
  py::dict out;
  out["dispatch_channel_pending"] = figures.taken.size();
  PutAges(figures, out);
  out["database_pool_size"] = 1;
  out["database_pool_idle"] = 1;
  out["environment"] = "tasker-host";
  out["steps_processed"] = Get(host, "ended", py::int_(0));
  out["steps_succeeded"] = Get(host, "succeeded", py::int_(0));
  out["steps_failed"] = Get(host, "failed", py::int_(0));
  out["steps_in_progress"] = figures.taken.size();
  return out;
}

py::dict WorkerConfig() {
  RequireRunning();
  const py::dict host = HostStatus();
  const StepQueue::Figures figures = FiguresNow();
  py::dict out;
  out["environment"] = "tasker-host";
  out["supported_namespaces"] = Get(host, "namespaces", py::list());
  out["web_api_enabled"] = false;
  out["database_pool_size"] = 1;
  out["polling_interval_ms"] = 10;
  out["starvation_threshold_ms"] = kStarvedMs;
  out["max_concurrent_handlers"] = figures.slots;
  out["handler_timeout_ms"] = 0;  // There is none but a step's own.
  return out;
}

}  // namespace

Settings ToSettings(const py::object& config) {
  Settings settings;
  if (config.is_none()) return settings;
  if (!py::isinstance<py::dict>(config))
    throw std::invalid_argument("the configuration of a worker is a dict or None");
  const py::dict dict = config;
  settings.worker_id = Text(dict, "worker_id");
  settings.ns = Text(dict, "namespace");
  settings.config_path = Text(dict, "config_path");
  settings.log_level = Text(dict, "log_level");
  if (!dict.contains("overrides") || py::object(dict["overrides"]).is_none()) return settings;
  for (const auto& [key, value] : py::dict(dict["overrides"])) {
    Settings::Override one;
    one.key = py::str(key).cast<std::string>();
    one.is_list = py::isinstance<py::list>(value) || py::isinstance<py::tuple>(value);
    if (one.is_list) {
      for (const py::handle item : value) one.list.push_back(py::str(item).cast<std::string>());
    } else {
      one.value = Scalar(value);
    }
    settings.overrides.push_back(std::move(one));
  }
  return settings;
}

void DefineWorker(py::module_& module) {
  py::register_exception_translator([](std::exception_ptr raised) {
    try {
      std::rethrow_exception(raised);
    } catch (const StillRunning& error) {
      PyErr_SetString(PyExc_RuntimeError, error.what());
    }
  });
  module.def("bootstrap_worker", &Bootstrap, py::arg("config") = py::none());
  module.def("stop_worker", &StopWorker, py::arg("drain_s") = py::none());
  module.def("get_worker_status", &WorkerStatus);
  module.def("is_worker_running", [] { return World::OfProcess().running(); });
  module.def("transition_to_graceful_shutdown", [] {
    RequireRunning();
    const WithoutGil released;
    Runtime::OfProcess().queue().StopGiving();
    return "Worker system transitioned to graceful shutdown";
  });
  module.def("_status", &Status);
  module.def("get_health_check", &HealthCheck);
  module.def("get_metrics", &Metrics);
  module.def("get_worker_config", &WorkerConfig);
}

}  // namespace tasker::python
