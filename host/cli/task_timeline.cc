#include "cli/task_timeline.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "cli/client.h"
#include "cli/format.h"
#include "cli/json_out.h"
#include "cli/outcome_text.h"
#include "cli/style.h"
#include "cli/table.h"
#include "cli/task_picture.h"
#include "workflow/rows.h"
#include "workflow/state.h"

namespace tasker::cli {
namespace {

using workflow::AttemptOutcome;

constexpr std::size_t kShownAttemptsMax = 200;
constexpr std::size_t kShownResultsMax = 40;

Colour ColourOf(AttemptOutcome outcome) {
  switch (outcome) {
    case AttemptOutcome::kComplete:
      return Colour::kGreen;
    case AttemptOutcome::kError:
    case AttemptOutcome::kTimeout:
    case AttemptOutcome::kWorkerLost:
      return Colour::kRed;
    default:
      return Colour::kYellow;
  }
}

std::string Between(const std::optional<Time>& from, const std::optional<Time>& to) {
  return from && to ? DurationText(*to - *from) : "";
}

class Text {
 public:
  Text(const store::TaskView& view, const Session& session)
      : view_(view), session_(session), style_(session.out.style()) {
    for (const store::StepView& step : view.steps) names_.emplace(step.row.n, step.name);
  }

  void Headline(Time now) {
    const store::TaskSummary& summary = view_.summary;
    text_ += TaskHeadline(summary, now, style_) + "\n";
    text_ += "task " + summary.uuid.ToString() + "  created " + LocalTime(summary.created);
    if (summary.start) text_ += "  starts " + LocalTime(*summary.start);
    if (summary.ended) text_ += "  ended " + LocalTime(*summary.ended);
    if (summary.priority != 0) text_ += "  priority " + std::to_string(summary.priority);
    text_ += "\n";
  }

  void Picture(Time now, const std::vector<std::string>& hints) {
    text_ += "\n";
    for (const std::string& line : TaskPicture(view_, now, style_)) text_ += line + "\n";
    for (const std::string& hint : hints)
      text_ += Paint(style_, Colour::kYellow, Printable(style_, hint)) + "\n";
  }

  void Timeline() {
    if (view_.attempts.empty() && view_.actions.empty()) return;
    // Attempts and actions in one order of time.
    std::multimap<Time, std::vector<Cell>> rows;
    for (const store::AttemptView& attempt : view_.attempts) {
      const std::optional<Time> began = attempt.started ? attempt.started : attempt.claimed;
      rows.emplace(
          attempt.ended,
          std::vector<Cell>{
              Cell(LocalTimeOfDay(attempt.ended)), Cell(NameOf(attempt.n)),
              Cell(workflow::Name(attempt.outcome), ColourOf(attempt.outcome)),
              Cell(Between(attempt.ready, began)), Cell(Between(began, attempt.ended)),
              Cell(std::to_string(workflow::WorkerOf(attempt.claim))), Cell(ErrorText(attempt))});
    }
    for (const store::ActionView& action : view_.actions) {
      const std::string who = action.actor + (action.reason.empty() ? "" : ": " + action.reason);
      rows.emplace(action.at,
                   std::vector<Cell>{Cell(LocalTimeOfDay(action.at)),
                                     Cell(action.n ? NameOf(*action.n) : "task"),
                                     Cell(action.kind, Colour::kYellow), "", "", "", Cell(who)});
    }
    Section("Timeline");
    const std::size_t left_out = rows.size() - std::min(rows.size(), kShownAttemptsMax);
    if (left_out > 0)
      text_ += "the last " + std::to_string(kShownAttemptsMax) + "; all of them: --json\n";
    Table table({"ENDED", "STEP", "OUTCOME", "WAITED", "RAN", "WORKER", "ERROR"});
    std::size_t skip = left_out;
    for (auto& [at, row] : rows) {
      if (skip > 0) {
        --skip;
      } else {
        table.Add(std::move(row));
      }
    }
    text_ += table.Text(style_);
  }

  // Sizes only: results may be large, and --result prints them.
  Status Results(store::Reader& reader) {
    Table table({"STEP", "SIZE", "RESULT"});
    std::size_t shown = 0;
    for (const store::StepView& step : view_.steps) {
      if (!workflow::Satisfies(step.row.state) || shown == kShownResultsMax) continue;
      const auto result =
          reader.Payload({view_.summary.id, step.row.n}, workflow::PayloadKind::kResult);
      if (!result && result.error().code == ErrorCode::kNotFound) continue;
      if (!result) return result.error();
      table.Add({Cell(step.name), Cell(SizeText(std::ssize(*result))),
                 Cell(Fit(style_, Printable(style_, result->substr(0, 400)), 72))});
      ++shown;
    }
    if (table.empty()) return Ok();
    Section("Results");
    text_ += table.Text(style_);
    text_ += Paint(style_, Colour::kDim,
                   Printable(style_, "one as JSON: " + Show() + " --step NAME --result")) +
             "\n";
    return Ok();
  }

  // Of the steps that failed or wait for a retry, with what a table's cell has no room for.
  void Errors() {
    std::string errors;
    for (const store::StepView& step : view_.steps) {
      const bool failing = step.row.state == workflow::StepState::kError ||
                           step.row.state == workflow::StepState::kWaitingForRetry;
      const store::AttemptView* last = failing ? LastAttempt(view_, step.row.n) : nullptr;
      if (last == nullptr || last->error.empty()) continue;
      errors +=
          Paint(style_, Colour::kRed, Printable(style_, step.name + ": " + ErrorText(*last))) +
          "\n";
      errors += Details(*last);
    }
    if (errors.empty()) return;
    Section("Errors");
    text_ += errors;
  }

  std::string Take() { return std::move(text_); }

 private:
  void Section(std::string_view title) {
    text_ += "\n" + Paint(style_, Colour::kBold, title) + "\n";
  }

  std::string NameOf(std::int32_t n) const {
    const auto found = names_.find(n);
    return found == names_.end() ? std::to_string(n) : found->second;
  }

  std::string Show() const {
    return session_.CommandLine("task show " + view_.summary.uuid.ToString());
  }

  // Every member of the error but those that ErrorText shows; texts with their lines.
  std::string Details(const store::AttemptView& attempt) const {
    const boost::json::value error = Embedded(attempt.error);
    if (!error.is_object()) return "";
    std::string details;
    for (const auto& [key, value] : error.get_object()) {
      if (key == "type" || key == "message") continue;
      const boost::json::string* text = value.if_string();
      const std::string shown =
          text == nullptr ? boost::json::serialize(value) : std::string(*text);
      std::string line = "  " + std::string(key) + ": ";
      for (const char c : shown) {
        if (c != '\n') {
          line += c;
          continue;
        }
        details += Printable(style_, line) + "\n";
        line = "    ";
      }
      details += Printable(style_, line) + "\n";
    }
    return details;
  }

  const store::TaskView& view_;
  const Session& session_;
  const Style style_;
  std::map<std::int32_t, std::string> names_;
  std::string text_;
};

}  // namespace

Result<std::string> TaskText(const store::TaskView& view, const std::vector<std::string>& hints,
                             store::Reader& reader, const Session& session) {
  const Time now = WallNow();
  Text text(view, session);
  text.Headline(now);
  text.Picture(now, hints);
  text.Timeline();
  TRY_OK(text.Results(reader));
  text.Errors();
  return text.Take();
}

}  // namespace tasker::cli
