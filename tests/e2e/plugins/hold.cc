#include <tasker/plugin.hpp>

#include "own_record.h"

// hold.gate runs until the test opens the gate, whatever the host asks of it; hold.quick ends at
// once.
TASKER_PLUGIN("hold", "1.0.0", plugin) {
  auto& record = plugin.keep<tasker::testing::OwnRecord>();
  plugin.handler("hold.gate", [&record](const tasker_step& step, tasker::Call&) {
    record.Append("hold " + std::string(tasker::view(step.step_name)));
    tasker::testing::WaitAtGate();
    return "\"held\"";
  });
  plugin.handler("hold.quick", [](const tasker_step&, tasker::Call&) { return "\"quick\""; });
}
