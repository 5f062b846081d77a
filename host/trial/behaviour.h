#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/findings.h"
#include "base/result.h"
#include "trial/conduct.h"

namespace tasker::trial {

// The child: conducts the trial, reports on kReportFd to the parent below, and ends the process
// itself when the plugin cannot be ended. Killed with its parent.
Status ConductAsChild(const Trial& trial);

// The parent: has `command`, which must lead to ConductAsChild, run in a process of its own, and
// takes down what it reports and how it ends.
Status ObserveChild(const std::vector<std::string>& command, const std::string& file,
                    std::chrono::milliseconds patience, Findings& findings);

}  // namespace tasker::trial
