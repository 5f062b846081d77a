#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/explain.h"
#include "cli/json_out.h"
#include "cli/table.h"
#include "cli/task_picture.h"
#include "workflow/rows.h"
#include "workflow/state.h"

namespace tasker::cli {
namespace {

constexpr std::size_t kShownMax = 200;

template <typename T>
boost::json::value OrNull(const std::optional<T>& value) {
  return value ? boost::json::value(*value) : boost::json::value(nullptr);
}

boost::json::object ToJson(const Reason& reason) {
  boost::json::array waits_for(reason.waits_for.begin(), reason.waits_for.end());
  boost::json::object out = {{"reason", reason.code},
                             {"text", reason.text},
                             {"waits_for", std::move(waits_for)},
                             {"worker", OrNull(reason.worker)},
                             {"pid", OrNull(reason.pid)},
                             {"at", TimeJson(reason.at)}};
  if (reason.n) {
    out["step"] = reason.step;
    out["state"] = workflow::Name(*reason.state);
  }
  return out;
}

class TaskExplain final : public Command {
 public:
  void AddOptions(CLI::App& app) override {
    app.add_option("TASK", task_, "The task's uuid, or its beginning: 8 characters and more")
        ->required();
  }

  Result<ExitCode> Run(Session& session) override {
    TRY(const config::Config config, session.LoadConfig());
    TRY(const Client client, OpenClient(config, Missing::kRefuse));
    TRY(const Uuid task, FindTask(task_, *client.reader));
    TRY(const store::TaskView before, client.reader->Task(task));
    ExplainFacts facts;
    TRY(facts.workers, client.store->Workers());
    TRY(facts.handlers, client.reader->Handlers());
    TRY(facts.view, client.reader->Task(task));
    for (std::size_t at = 0; at < std::min(before.steps.size(), facts.view.steps.size()); ++at) {
      const workflow::StepRow& was = before.steps[at].row;
      const workflow::StepRow& is = facts.view.steps[at].row;
      const bool same = was.n == is.n && was.claim == is.claim && was.state == is.state;
      if (same) facts.held.insert(workflow::Number(is.claim));
    }
    facts.handler_limits = config.worker.handler_limits;
    facts.namespaces = config.worker.namespaces;
    facts.now = WallNow();
    const std::vector<Reason> reasons = Explain(facts);
    session.out.Write(session.json ? JsonText(facts.view, reasons)
                                   : ToText(facts, reasons, session));
    return ExitCode::kOk;
  }

 private:
  static std::string JsonText(const store::TaskView& view, const std::vector<Reason>& reasons) {
    boost::json::array task;
    boost::json::array steps;
    for (const Reason& reason : reasons) (reason.n ? steps : task).push_back(ToJson(reason));
    return JsonLine({{"task", view.summary.uuid.ToString()},
                     {"state", workflow::Name(view.summary.state)},
                     {"reasons", std::move(task)},
                     {"steps", std::move(steps)}});
  }

  static std::string ToText(const ExplainFacts& facts, const std::vector<Reason>& reasons,
                            const Session& session) {
    const Style style = session.out.style();
    std::string text = TaskHeadline(facts.view.summary, facts.now, style) + "\n";
    std::size_t running = 0;
    for (const store::StepView& step : facts.view.steps) {
      const bool runs = step.row.state == workflow::StepState::kInProgress;
      running += static_cast<std::size_t>(runs);
    }
    std::size_t shown = 0;
    std::size_t left_out = 0;
    for (const Reason& reason : reasons) {
      if (reason.state == workflow::StepState::kInProgress) --running;
      if (!reason.n) {
        text += Printable(style, reason.text) + "\n";
      } else if (++shown > kShownMax) {
        ++left_out;
      } else {
        text += Paint(style, ColourOf(*reason.state),
                      Printable(style, reason.step + " (" +
                                           std::string(workflow::Name(*reason.state)) + ")")) +
                ": " + Printable(style, reason.text) + "\n";
      }
    }
    if (left_out > 0) text += "and " + std::to_string(left_out) + " more; all of them: --json\n";
    if (running > 0) text += std::to_string(running) + " running\n";
    return text;
  }

  std::string task_;
};

}  // namespace

std::unique_ptr<Command> MakeTaskExplain() { return std::make_unique<TaskExplain>(); }

}  // namespace tasker::cli
