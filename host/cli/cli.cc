#include "cli/cli.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <tasker/version.h>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "workflow/template_fields.h"

namespace tasker::cli {
namespace {

struct Entry {
  const char* group;  // the word before the command's; null: none
  const char* name;
  const char* about;
  std::unique_ptr<Command> (*make)();
};

constexpr std::array kCommands = {
    Entry{nullptr, "run",
          "Run the host in the foreground until SIGTERM (this is what happens without a command)",
          MakeRun},
    Entry{nullptr, "submit",
          "Submit a task; with --wait, watch it to its end and print its results", MakeSubmit},
    Entry{"task", "list", "List tasks, the newest first", MakeTaskList},
    Entry{"task", "show", "Show one task: its steps, timeline, results and errors", MakeTaskShow},
    Entry{"task", "explain", "Say of each step that does not run why it does not", MakeTaskExplain},
    Entry{"task", "cancel", "Cancel a task: what waits never runs, what runs is told to stop",
          MakeTaskCancel},
    Entry{"task", "retry", "Run the failed steps of a task again", MakeTaskRetry},
    Entry{"task", "resolve", "Settle a task by hand: nothing of it runs any more", MakeTaskResolve},
    Entry{"step", "cancel", "Cancel one step; the steps after it can then never run",
          MakeStepCancel},
    Entry{"step", "retry", "Run a failed step again", MakeStepRetry},
    Entry{"step", "resolve", "Settle a step by hand, with a result; the steps after it go on",
          MakeStepResolve},
    Entry{"handler", "list",
          "List handlers: who serves them, what waits for them, which are paused", MakeHandlerList},
    Entry{"handler", "pause", "Let no host claim steps of a handler; what runs goes on",
          MakeHandlerPause},
    Entry{"handler", "resume", "Let steps of a paused handler be claimed again", MakeHandlerResume},
    Entry{"dlq", "list", "List the steps that failed for good and that nobody has dealt with",
          MakeDlqList},
    Entry{"dlq", "show", "Show why a step failed for good", MakeDlqShow},
    Entry{"template", "list", "List the templates of the template folders and of the store",
          MakeTemplateList},
    Entry{"template", "show", "Show one template", MakeTemplateShow},
    Entry{"template", "validate", "Check template files, with the line of all that is wrong",
          MakeTemplateValidate},
    Entry{"plugin", "list", "Load every plugin and list its handlers", MakePluginList},
    Entry{"plugin", "new", "Make a plugin of your own: sources, test and workflow, ready to build",
          MakePluginNew},
    Entry{"plugin", "run", "Run one step of a plugin in this process, without a store, as for gdb",
          MakePluginRun},
    Entry{"plugin", "check",
          "Say whether a plugin fits: its file, then, in a process of its own, how it behaves",
          MakePluginCheck},
    Entry{"config", "show", "Show every setting with its value and where that comes from",
          MakeConfigShow},
    Entry{nullptr, "status", "Show what runs on the store, what waits, and what is missing",
          MakeStatus},
    Entry{nullptr, "doctor",
          "Look at the machine, the plugins and the store, and say how to mend what is wrong",
          MakeDoctor},
    Entry{"store", "verify",
          "Check that all that must hold of the store's rows does, live or at rest",
          MakeStoreVerify},
    Entry{"store", "stats", "Show the store's sizes, rows and oldest tasks", MakeStoreStats},
    Entry{"store", "backup", "Copy the store into a new file, also under running hosts",
          MakeStoreBackup},
    Entry{"store", "prune", "Delete tasks that ended long ago", MakeStorePrune},
    Entry{nullptr, "completion", "Print a shell's completion script, as packages install it",
          MakeCompletion},
    Entry{nullptr, "__complete", "What may follow on the command line", MakeComplete},
};

struct Group {
  const char* name;
  const char* about;
};
constexpr std::array kGroups = {Group{"task", "Look at tasks, and act on them"},
                                Group{"step", "Act on one step of a task"},
                                Group{"handler", "Look at handlers, and pause them"},
                                Group{"dlq", "Look at dead letters"},
                                Group{"template", "Look at task templates"},
                                Group{"plugin", "Look at plugins; make, run and check one"},
                                Group{"config", "Look at the configuration"},
                                Group{"store", "Look after the store"}};

// The command line's grammar, with the commands that it may choose from.
class CommandLine {
 public:
  CommandLine(Session& session)
      : app_("Runs durable workflows whose steps are handlers in plugins.", "tasker-host") {
    app_.require_subcommand(0, 1);
    app_.fallthrough();
    app_.set_version_flag("--version", std::string("tasker-host ") + TASKER_VERSION,
                          "Print the version and exit");
    app_.add_option("--config", session.config_path,
                    "Configuration file; default: TASKER_CONFIG_PATH, else none is needed")
        ->option_text("FILE");
    app_.add_flag("--json", session.json, "Print JSON, for scripts");
    app_.footer(kExitCodesHelp);
    std::map<std::string_view, CLI::App*> groups;
    for (const Entry& entry : kCommands) {
      CLI::App* above = &app_;
      if (entry.group != nullptr) {
        CLI::App*& group = groups[entry.group];
        if (group == nullptr) group = AddGroup(entry.group);
        above = group;
      }
      Choice& choice = choices_.emplace_back();
      choice.app = above->add_subcommand(entry.name, entry.about);
      choice.command = entry.make();
      choice.command->AddOptions(*choice.app);
    }
  }

