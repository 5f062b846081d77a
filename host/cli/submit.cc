#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/context_argument.h"
#include "cli/find_template.h"
#include "cli/json_out.h"
#include "cli/outcome_text.h"
#include "cli/progress.h"
#include "cli/task_picture.h"
#include "cli/watch.h"
#include "pipeline/submission.h"
#include "workflow/identity.h"

namespace tasker::cli {
namespace {

std::string LabelOf(const workflow::TaskTemplate& definition) {
  return definition.namespace_name + "/" + definition.name + "@" + definition.version;
}

store::NewTemplate ForStore(const FoundTemplate& found) {
  const workflow::TaskTemplate& definition = found.definition;
  return {definition.namespace_name, definition.name, definition.version,
          workflow::Sha256Hex(found.text), found.text};
}

// The id of the text in the store, which learns it as a revision where it is a new one.
Result<std::int64_t> Register(const FoundTemplate& found, const config::Config& config,
                              const Session& session, Client& client) {
  if (found.id != 0) return found.id;
  const store::NewTemplate wanted = ForStore(found);
  const std::string label = LabelOf(found.definition);
  if (config.templates.strict) {
    TRY(const std::vector<store::TemplateView> stored, client.reader->Templates(false));
    for (const store::TemplateView& view : stored) {
      const bool same =
          view.ns == wanted.ns && view.name == wanted.name && view.version == wanted.version;
      if (!same || view.sha256 == wanted.sha256) continue;
      return Invalid("submit " + label + ": the text of " + found.path + " (" + wanted.sha256 +
                     ") is not the one that the store knows under this version (" + view.sha256 +
                     "), and templates.strict is set; give the changed text a new version");
    }
  }
  TRY(const std::vector<store::Store::Registered> registered, client.store->Register({&wanted, 1}));
  CHECK(registered.size() == 1);
  if (const std::string& replaced = registered.front().replaced; !replaced.empty()) {
    session.Note("the text of " + label + " has changed: revision " + wanted.sha256.substr(0, 12) +
                 " replaces " + replaced.substr(0, 12) +
                 "; tasks that exist keep the text that they were made from");
  }
  return registered.front().id;
}

class Submit final : public Command {
 public:
  void AddOptions(CLI::App& app) override {
    app.add_option("TEMPLATE", template_, "NAME, NAMESPACE/NAME[@VERSION], or a YAML file")
        ->required();
    app.add_option("--context", submission_.context,
                   "What the task works on: JSON, @FILE, or - for standard input")
        ->option_text("JSON");
    app.add_option("--key", key_,
                   "The same key and template is the same task: the first one's uuid is printed")
        ->option_text("KEY");
    app.add_option("--priority", submission_.priority, "Higher ones are claimed first; default 0")
        ->option_text("N");
    app.add_option("--tag", submission_.envelope.tags,
                   "Kept with the task, for its handlers; may be repeated")
        ->option_text("TAG")
        ->expected(1)
        ->take_all();
    app.add_option("--correlation-id", correlation_,
                   "What the task belongs to, a uuid; default: the task's own")
        ->option_text("UUID");
    app.add_flag("--wait", wait_,
                 "Watch the task until it ends or is blocked, and print its results");
  }

  Result<ExitCode> Run(Session& session) override {
    TRY(const config::Config config, session.LoadConfig());
    std::optional<Client> client;
    TRY(const FoundTemplate found, FindTemplate(template_, config, session, client));
    if (found.warnings > 0) {
      session.Note(found.path + " has " + std::to_string(found.warnings) + " warning(s): see " +
                   session.CommandLine("template validate " + found.path));
    }
    TRY(submission_.context, ReadContext(submission_.context, config.limits.context_max_bytes));
    submission_.envelope.source_system = "tasker-host";
    TRY_OK(ReadCorrelation());
    submission_.key = key_;
    // Before anything is written: a bad context leaves no trace in the store.
    TRY(store::Submit submit,
        pipeline::PrepareSubmit(submission_, found.definition, found.id, config.limits));
    submit.ticket = store::Ticket{1};
    if (!client) {
      TRY(client, OpenClient(config, Missing::kCreate));
    }
    TRY(submit.template_id, Register(found, config, session, *client));
    const Uuid task = submit.task;
    TRY(const store::Ack ack, SendEvent(std::move(submit), "submit the task", *client->store));
    return Answered(ack, task, found, *client, session);
  }

 private:
  Status ReadCorrelation() {
    if (!correlation_) return Ok();
    submission_.envelope.correlation = Uuid::Parse(*correlation_);
    if (submission_.envelope.correlation) return Ok();
    return Invalid("--correlation-id: '" + *correlation_ + "' is no UUID");
  }

  Result<ExitCode> Answered(const store::Ack& ack, Uuid task, const FoundTemplate& found,
                            Client& client, Session& session) {
    const bool duplicate = ack.code == store::Ack::Code::kDuplicate;
    if (duplicate) {
      const std::optional<Uuid> first = Uuid::Parse(ack.detail);
      if (!first)
        return Internal("submit the task: the store names '" + ack.detail +
                        "' as the first with this key");
      task = *first;
      session.Note("a task of " + LabelOf(found.definition) + " with the key '" +
                   key_.value_or("") + "' exists already: this is it");
    } else if (ack.code != store::Ack::Code::kApplied) {
      const auto refused =
          ack.code == store::Ack::Code::kInvalid ? ErrorCode::kInvalid : ErrorCode::kConflict;
      return Error{refused, "submit the task: " + ack.detail};
    }
    if (wait_) return Wait(task, duplicate, client, session);
    if (session.json) {
      session.out.Write(JsonLine({{"task", task.ToString()},
                                  {"template", LabelOf(found.definition)},
                                  {"duplicate", duplicate}}));
    } else {
      session.out.Write(task.ToString() + "\n");
    }
    return ExitCode::kOk;
  }

  static Result<ExitCode> Wait(const Uuid& task, bool duplicate, Client& client, Session& session) {
    if (!session.json) session.out.Write("task " + task.ToString() + "\n");
    const auto mode = session.json ? Progress::Mode::kSilent : Progress::ModeFor(session.out);
    Progress progress(mode, session.out, session.err);
    TRY(const Watched watched, WatchTask(session, client, task, progress));
    if (watched.interrupted) {
      session.Note("the task goes on; look at it with " +
                   session.CommandLine("task show " + task.ToString()));
      return ExitCode::kInterrupted;
    }
    TRY(const std::vector<StepResult> results, ResultsOf(watched.view, *client.reader));
    if (session.json) {
      boost::json::object object = ToJson(watched.view);
      object["duplicate"] = duplicate;
      object["results"] = ToJson(results);
      session.out.Write(JsonLine(object));
    } else {
      session.out.Write(ResultLines(results, session.out.style(),
                                    session.CommandLine("task show " + task.ToString())));
    }
    session.err.Write(FailureLines(watched.view, session.err.style(), session));
    return ExitOf(watched.view.summary.state);
  }

  std::string template_;
  pipeline::Submission submission_;
  std::optional<std::string> key_, correlation_;
  bool wait_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeSubmit() { return std::make_unique<Submit>(); }

}  // namespace tasker::cli
