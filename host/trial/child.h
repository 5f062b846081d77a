#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"

namespace tasker::trial {

// Where a child writes what its parent shall know; its stdout belongs to the plugin.
inline constexpr int kReportFd = 3;

struct ChildEnd {
  std::string out;      // its stdout; what is longer than a few KiB is cut
  std::string report;   // what it wrote to kReportFd
  bool killed = false;  // it was silent on kReportFd for longer than the limit
  int wait_status = 0;  // as waitpid has it
};

// Runs a program to its end, in a process group of its own, of which nothing survives. Its stdin is
// empty, its stderr this process's; so is its environment, but for what `environment` adds.
Result<ChildEnd> RunChild(const std::vector<std::string>& command, std::chrono::milliseconds limit,
                          const std::vector<std::string>& environment = {});

}  // namespace tasker::trial
