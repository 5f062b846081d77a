#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/exit_code.h"
#include "cli/session.h"
#include "store/reads.h"

// What came of a task, once it is settled.
namespace tasker::cli {

struct StepResult {
  std::string step;
  std::string json;
};

// The results of the steps without children: what the task was run for.
Result<std::vector<StepResult>> ResultsOf(const store::TaskView& view, store::Reader& reader);

// {step: result}.
boost::json::object ToJson(const std::vector<StepResult>& results);

// "report: {...}", a line each. Of a large one only the beginning, and how to see the rest: by
// `show`, the command that shows the task.
std::string ResultLines(const std::vector<StepResult>& results, const Style& style,
                        const std::string& show);

// A line for each failed step with its error, and what to do. Empty if none failed.
std::string FailureLines(const store::TaskView& view, const Style& style, const Session& session);

// Of a settled task.
ExitCode ExitOf(workflow::TaskState state);

}  // namespace tasker::cli
