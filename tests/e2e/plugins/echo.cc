#include <condition_variable>
#include <mutex>
#include <string>
#include <tasker/plugin.hpp>

// echo.step answers with what it was given; echo.checkpoint saves one and yields; echo.waits goes
// on until it is cancelled, and says that it waits; echo.stuck goes on for ever.
TASKER_PLUGIN("echo", "1.0.0", plugin) {
  const std::string config(plugin.config());
  plugin.handler("echo.step", [config](const tasker_step& step, tasker::Call&) {
    const auto text = [](tasker_str value) {
      return "\"" + std::string(tasker::view(value)) + "\"";
    };
    const auto json = [](const tasker_bytes& value) {
      return value.len == 0 ? std::string("null") : std::string(tasker::view(value));
    };
    return "{\"context\":" + json(step.context) + ",\"dependencies\":" + json(step.dependencies) +
           ",\"initialization\":" + json(step.config) + ",\"checkpoint\":" + json(step.checkpoint) +
           ",\"method\":" + text(step.method) + ",\"attempt\":" + std::to_string(step.attempt) +
           ",\"deadline\":" + (step.deadline_ns > 0 ? "true" : "false") + ",\"config\":" + config +
           "}";
  });
  plugin.handler("echo.checkpoint", [](const tasker_step&, tasker::Call& call) {
    if (call.checkpoint("{\"row\": 1}") != TASKER_OK) throw tasker::PermanentError("not saved");
    call.yield("{\"row\": 2}", std::chrono::seconds(5));
  });
  plugin.handler("echo.fails", [](const tasker_step&, tasker::Call&) {
    tasker::PermanentError error("no such customer");
    error.error_code = "E42";
    throw error;
  });

  struct Waiting {
    std::mutex mutex;
    std::condition_variable changed;
    bool cancelled = false;
  };
  auto& waiting = plugin.keep<Waiting>();
  tasker::Options options;
  options.caps = TASKER_CAP_CANCEL;
  options.cancel = [&waiting](const tasker_call*, std::int32_t) {
    const std::lock_guard lock(waiting.mutex);
    waiting.cancelled = true;
    waiting.changed.notify_all();
  };
  plugin.handler(
      "echo.waits",
      [&waiting](const tasker_step&, tasker::Call& call) {
        call.log(TASKER_LOG_INFO, "it waits");
        std::unique_lock lock(waiting.mutex);
        waiting.changed.wait(lock, [&] { return waiting.cancelled; });
        throw tasker::PermanentError(call.alive() ? "not cancelled" : "cancelled");
      },
      options);
  plugin.handler("echo.stuck", [](const tasker_step&, tasker::Call& call) {
    call.log(TASKER_LOG_INFO, "it waits");
    std::mutex mutex;
    std::condition_variable never;
    std::unique_lock lock(mutex);
    never.wait(lock, [] { return false; });
  });
}
