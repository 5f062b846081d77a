#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/session.h"
#include "store/reads.h"

namespace tasker::cli {

// All that `task show` says about a task, or about those of its steps that are in the view:
// headline, picture, timeline of attempts and actions, results with their sizes, errors. `hints`:
// what a person should do.
Result<std::string> TaskText(const store::TaskView& view, const std::vector<std::string>& hints,
                             store::Reader& reader, const Session& session);

}  // namespace tasker::cli