  // Throws CLI::ParseError.
  Command& Parse(int argc, const char* const* argv) {
    app_.parse(argc, argv);
    for (const Choice& choice : choices_) {
      if (choice.app->parsed()) return *choice.command;
    }
    return *choices_.front().command;
  }

  std::string Help() const { return app_.help(); }
  std::string Version() const { return app_.version() + "\n"; }

  // What a person did wrong, in one sentence.
  std::string Sentence(const CLI::ParseError& error) const {
    std::string chosen;
    const CLI::App* app = &app_;
    while (!app->get_subcommands().empty()) {
      app = app->get_subcommands().front();
      chosen.append(chosen.empty() ? "" : " ").append(app->get_name());
    }
    const std::string help = "; see tasker-host " + chosen + (chosen.empty() ? "" : " ") + "--help";
    const bool leaf = app->get_subcommands([](const CLI::App*) { return true; }).empty();
    const std::vector<std::string> extra = app_.remaining(true);
    const std::string command = chosen + (chosen.empty() ? "" : " ");
    // A word that is not understood is why another one is missing.
    const bool missing = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
    if (!extra.empty() && (missing || dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr)) {
      const std::string& first = extra.front();
      if (first.starts_with('-')) return "there is no option " + first + help;
      if (leaf) return command + "does not take '" + first + "'" + help;
      return "there is no command '" + command + first + "'" + Nearest(*app, first) + help;
    }
    if (!leaf && missing) {
      return chosen + " needs one of its commands: " + Names(*app) + help;
    }
    std::string what = error.what();
    constexpr std::string_view kBadValue = "Could not convert: ";
    if (const std::size_t value = what.find(" = ");
        what.starts_with(kBadValue) && value != std::string::npos) {
      what = what.substr(kBadValue.size(), value - kBadValue.size()) + " does not take '" +
             what.substr(value + 3) + "'";
    }
    return command + what + help;
  }

 private:
  struct Choice {
    std::unique_ptr<Command> command;
    CLI::App* app = nullptr;
  };

  CLI::App* AddGroup(const char* name) {
    const auto* group = std::ranges::find_if(
        kGroups, [&](const Group& g) { return std::strcmp(g.name, name) == 0; });
    CLI::App* app = app_.add_subcommand(name, group->about);
    app->require_subcommand(1);
    return app;
  }

  static std::vector<std::string> NamesOf(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
      names.push_back(sub->get_name());
    return names;
  }
  static std::string Names(const CLI::App& app) {
    std::string text;
    for (const std::string& name : NamesOf(app)) text.append(text.empty() ? "" : ", ").append(name);
    return text;
  }
  static std::string Nearest(const CLI::App& app, std::string_view word) {
    const std::vector<std::string> names = NamesOf(app);
    const std::string_view near = workflow::NearestOf(word, {names.begin(), names.end()});
    return near.empty() ? "" : "; did you mean '" + std::string(near) + "'?";
  }

  std::vector<Choice> choices_;  // Before the app, whose options point into them.
  CLI::App app_;
};

config::Environment EnvironmentOf(const char* const* environment) {
  config::Environment env;
  for (; *environment != nullptr; ++environment) {
    const std::string_view entry = *environment;
    const std::size_t equals = entry.find('=');
    if (equals != std::string_view::npos)
      env.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return env;
}

ExitCode RunCommand(int argc, const char* const* argv, Session& session) {
  const auto fail = [&](const std::string& sentence, ExitCode code) {
    session.err.Write("tasker-host: " + sentence + "\n");
    return code;
  };
  CommandLine line(session);
  Command* command = nullptr;
  try {
    command = &line.Parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    session.out.Write(line.Help());
    return ExitCode::kOk;
  } catch (const CLI::CallForVersion&) {
    session.out.Write(line.Version());
    return ExitCode::kOk;
  } catch (const CLI::ParseError& error) {
    return fail(line.Sentence(error), ExitCode::kUsage);
  }
  const Result<ExitCode> ended = command->Run(session);
  if (!ended) return fail(ended.error().message, ExitCodeOf(ended.error().code));
  return *ended;
}

}  // namespace

int Main(int argc, const char* const* argv, const char* const* environment) {
  const config::Environment env = EnvironmentOf(environment);
  Terminal out(STDOUT_FILENO, env);
  Terminal err(STDERR_FILENO, env);
  Session session{.config_path = {}, .env = env, .json = false, .out = out, .err = err};
  const ExitCode code = RunCommand(argc, argv, session);
  if (const int failure = out.failure(); failure != 0) {
    err.Write(std::string("tasker-host: write the output: ") + std::strerror(failure) + "\n");
    return static_cast<int>(ExitCode::kInternal);
  }
  return static_cast<int>(code);
}

}  // namespace tasker::cli
