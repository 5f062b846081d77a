#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/unique_fd.h"
#include "config/load.h"

namespace tasker::cli {

// What a service manager is told over its socket (sd_notify(3)); without one, nothing is. Owned by
// one thread.
class NotifySocket final {
 public:
  // By NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID of the environment.
  explicit NotifySocket(const config::Environment& environment);

  void Ready(const std::string& status);
  void Stopping();
  // Half of the time after which it takes a silent process for stuck; nothing: it does not watch.
  std::optional<std::chrono::microseconds> watch_interval() const { return watch_interval_; }
  void Alive();

 private:
  void Tell(const std::string& state);

  std::string address_;  // a path, or a name after a NUL; empty: there is no manager
  UniqueFd socket_;
  std::optional<std::chrono::microseconds> watch_interval_;
  bool failed_ = false;  // said so in the log
};

}  // namespace tasker::cli
