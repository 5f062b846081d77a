#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/style.h"
#include "store/reads.h"
#include "workflow/template.h"

namespace tasker::cli {

// The largest task that is drawn; larger ones are counted by state, with what is not as it should
// be.
inline constexpr std::size_t kDrawnStepsMax = 40;

Colour ColourOf(workflow::StepState state);
Colour ColourOf(workflow::TaskState state);

// "examples/package_audit@1.0.0".
std::string TemplateLabel(const store::TaskSummary& summary);

// "examples/hello@1.0.0  complete  2 of 2 steps  85 ms": what the task is and how far it has come.
std::string TaskHeadline(const store::TaskSummary& summary, Time now, const Style& style);

// The steps as lines: the graph with each step's state, attempt and time. Parents that are not in
// the view are left out.
std::vector<std::string> TaskPicture(const store::TaskView& view, Time now, const Style& style);

// The same for a template, where nothing has happened: the graph with each step's handler and
// dependencies.
std::vector<std::string> TemplatePicture(const workflow::TaskTemplate& task_template,
                                         const Style& style);

// The last attempt of step `n`; null if there was none.
const store::AttemptView* LastAttempt(const store::TaskView& view, std::int32_t n);

// "Timeout: no answer from the gateway", of an attempt's error; empty if it has none.
std::string ErrorText(const store::AttemptView& attempt);

}  // namespace tasker::cli
