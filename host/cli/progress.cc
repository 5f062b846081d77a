#include "cli/progress.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "cli/format.h"
#include "cli/style.h"
#include "cli/task_picture.h"
#include "workflow/state.h"

namespace tasker::cli {
namespace {

using workflow::StepState;

// When the step came to be as it is, for the order of the lines.
Time ChangedAt(const store::StepView& step) {
  const workflow::StepRow& row = step.row;
  for (const std::optional<Time>& at : {row.ended, row.claimed, row.ready}) {
    if (at) return *at;
  }
  return {};
}

std::string ChangeLine(const store::TaskView& view, const store::StepView& step, Time now,
                       const Style& style) {
  const StepState state = step.row.state;
  const store::AttemptView* last = LastAttempt(view, step.row.n);
  const auto attempt = [&](std::int32_t n) {
    return "attempt " + std::to_string(n) + " of " + std::to_string(std::max(step.max_attempts, n));
  };
  std::string line = step.name + ": " + std::string(workflow::Name(state));
  if (state == StepState::kInProgress) line += ", " + attempt(step.row.attempts + 1);
  if (state == StepState::kComplete && last != nullptr) {
    line += " in " + DurationText(last->ended - last->started.value_or(last->ended));
  }
  if (state == StepState::kWaitingForRetry && step.row.due)
    line += ", again in " + DurationText(*step.row.due - now);
  if ((state == StepState::kWaitingForRetry || state == StepState::kError) && last != nullptr &&
      !last->error.empty()) {
    line += ", " + attempt(step.row.attempts) + " failed: " + ErrorText(*last);
  }
  return Printable(style, line) + "\n";
}

}  // namespace

void Progress::Show(const store::TaskView& view, const std::vector<std::string>& hints, Time now) {
  if (mode_ == Mode::kPicture) {
    Redraw(view, hints, now);
    return;
  }
  if (mode_ == Mode::kLines) PrintChanges(view, now);
  for (const std::string& hint : hints) {
    if (told_.insert(hint).second) err_.Write("note: " + Printable(err_.style(), hint) + "\n");
  }
}

void Progress::Redraw(const store::TaskView& view, const std::vector<std::string>& hints,
                      Time now) {
  const Style style = out_.style();
  std::vector<std::string> lines = {TaskHeadline(view.summary, now, style)};
  for (std::string& line : TaskPicture(view, now, style)) lines.push_back(std::move(line));
  for (const std::string& hint : hints)
    lines.push_back(Paint(style, Colour::kYellow, Printable(style, hint)));
  // What does not fit on the screen cannot be drawn over again.
  const auto room = static_cast<std::size_t>(std::max(out_.height() - 1, 4));
  if (lines.size() > room) {
    lines.resize(room - 1);
    lines.push_back(Paint(style, Colour::kDim, "..."));
  }
  std::string text =
      "\x1b[?7l";  // A line that is too long must not wrap: the count of the lines would be wrong.
  if (drawn_ > 0) text += "\x1b[" + std::to_string(drawn_) + "A\r";
  for (const std::string& line : lines) text += line + "\x1b[K\n";
  text += "\x1b[J\x1b[?7h";
  out_.Write(text);
  drawn_ = lines.size();
}

void Progress::PrintChanges(const store::TaskView& view, Time now) {
  std::vector<const store::StepView*> changed;
  for (const store::StepView& step : view.steps) {
    const Known is{step.row.state, step.row.attempts};
    if (std::exchange(known_[step.row.n], is) != is) changed.push_back(&step);
  }
  std::ranges::stable_sort(changed, {},
                           [](const store::StepView* step) { return ChangedAt(*step); });
  const Style style = out_.style();
  std::string text;
  for (const store::StepView* step : changed) text += ChangeLine(view, *step, now, style);
  out_.Write(text);
}

}  // namespace tasker::cli
