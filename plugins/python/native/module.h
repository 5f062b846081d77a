#pragma once

#include <pybind11/pybind11.h>

#include <string>

#include "step_queue.h"
#include "world.h"

namespace tasker::python {

// The native module, in parts; the names and shapes are those of upstream's, and the package's own
// with a leading underscore.
void Define(pybind11::module_& module);
void DefineSteps(pybind11::module_& module);
void DefineCompletion(pybind11::module_& module);
void DefineWorker(pybind11::module_& module);
void DefineClient(pybind11::module_& module);
void DefineLog(pybind11::module_& module);

// ImportError, by std::runtime_error, if upstream's tasker-py is installed beside this package.
void RefuseUpstream();

// RuntimeError with upstream's words unless a host runs in this process.
void RequireRunning();
// ValueError unless it is a UUID.
std::string EventId(const std::string& text);

// json.dumps and json.loads; dumps refuses NaN and what is no text as a key.
std::string Dumps(const pybind11::handle& value);
pybind11::object Loads(const std::string& text);

// What waits longer than this for its end starves.
constexpr std::int64_t kStarvedMs = 10'000;
// Sets "oldest_pending_age_ms", "newest_pending_age_ms", "starvation_detected" and
// "starving_event_count"; returns the oldest, null without one.
const StepQueue::Taken* PutAges(const StepQueue::Figures& figures, pybind11::dict& out);

// None: empty settings.
Settings ToSettings(const pybind11::object& config);

}  // namespace tasker::python
