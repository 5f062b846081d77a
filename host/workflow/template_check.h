#pragma once

#include <vector>

#include "workflow/template_fields.h"

namespace tasker::workflow {

// Names are unique, dependencies exist, there is no cycle. A dependency that a step names twice is
// dropped with a warning. `lines` are those of the steps, in their order.
Status CheckSteps(Reading& reading, std::vector<StepDefinition>& steps,
                  const std::vector<int>& lines);

}  // namespace tasker::workflow
