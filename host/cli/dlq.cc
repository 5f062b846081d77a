// dlq list and dlq show: steps that failed for good, until a person has dealt with them.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstddef>
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
#include "workflow/state.h"

namespace tasker::cli {
namespace {

boost::json::object ToJson(const store::DeadLetterView& letter) {
  return {{"id", letter.id},           {"task", letter.task.ToString()},
          {"namespace", letter.ns},    {"name", letter.name},
          {"step", letter.step},       {"step_state", workflow::Name(letter.state)},
          {"handler", letter.handler}, {"reason", letter.reason},
          {"at", TimeJson(letter.at)}, {"resolution", letter.resolution},
          {"notes", letter.notes},     {"snapshot", Embedded(letter.snapshot)}};
}

boost::json::array ToJson(const std::vector<store::DeadLetterView>& letters) {
  boost::json::array list;
  for (const store::DeadLetterView& letter : letters) list.push_back(ToJson(letter));
  return list;
}

std::string_view Meaning(std::string_view reason) {
  if (reason == "max_attempts_exceeded") return "its last attempt that the template allows failed";
  if (reason == "permanent_error") return "its error, or the template, says not to try again";
  if (reason == "worker_lost") return "its host died while it ran, and it may not be run twice";
  if (reason == "poison") return "its host died each time that it ran";
  return "";
}

std::string MessageOf(const store::DeadLetterView& letter) {
  const boost::json::value snapshot = Embedded(letter.snapshot);
  const auto* error = snapshot.is_object() ? snapshot.get_object().if_contains("error") : nullptr;
  const auto* object = error == nullptr ? nullptr : error->if_object();
  const auto* message = object == nullptr ? nullptr : object->if_contains("message");
  const auto* text = message == nullptr ? nullptr : message->if_string();
  return text == nullptr ? "" : std::string(*text);
}

class DlqList final : public Command {
 public:
  void AddOptions(CLI::App& app) override {
    app.add_flag("--all", filter_.all, "Also those that a person has dealt with");
    app.add_option("--limit", filter_.limit, "How many at most, 1 to 1000; default 50")
        ->option_text("N")
        ->check(CLI::Range(1, 1000));
    app.add_option("--before", filter_.before_id,
                   "Only those before this id: the page that follows")
        ->option_text("ID");
  }

  Result<ExitCode> Run(Session& session) override {
    TRY(const config::Config config, session.LoadConfig());
    TRY(const Client client, OpenClient(config, Missing::kRefuse));
    TRY(const std::vector<store::DeadLetterView> letters, client.reader->DeadLetters(filter_));
    const bool more = std::ssize(letters) == std::ptrdiff_t{filter_.limit};
    if (session.json) {
      boost::json::value next = nullptr;
      if (more) next = letters.back().id;
      session.out.Write(
          JsonLine({{"dead_letters", ToJson(letters)}, {"next_before", std::move(next)}}));
      return ExitCode::kOk;
    }
    if (letters.empty()) {
      session.Note(filter_.all ? "there is no dead letter"
                               : "no dead letter is pending; --all shows the others, too");
      return ExitCode::kOk;
    }
    Table table({"ID", "AT", "TASK", "TEMPLATE", "STEP", "RESOLUTION", "REASON", "ERROR"});
    for (const store::DeadLetterView& letter : letters) {
      table.Add({Cell(std::to_string(letter.id)), Cell(LocalTime(letter.at)),
                 Cell(letter.task.ToString()), Cell(letter.ns + "/" + letter.name),
                 Cell(letter.step), Cell(letter.resolution), Cell(letter.reason, Colour::kRed),
                 Cell(MessageOf(letter))});
    }
    session.out.Write(table.Text(session.out.style()));
    if (more) {
      session.Note("older ones: " +
                   session.CommandLine("dlq list --before " + std::to_string(letters.back().id)));
    }
    return ExitCode::kOk;
  }

 private:
  store::DeadLetterFilter filter_;
};

class DlqShow final : public Command {
 public:
  void AddOptions(CLI::App& app) override {
    app.add_option("TASK", task_, "The task's uuid, or its beginning: 8 characters and more")
        ->required();
    app.add_option("STEP", step_, "The step's name")->required();
  }

  Result<ExitCode> Run(Session& session) override {
    TRY(const config::Config config, session.LoadConfig());
    TRY(const Client client, OpenClient(config, Missing::kRefuse));
    TRY(const Uuid task, FindTask(task_, *client.reader));
    TRY(const store::TaskView view, client.reader->Task(task));
    TRY(const std::int32_t n, FindStep(view, step_));
    TRY(const std::vector<store::DeadLetterView> letters,
        client.reader->DeadLettersOf({view.summary.id, n}));
    if (letters.empty()) {
      return NotFound("step '" + step_ + "' of task " + task.ToString() +
                      " has no dead letter: it has never failed for good");
    }
    if (session.json) {
      session.out.Write(JsonLine({{"dead_letters", ToJson(letters)}}));
      return ExitCode::kOk;
    }
    for (const store::DeadLetterView& letter : letters) {
      session.out.Write(ToText(letter, session));
    }
    return ExitCode::kOk;
  }

 private:
  static std::string ToText(const store::DeadLetterView& letter, const Session& session) {
    std::vector<std::string> lines = {
        "step " + letter.step + " of task " + letter.task.ToString() + " (" + letter.ns + "/" +
            letter.name + ")",
        "  failed at   " + LocalTime(letter.at) + " as " + letter.reason + ": " +
            std::string(Meaning(letter.reason)),
        "  handler     " + letter.handler,
        "  resolution  " + letter.resolution + (letter.notes.empty() ? "" : ": " + letter.notes),
        "  state       " + std::string(workflow::Name(letter.state)) + ", the step's, by now"};
    const boost::json::value snapshot = Embedded(letter.snapshot);
    if (snapshot.is_object()) {
      for (const auto& [key, value] : snapshot.get_object()) {
        if (key == "step" || key == "handler") continue;
        std::string line = "  " + std::string(key);
        line.resize(std::max<std::size_t>(line.size() + 1, 14), ' ');
        lines.push_back(line + boost::json::serialize(value));
      }
    }
    if (letter.state == workflow::StepState::kError) {
      const std::string step = " " + letter.task.ToString() + " " + letter.step;
      lines.push_back("run it again with " + session.CommandLine("step retry" + step) +
                      ", or give its result with " +
                      session.CommandLine("step resolve" + step + " --result JSON"));
    }
    std::string text;
    for (const std::string& line : lines) text += Printable(session.out.style(), line) + "\n";
    return text;
  }

  std::string task_, step_;
};

}  // namespace

std::unique_ptr<Command> MakeDlqList() { return std::make_unique<DlqList>(); }
std::unique_ptr<Command> MakeDlqShow() { return std::make_unique<DlqShow>(); }

}  // namespace tasker::cli
