#include <tasker/plugin.hpp>
TASKER_PLUGIN("hello_cpp", "0.1.0", p) {
  p.handler("hello.greet", [](const tasker_step& step, tasker::Call& call) {
    if (!call.alive(0.5, "half way")) throw tasker::PermanentError("cancelled");
    return "{\"echo\":" + std::string(tasker::view(step.context)) + "}";
  });
}
