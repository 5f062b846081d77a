// task cancel|retry|resolve and step cancel|retry|resolve: one act of a person each.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/context_argument.h"
#include "cli/format.h"
#include "cli/json_out.h"
#include "cli/who.h"
#include "workflow/rows.h"
#include "workflow/schema.h"
#include "workflow/state.h"

namespace tasker::cli {
namespace {

using Kind = store::Act::Kind;

std::string_view NameOf(Kind kind) {
  switch (kind) {
    case Kind::kCancel:
      return "cancel";
    case Kind::kRetry:
      return "retry";
    case Kind::kResolve:
      return "resolve";
  }
  return "";
}

// A handler that was told to stop, and has not returned.
struct StillRuns {
  std::string step;
  std::int64_t worker = 0;
};

class ActCommand final : public Command {
 public:
  ActCommand(Kind kind, bool on_step) : kind_(kind), on_step_(on_step) {}

  void AddOptions(CLI::App& app) override {
    app.add_option("TASK", task_, "The task's uuid, or its beginning: 8 characters and more")
        ->required();
    if (on_step_) app.add_option("STEP", step_, "The step's name")->required();
    if (on_step_ && kind_ == Kind::kResolve) {
      app.add_option("--result", result_,
                     "What the steps after it are given: JSON, @FILE, or - for standard input; "
                     "default null")
          ->option_text("JSON");
    }
    AddWhoOptions(app, who_);
  }

  Result<ExitCode> Run(Session& session) override {
    TRY(const config::Config config, session.LoadConfig());
    TRY_OK(CompleteWho(who_));
    TRY_OK(CheckResult(config.limits));
    TRY(Client client, OpenClient(config, Missing::kRefuse));
    store::Act act;
    act.ticket = store::Ticket{1};
    act.id = Uuid::New();
    TRY(act.task, FindTask(task_, *client.reader));
    if (on_step_) {
      TRY(const store::TaskView view, client.reader->Task(act.task));
      TRY(act.n, FindStep(view, step_));
    }
    act.kind = kind_;
    act.actor = who_.actor;
    act.reason = who_.reason;
    act.result = result_;
    const std::string noun = std::string(NameOf(kind_)) + " " + What(act.task);
    TRY(const store::Ack ack, SendEvent(act, noun, *client.store));
    if (ack.code != store::Ack::Code::kApplied) return Refused(ack, noun, act.task, session);
    TRY(const store::TaskView view, client.reader->Task(act.task));
    session.out.Write(session.json ? JsonLine(ToJson(act, view)) : ToText(act, view, session));
    return ExitCode::kOk;
  }

 private:
  Status CheckResult(const config::Limits& limits) {
    if (!on_step_ || kind_ != Kind::kResolve) return Ok();
    TRY(result_,
        ReadJsonArgument("result", result_, "limits.result_max_bytes", limits.result_max_bytes));
    const Status json =
        workflow::CheckJson(result_, static_cast<std::size_t>(limits.json_depth_max));
    return json ? Ok() : Status(Prefixed("the step's result", json.error()));
  }

  std::string What(const Uuid& task) const {
    return (on_step_ ? "step '" + step_ + "' of task " : "task ") + task.ToString();
  }

  static Result<ExitCode> Refused(const store::Ack& ack, const std::string& noun, const Uuid& task,
                                  Session& session) {
    if (ack.code == store::Ack::Code::kInvalid) return Invalid(noun + ": " + ack.detail);
    session.err.Write(
        "tasker-host: " +
        Printable(session.err.style(), noun + ": " + ack.detail + "; look at it with " +
                                           session.CommandLine("task show " + task.ToString())) +
        "\n");
    return ExitCode::kRefused;
  }

  // Of those that this act may have ended.
  static std::vector<StillRuns> Running(const store::Act& act, const store::TaskView& view) {
    std::vector<StillRuns> running;
    for (const store::StepView& step : view.steps) {
      if (!step.row.revoked || (act.n && *act.n != step.row.n)) continue;
      running.push_back({step.name, workflow::WorkerOf(step.row.claim)});
    }
    return running;
  }

  static workflow::StepState StateOf(const store::Act& act, const store::TaskView& view) {
    return view.steps.at(static_cast<std::size_t>(act.n.value_or(0))).row.state;
  }

  boost::json::object ToJson(const store::Act& act, const store::TaskView& view) const {
    boost::json::array running;
    for (const StillRuns& step : Running(act, view)) {
      running.push_back({{"step", step.step}, {"worker", step.worker}});
    }
    boost::json::object out = {{"task", act.task.ToString()},
                               {"action", NameOf(kind_)},
                               {"actor", act.actor},
                               {"reason", act.reason},
                               {"task_state", workflow::Name(view.summary.state)},
                               {"still_running", std::move(running)}};
    if (on_step_) {
      out["step"] = step_;
      out["step_state"] = workflow::Name(StateOf(act, view));
    }
    return out;
  }

  std::string ToText(const store::Act& act, const store::TaskView& view,
                     const Session& session) const {
    const std::string now =
        on_step_ ? "is " + std::string(workflow::Name(StateOf(act, view))) + "; the task is "
                 : "is ";
    std::vector<std::string> lines{What(act.task) + " " + now +
                                   std::string(workflow::Name(view.summary.state))};
    for (const StillRuns& step : Running(act, view)) {
      lines.push_back("the handler of step " + step.step + " still runs in worker " +
                      std::to_string(step.worker) +
                      ": it was told to stop, and what it returns is kept as late");
    }
    std::string text;
    for (const std::string& line : lines) text += Printable(session.out.style(), line) + "\n";
    return text;
  }

  const Kind kind_;
  const bool on_step_;
  std::string task_, step_;
  std::string result_ = "null";
  Who who_;
};

}  // namespace

std::unique_ptr<Command> MakeTaskCancel() {
  return std::make_unique<ActCommand>(Kind::kCancel, false);
}
std::unique_ptr<Command> MakeTaskRetry() {
  return std::make_unique<ActCommand>(Kind::kRetry, false);
}
std::unique_ptr<Command> MakeTaskResolve() {
  return std::make_unique<ActCommand>(Kind::kResolve, false);
}
std::unique_ptr<Command> MakeStepCancel() {
  return std::make_unique<ActCommand>(Kind::kCancel, true);
}
std::unique_ptr<Command> MakeStepRetry() {
  return std::make_unique<ActCommand>(Kind::kRetry, true);
}
std::unique_ptr<Command> MakeStepResolve() {
  return std::make_unique<ActCommand>(Kind::kResolve, true);
}

}  // namespace tasker::cli
