#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.h"
#include "cli/signals.h"
#include "cli/systemd.h"
#include "pipeline/host.h"

namespace tasker::cli {

// Stands by a host that runs: writes its status into the log at SIGUSR1, and tells the service
// manager that it lives as long as its turn thread makes progress. One thread at a time.
class Attendant final {
 public:
  Attendant(Signals& signals, pipeline::Host& host, NotifySocket& manager)
      : signals_(signals), host_(host), manager_(manager) {}

  // Until a signal to stop, which is returned, or until `done` is readable: 0. -1: never.
  int Wait(int done);
  // From now on the end has a deadline of its own; the turn thread may have ended.
  void HostStops() { stopping_ = true; }

 private:
  void Feed();
  void LogStatus() const;

  Signals& signals_;
  pipeline::Host& host_;
  NotifySocket& manager_;
  bool stopping_ = false;
  std::uint64_t beats_ = 0;  // of the turn thread, when the manager was last told
  Steady next_feed_{};
};

}  // namespace tasker::cli
