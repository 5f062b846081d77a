#include "cli/outcome_text.h"

#include <cstdint>
#include <set>
#include <utility>

#include "cli/format.h"
#include "cli/json_out.h"
#include "cli/task_picture.h"
#include "workflow/rows.h"
#include "workflow/state.h"

namespace tasker::cli {
namespace {

constexpr std::size_t kShownResultMax = 4000;  // bytes of one result that a person is shown unasked

}  // namespace

Result<std::vector<StepResult>> ResultsOf(const store::TaskView& view, store::Reader& reader) {
  std::set<std::int32_t> with_children;
  for (const store::StepView& step : view.steps)
    with_children.insert(step.parents.begin(), step.parents.end());
  std::vector<StepResult> results;
  for (const store::StepView& step : view.steps) {
    if (with_children.contains(step.row.n) || !workflow::Satisfies(step.row.state)) continue;
    auto result = reader.Payload({view.summary.id, step.row.n}, workflow::PayloadKind::kResult);
    if (result) {
      results.push_back({step.name, *std::move(result)});
    } else if (result.error().code != ErrorCode::kNotFound) {
      return result.error();
    }
  }
  return results;
}

boost::json::object ToJson(const std::vector<StepResult>& results) {
  boost::json::object object;
  for (const StepResult& result : results) object[result.step] = Embedded(result.json);
  return object;
}

std::string ResultLines(const std::vector<StepResult>& results, const Style& style,
                        const std::string& show) {
  std::string text;
  for (const StepResult& result : results) {
    const bool whole = result.json.size() <= kShownResultMax;
    // A cut inside a character leaves bytes that are shown as '?'.
    const std::string shown = Printable(style, result.json.substr(0, kShownResultMax));
    text += Paint(style, Colour::kBold, Printable(style, result.step)) + ": " + shown +
            (whole ? "\n" : "...\n");
    if (!whole) {
      text += "  (" + SizeText(static_cast<std::int64_t>(result.json.size())) +
              "; all of it: " + show + " --step " + Printable(style, result.step) + " --result)\n";
    }
  }
  return text;
}

std::string FailureLines(const store::TaskView& view, const Style& style, const Session& session) {
  std::string text;
  for (const store::StepView& step : view.steps) {
    if (step.row.state != workflow::StepState::kError) continue;
    const store::AttemptView* last = LastAttempt(view, step.row.n);
    const std::string error = last == nullptr ? "" : ": " + ErrorText(*last);
    std::string line =
        "step '" + step.name + "' failed after " + Count(step.row.attempts, "attempt");
    if (step.row.crashes > 0) line += " and " + Count(step.row.crashes, "crash of its process");
    text += Paint(style, Colour::kRed, Printable(style, line + error)) + "\n";
  }
  if (text.empty()) return text;
  const std::string show = session.CommandLine("task show " + view.summary.uuid.ToString());
  return text + "the task is " + std::string(workflow::Name(view.summary.state)) + "; see " +
         Printable(style, show) + "\n";
}

ExitCode ExitOf(workflow::TaskState state) {
  switch (state) {
    case workflow::TaskState::kComplete:
    case workflow::TaskState::kResolvedManually:
      return ExitCode::kOk;
    case workflow::TaskState::kCancelled:
      return ExitCode::kCancelled;
    default:
      return ExitCode::kFailed;
  }
}

}  // namespace tasker::cli
