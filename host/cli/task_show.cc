#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/object.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/json_out.h"
#include "cli/outcome_text.h"
#include "cli/progress.h"
#include "cli/task_timeline.h"
#include "cli/watch.h"
#include "workflow/rows.h"
#include "workflow/state.h"

namespace tasker::cli {
namespace {

class TaskShow final : public Command {
 public:
  void AddOptions(CLI::App& app) override {
    app.add_option("TASK", task_, "The task's uuid, or its beginning: 8 characters and more")
        ->required();
    app.add_flag("--watch", watch_, "Follow the task until it is settled, and then show it");
    CLI::Option* step = app.add_option("--step", step_, "Only this step")->option_text("NAME");
    app.add_flag("--result", result_, "Print nothing but the step's result, as JSON")->needs(step);
  }

  Result<ExitCode> Run(Session& session) override {
    TRY(const config::Config config, session.LoadConfig());
    TRY(Client client, OpenClient(config, Missing::kRefuse));
    TRY(const Uuid task, FindTask(task_, *client.reader));
    if (watch_) {
      Progress progress(
          session.json || result_ ? Progress::Mode::kSilent : Progress::ModeFor(session.out),
          session.out, session.err);
      TRY(const Watched watched, WatchTask(session, client, task, progress));
      if (watched.interrupted) return ExitCode::kInterrupted;
    }
    TRY(store::TaskView view, client.reader->Task(task));
    std::optional<std::int32_t> only;
    if (!step_.empty()) {
      TRY(only, FindStep(view, step_));
    }
    if (result_) return PrintResult(view, *only, *client.reader, session);
    if (session.json) {
      session.out.Write(JsonLine(ToJson(view, only)));
      return ExitCode::kOk;
    }
    if (only) Keep(*only, view);
    TRY(const std::vector<std::string> hints, MissingHandlers(session, client, view));
    TRY(const std::string text, TaskText(view, hints, *client.reader, session));
    session.out.Write(text);
    return ExitCode::kOk;
  }

 private:
  // Leaves the one step in the view, and its attempts and actions.
  static void Keep(std::int32_t n, store::TaskView& view) {
    std::erase_if(view.steps, [n](const store::StepView& other) { return other.row.n != n; });
    std::erase_if(view.attempts, [n](const store::AttemptView& attempt) { return attempt.n != n; });
    std::erase_if(view.actions, [n](const store::ActionView& action) { return action.n != n; });
  }

  Result<ExitCode> PrintResult(const store::TaskView& view, std::int32_t n, store::Reader& reader,
                               Session& session) const {
    auto result = reader.Payload({view.summary.id, n}, workflow::PayloadKind::kResult);
    if (!result && result.error().code == ErrorCode::kNotFound) {
      const auto step = std::ranges::find(view.steps, step_, &store::StepView::name);
      return NotFound("step '" + step_ + "' has no result: it is " +
                      std::string(workflow::Name(step->row.state)));
    }
    if (!result) return result.error();
    session.out.Write(*result + "\n");
    return ExitCode::kOk;
  }

  std::string task_, step_;
  bool watch_ = false;
  bool result_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeTaskShow() { return std::make_unique<TaskShow>(); }

}  // namespace tasker::cli
