#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/format.h"
#include "cli/json_out.h"
#include "cli/table.h"
#include "cli/task_picture.h"
#include "workflow/state.h"

namespace tasker::cli {
namespace {

std::string StateNames() {
  std::string names;
  for (int i = 0; i < workflow::kTaskStates; ++i) {
    names.append(i == 0 ? "" : ", ").append(workflow::Name(static_cast<workflow::TaskState>(i)));
  }
  return names;
}

class TaskList final : public Command {
 public:
  void AddOptions(CLI::App& app) override {
    app.add_option("--state", state_, "Only tasks in this state: " + StateNames())
        ->option_text("STATE");
    app.add_option("--namespace", filter_.ns, "Only tasks of this namespace")->option_text("NAME");
    app.add_option("--name", filter_.name, "Only tasks of the templates of this name")
        ->option_text("NAME");
    app.add_option("--limit", filter_.limit, "How many at most, 1 to 1000; default 50")
        ->option_text("N")
        ->check(CLI::Range(1, 1000));
    app.add_option("--before", before_, "Only tasks older than this one: the page that follows")
        ->option_text("TASK");
  }

  Result<ExitCode> Run(Session& session) override {
    if (!state_.empty()) {
      filter_.state = workflow::TaskStateNamed(state_);
      if (!filter_.state)
        return Invalid("'" + state_ + "' is no state of a task; they are " + StateNames());
    }
    TRY(const config::Config config, session.LoadConfig());
    TRY(const Client client, OpenClient(config, Missing::kRefuse));
    if (!before_.empty()) {
      TRY(const Uuid task, FindTask(before_, *client.reader));
      TRY(const store::TaskSummary summary, client.reader->Summary(task));
      filter_.before_id = summary.id;
    }
    TRY(const std::vector<store::TaskSummary> tasks, client.reader->Tasks(filter_));
    if (session.json) {
      PrintJson(tasks, session);
    } else {
      PrintTable(tasks, session);
    }
    return ExitCode::kOk;
  }

 private:
  bool PageIsFull(const std::vector<store::TaskSummary>& tasks) const {
    return std::ssize(tasks) == std::ptrdiff_t{filter_.limit};
  }

  void PrintJson(const std::vector<store::TaskSummary>& tasks, Session& session) const {
    boost::json::array list;
    for (const store::TaskSummary& task : tasks) list.push_back(ToJson(task));
    boost::json::value next = nullptr;
    if (PageIsFull(tasks)) next = tasks.back().uuid.ToString();
    session.out.Write(JsonLine({{"tasks", std::move(list)}, {"next_before", std::move(next)}}));
  }

  void PrintTable(const std::vector<store::TaskSummary>& tasks, Session& session) const {
    if (tasks.empty()) {
      session.Note("no task matches; submit one with " + session.CommandLine("submit TEMPLATE"));
      return;
    }
    const Time now = WallNow();
    Table table({"TASK", "STATE", "STEPS", "CREATED", "TIME", "TEMPLATE"});
    for (const store::TaskSummary& task : tasks) {
      table.Add({Cell(task.uuid.ToString()), Cell(workflow::Name(task.state), ColourOf(task.state)),
                 Cell(std::to_string(task.steps - task.open) + "/" + std::to_string(task.steps)),
                 Cell(LocalTime(task.created)),
                 Cell(DurationText(task.ended.value_or(now) - task.created)),
                 Cell(TemplateLabel(task))});
    }
    session.out.Write(table.Text(session.out.style()));
    if (PageIsFull(tasks)) {
      session.Note("older ones: " +
                   session.CommandLine("task list --before " + tasks.back().uuid.ToString()));
    }
  }

  std::string state_, before_;
  store::TaskFilter filter_;
};

}  // namespace

std::unique_ptr<Command> MakeTaskList() { return std::make_unique<TaskList>(); }

}  // namespace tasker::cli
