#include <tasker/plugin.hpp>

#include "own_record.h"

// hold.gate runs until the test opens the gate, whatever the host asks of it; hold.idempotent does
// too, and its attempts may overlap; hold.told says what it is told by cancel; hold.broken fails
// for good until the test has made the file `mended`; hold.fork leaves a child behind first;
// hold.quick ends at once.
TASKER_PLUGIN("hold", "1.0.0", plugin) {
  auto& record = plugin.keep<tasker::testing::OwnRecord>();
  plugin.handler("hold.gate", [&record](const tasker_step& step, tasker::Call&) {
    record.Append("hold " + std::string(tasker::view(step.step_name)));
    tasker::testing::WaitAtGate();
    return "\"held\"";
  });
  tasker::Options idempotent;
  idempotent.caps = TASKER_CAP_IDEMPOTENT;
  plugin.handler(
      "hold.idempotent",
      [&record](const tasker_step& step, tasker::Call&) {
        record.Append("idempotent " + std::to_string(step.attempt));
        if (step.attempt == 1) tasker::testing::WaitAtGate();
        return "\"" + std::to_string(step.attempt) + "\"";
      },
      idempotent);
  tasker::Options told;
  told.caps = TASKER_CAP_CANCEL;
  told.cancel = [&record](const tasker_call*, std::int32_t reason) {
    record.Append("told " + std::to_string(reason));
  };
  plugin.handler(
      "hold.told",
      [&record](const tasker_step& step, tasker::Call& call) {
        record.Append("runs " + std::string(tasker::view(step.step_name)));
        tasker::testing::WaitAtGate();
        record.Append(call.alive() ? "alive" : "stopped");
        return "\"paid\"";
      },
      told);
  plugin.handler("hold.broken", [](const tasker_step&, tasker::Call&) {
    const std::string mended = tasker::testing::FolderOfTest() + "/mended";
    if (::access(mended.c_str(), F_OK) != 0) throw tasker::PermanentError("no such account");
    return "\"mended\"";
  });
  plugin.handler("hold.fork", [&record](const tasker_step& step, tasker::Call&) {
    // Forking is forbidden, and happens: the child has every descriptor, and outlives its parent.
    if (step.crashes == 0) {
      const pid_t child = ::fork();
      if (child == 0) {
        while (true) ::pause();
      }
      record.Append("child " + std::to_string(child));
    }
    record.Append("fork " + std::to_string(step.crashes));
    if (step.crashes == 0) tasker::testing::WaitAtGate();
    return "\"forked\"";
  });
  plugin.handler("hold.quick", [](const tasker_step&, tasker::Call&) { return "\"quick\""; });
}
