#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "base/result.h"
#include "base/unique_fd.h"
#include "cli/signals.h"

namespace tasker::cli {

// While it exists, it takes the signals of a host that is not up yet. A start that has not ended 5
// s after one, as when a plugin's init hangs, ends with the process: exit code 75. What such a host
// has claimed is nothing.
class StartWatch final {
 public:
  static Result<std::unique_ptr<StartWatch>> Begin(Signals& signals);
  ~StartWatch();
  StartWatch(const StartWatch&) = delete;
  StartWatch& operator=(const StartWatch&) = delete;

  // SIGINT or SIGTERM, if one has come; else 0. Thread-safe.
  int signal() const { return signal_; }

 private:
  StartWatch(UniqueFd done, Signals& signals);
  void Watch(Signals& signals);

  UniqueFd done_;
  std::atomic<int> signal_{0};
  std::jthread thread_;  // Last, so that it joins before the descriptor is closed.
};

}  // namespace tasker::cli
