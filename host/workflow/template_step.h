#pragma once

#include "workflow/template_fields.h"

namespace tasker::workflow {

// One item of `steps`. Names of other steps are not looked at: CheckSteps does.
Result<StepDefinition> ReadStep(Reading& reading, const YamlNode& node, std::size_t position);

// `environments` as JSON, every default filled. It is kept and shown; nothing applies it.
Result<std::string> ReadEnvironments(Reading& reading, const YamlNode& node);

}  // namespace tasker::workflow
