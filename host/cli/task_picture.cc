#include "cli/task_picture.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <utility>

#include "cli/dag.h"
#include "cli/format.h"
#include "cli/json_out.h"
#include "cli/table.h"
#include "workflow/graph.h"
#include "workflow/state.h"

namespace tasker::cli {
namespace {

using workflow::StepState;
using workflow::TaskState;

constexpr std::size_t kNotedStepsMax = 20;
constexpr std::size_t kCellsWidth = 40;  // that a drawing must leave to what stands beside it

std::string_view MarkOf(StepState state, bool utf8) {
  switch (state) {
    case StepState::kPending:
      return utf8 ? "○" : ".";
    case StepState::kEnqueued:
      return utf8 ? "◎" : "o";
    case StepState::kInProgress:
      return utf8 ? "●" : "@";
    case StepState::kWaitingForRetry:
      return utf8 ? "↻" : "~";
    case StepState::kComplete:
      return utf8 ? "✓" : "*";
    case StepState::kError:
      return utf8 ? "✗" : "x";
    case StepState::kCancelled:
      return utf8 ? "⊘" : "/";
    case StepState::kResolvedManually:
      return utf8 ? "◆" : "#";
  }
  return "?";
}

// Failed attempts are counted in the row; one that runs or succeeded is the next.
std::string AttemptCell(const store::StepView& step) {
  const bool one_more =
      step.row.state == StepState::kInProgress || step.row.state == StepState::kComplete;
  const std::int32_t n = step.row.attempts + (one_more ? 1 : 0);
  if (n == 0) return "";
  return std::to_string(n) + "/" + std::to_string(std::max(step.max_attempts, n));
}

std::string TimeCell(const store::TaskView& view, const store::StepView& step, Time now) {
  if (step.row.state == StepState::kInProgress && step.row.claimed)
    return DurationText(now - *step.row.claimed);
  if (step.row.state != StepState::kComplete && step.row.state != StepState::kError) return "";
  const store::AttemptView* last = LastAttempt(view, step.row.n);
  if (last == nullptr) return "";
  const std::optional<Time> from = last->started ? last->started : last->claimed;
  return from ? DurationText(last->ended - *from) : "";
}

std::string NoteCell(const store::TaskView& view, const store::StepView& step, Time now) {
  const store::AttemptView* last = LastAttempt(view, step.row.n);
  std::string note;
  if (step.row.state == StepState::kEnqueued && !step.served) {
    return "no running host has handler '" + step.handler + "'";
  }
  if (step.row.state == StepState::kWaitingForRetry) {
    note = step.row.due ? "again in " + DurationText(std::max(*step.row.due - now, {}))
                        : "until the attempt that still runs has ended";
  }
  if (step.row.state == StepState::kWaitingForRetry || step.row.state == StepState::kError) {
    const std::string error = last == nullptr ? "" : ErrorText(*last);
    if (!error.empty()) note.append(note.empty() ? "" : "; ").append(error);
  }
  return note;
}

std::vector<Cell> CellsOf(const store::TaskView& view, const store::StepView& step, Time now) {
  return {Cell(step.name, step.row.state == StepState::kPending ? Colour::kDim : Colour::kNone),
          Cell(workflow::Name(step.row.state), ColourOf(step.row.state)), Cell(AttemptCell(step)),
          Cell(TimeCell(view, step, now)), Cell(NoteCell(view, step, now))};
}

// Large tasks: how many steps are in each state, and those that something is to be said about.
std::vector<std::string> CountedPicture(const store::TaskView& view, Time now, const Style& style) {
  std::map<StepState, std::int64_t> counts;
  Table noted({"STEP", "STATE", "TRY", "TIME", "NOTE"});
  std::size_t more = 0;
  std::size_t shown = 0;
  for (const store::StepView& step : view.steps) {
    ++counts[step.row.state];
    const bool calm = step.row.state == StepState::kPending ||
                      step.row.state == StepState::kComplete ||
                      (step.row.state == StepState::kEnqueued && step.served);
    if (calm) continue;
    if (shown++ < kNotedStepsMax) {
      noted.Add(CellsOf(view, step, now));
    } else {
      ++more;
    }
  }
  Table table({"STATE", "STEPS"});
  for (const auto& [state, count] : counts) {
    table.Add({Cell(workflow::Name(state), ColourOf(state)), Cell(std::to_string(count))});
  }
  std::vector<std::string> lines = table.Lines(style);
  if (!noted.empty()) {
    lines.emplace_back();
    for (std::string& line : noted.Lines(style)) lines.push_back(std::move(line));
  }
  if (more > 0) lines.push_back("and " + std::to_string(more) + " more");
  return lines;
}

// Whether the drawing leaves room for the texts.
bool Fits(const DagDrawing& drawing, const Style& style) {
  return style.width == 0 || drawing.width + kCellsWidth <= static_cast<std::size_t>(style.width);
}

struct Mark {
  std::string_view text;
  Colour colour = Colour::kNone;
};

// The lanes with the marks in them, beside the lines of a table whose rows are in the order of the
// drawing's steps.
std::vector<std::string> Beside(const DagDrawing& drawing, const std::vector<Mark>& marks,
                                const std::vector<std::string>& table, const Style& style) {
  std::vector<std::string> lines = {std::string(drawing.width + 2, ' ') + table.front()};
  std::size_t row = 1;
  for (const DagRow& drawn : drawing.rows) {
    std::string line = Paint(style, Colour::kDim, drawn.left);
    if (drawn.step) {
      const Mark& mark = marks[static_cast<std::size_t>(*drawn.step)];
      line += Paint(style, mark.colour, mark.text) + Paint(style, Colour::kDim, drawn.right) +
              "  " + table[row++];
    } else {
      line.erase(line.find_last_not_of(' ') + 1);
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

Style Narrower(Style style, std::size_t columns) {
  if (style.width > 0) style.width -= static_cast<int>(columns);
  return style;
}

}  // namespace

Colour ColourOf(StepState state) {
  switch (state) {
    case StepState::kPending:
      return Colour::kDim;
    case StepState::kEnqueued:
    case StepState::kInProgress:
      return Colour::kBlue;
    case StepState::kWaitingForRetry:
    case StepState::kCancelled:
    case StepState::kResolvedManually:
      return Colour::kYellow;
    case StepState::kComplete:
      return Colour::kGreen;
    case StepState::kError:
      return Colour::kRed;
  }
  return Colour::kNone;
}

Colour ColourOf(TaskState state) {
  switch (state) {
    case TaskState::kPending:
      return Colour::kDim;
    case TaskState::kStepsInProcess:
      return Colour::kBlue;
    case TaskState::kWaitingForRetry:
    case TaskState::kCancelled:
    case TaskState::kResolvedManually:
      return Colour::kYellow;
    case TaskState::kComplete:
      return Colour::kGreen;
    case TaskState::kBlockedByFailures:
    case TaskState::kError:
      return Colour::kRed;
  }
  return Colour::kNone;
}

std::string TemplateLabel(const store::TaskSummary& summary) {
  return summary.ns + "/" + summary.name + "@" + summary.version;
}

std::string TaskHeadline(const store::TaskSummary& summary, Time now, const Style& style) {
  std::string line = Paint(style, Colour::kBold, Printable(style, TemplateLabel(summary))) + "  " +
                     Paint(style, ColourOf(summary.state), workflow::Name(summary.state)) + "  " +
                     std::to_string(summary.steps - summary.open) + " of " +
                     Count(summary.steps, "step");
  if (summary.failed > 0) line += ", " + std::to_string(summary.failed) + " failed";
  return line + "  " + DurationText(summary.ended.value_or(now) - summary.created);
}

std::vector<std::string> TaskPicture(const store::TaskView& view, Time now, const Style& style) {
  if (view.steps.size() > kDrawnStepsMax) return CountedPicture(view, now, style);
  std::map<std::int32_t, std::int32_t> rows;  // a step's number -> where it stands in the view
  std::vector<std::vector<std::int32_t>> parents;
  std::vector<Mark> marks;
  for (const store::StepView& step : view.steps)
    rows.emplace(step.row.n, static_cast<std::int32_t>(rows.size()));
  for (const store::StepView& step : view.steps) {
    std::vector<std::int32_t>& above = parents.emplace_back();
    for (const std::int32_t parent : step.parents) {
      if (const auto found = rows.find(parent); found != rows.end()) above.push_back(found->second);
    }
    marks.push_back({MarkOf(step.row.state, style.utf8), ColourOf(step.row.state)});
  }
  const DagDrawing drawing = DrawDag(parents, style.utf8);
  if (!Fits(drawing, style)) return CountedPicture(view, now, style);
  Table table({"STEP", "STATE", "TRY", "TIME", "NOTE"});
  for (const DagRow& row : drawing.rows) {
    if (row.step) table.Add(CellsOf(view, view.steps[static_cast<std::size_t>(*row.step)], now));
  }
  return Beside(drawing, marks, table.Lines(Narrower(style, drawing.width + 2)), style);
}

std::vector<std::string> TemplatePicture(const workflow::TaskTemplate& task_template,
                                         const Style& style) {
  const auto cells = [](const workflow::StepDefinition& step) {
    std::string after;
    for (const std::string& parent : step.dependencies)
      after.append(after.empty() ? "" : ", ").append(parent);
    return std::vector<Cell>{step.name, step.handler.callable,
                             std::to_string(step.retry.AttemptsAllowed()), after};
  };
  const workflow::Graph graph(task_template);
  std::vector<std::vector<std::int32_t>> parents;
  parents.reserve(static_cast<std::size_t>(graph.size()));
  for (std::int32_t n = 0; n < graph.size(); ++n) parents.push_back(graph.Parents(n));
  const bool small = parents.size() <= kDrawnStepsMax;
  const DagDrawing drawing = small ? DrawDag(parents, style.utf8) : DagDrawing{};
  Table table({"STEP", "HANDLER", "TRIES", "AFTER"});
  if (!small || !Fits(drawing, style)) {
    for (const workflow::StepDefinition& step : task_template.steps) table.Add(cells(step));
    return table.Lines(style);
  }
  for (const DagRow& row : drawing.rows) {
    if (row.step) table.Add(cells(task_template.steps[static_cast<std::size_t>(*row.step)]));
  }
  const std::vector<Mark> marks(parents.size(),
                                {MarkOf(StepState::kPending, style.utf8), Colour::kNone});
  return Beside(drawing, marks, table.Lines(Narrower(style, drawing.width + 2)), style);
}

const store::AttemptView* LastAttempt(const store::TaskView& view, std::int32_t n) {
  for (auto attempt = view.attempts.rbegin(); attempt != view.attempts.rend(); ++attempt) {
    if (attempt->n == n) return &*attempt;
  }
  return nullptr;
}

namespace {

// What the handler returned after the attempt had ended in the store; empty: nothing was kept.
std::string LateText(const boost::json::object& error) {
  const boost::json::value* late = error.if_contains("late");
  const boost::json::object* object = late == nullptr ? nullptr : late->if_object();
  if (object == nullptr) return "";
  if (const boost::json::value* result = object->if_contains("result")) {
    return "late: its handler succeeded with " + boost::json::serialize(*result);
  }
  const boost::json::value* failure = object->if_contains("error");
  if (failure == nullptr) return "late: its handler returned";
  const boost::json::object* failed = failure->if_object();
  const boost::json::value* message = failed == nullptr ? nullptr : failed->if_contains("message");
  const boost::json::string* words = message == nullptr ? nullptr : message->if_string();
  return "late: its handler failed" +
         (words == nullptr ? std::string() : ": " + std::string(words->c_str(), words->size()));
}

}  // namespace

std::string ErrorText(const store::AttemptView& attempt) {
  const boost::json::value error = Embedded(attempt.error);
  const boost::json::object* object = error.if_object();
  if (object == nullptr) return attempt.error;
  std::string text;
  for (const char* key : {"type", "message"}) {
    const boost::json::value* part = object->if_contains(key);
    const boost::json::string* words = part == nullptr ? nullptr : part->if_string();
    if (words != nullptr && !words->empty())
      text.append(text.empty() ? "" : ": ").append(words->c_str(), words->size());
  }
  const std::string late = LateText(*object);
  if (!late.empty()) text.append(text.empty() ? "" : "; ").append(late);
  return text;
}

}  // namespace tasker::cli
