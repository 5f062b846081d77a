#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "plugin/control_thread.h"
#include "plugin/handlers.h"
#include "plugin/instance.h"
#include "plugin/ledger.h"
#include "plugin/rundown.h"
#include "plugin/tokens.h"
#include "plugin/uplink.h"

namespace tasker::plugin {

// The attempts that one plugin is given: starts them, asks them to stop, knows which have not
// returned. Thread-safe.
class Attempts final : public TokenOwner {
 public:
  // `plugin` names it in the failures of attempts.
  Attempts(std::string plugin, HandlerTable& handlers, ControlThread& control, Uplink& uplink,
           const Limits& limits);

  // Empty: the attempt was taken, and its end follows. Else, after Close, the input comes back as
  // it was.
  [[nodiscard]] std::unique_ptr<StepInput> Start(std::string_view id,
                                                 std::unique_ptr<StepInput> input);
  void Cancel(std::int64_t claim, CancelReason reason);
  std::vector<Instance::Running> Running() const;

  // From now on nothing is started; what waits for a serial handler is handed back.
  void Close();
  // After Close. An attempt has returned when start() has, and the last reference of its token was
  // released. False: the deadline came first.
  bool WaitReturned(Steady deadline) { return inside_.WaitEmpty(deadline); }
  bool returned() const { return inside_.empty(); }
  // Of those that have not returned: handler, step and running time, for people.
  std::vector<std::string> Unreturned() const;
  Ledger Held() const;  // the tokens of the same
  // Ends what has not ended: the host does not wait for it any longer.
  void HandBack();

  void Ended(const StepInput& input, workflow::Outcome&& outcome, Steady started) override;
  void Released() override { inside_.Leave(); }
  Status Checkpoint(const StepInput& input, std::string body) override;
  const Limits& limits() const override { return limits_; }

 private:
  void Refuse(const StepInput& input, workflow::Outcome outcome);
  void StartSerial(Handler& handler, Handler::Waiting attempt);
  void Call(Handler& handler, const Handler::Waiting& attempt, Steady now);
  void HandBackUnstarted(tasker_call* call);

  const std::string plugin_;
  const Limits limits_;
  TokenSlab& slab_;
  HandlerTable& handlers_;
  ControlThread& control_;
  Uplink& uplink_;
  Rundown inside_;  // one for each start() on a stack and one for each token
};

}  // namespace tasker::plugin
