#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/findings_text.h"
#include "cli/format.h"
#include "cli/json_out.h"
#include "cli/step_options.h"
#include "log/log.h"
#include "pipeline/plugin_limits.h"
#include "plugin/library_file.h"
#include "trial/behaviour.h"
#include "trial/file_findings.h"

namespace tasker::cli {
namespace {

class PluginCheck final : public Command {
 public:
  void AddOptions(CLI::App& app) override {
    app_ = &app;
    app.add_option("FILE", file_, "The plugin, an .so file")->required();
    step_.AddTo(app, false);
    app.add_option("--patience", patience_s_,
                   "How long its init, a step, its drain or its shutdown may take; default: 10")
        ->option_text("SECONDS")
        ->check(CLI::Range(1, 3600));
    app.add_flag("--strict", strict_, "Warnings are errors");
    app.add_flag("--in-child", in_child_)->group("");
    app.footer(
        "The file is looked at first. If a host would load it, a process of its own loads it and\n"
        "has it init, drain, shut down and init again. No handler is started, since it may have\n"
        "effects, unless --handler names one: then it runs one step to its end, and one that is\n"
        "cancelled.\n"
        "Exit codes: 0 it fits; 1 errors were found, or warnings with --strict; 64 wrong usage;\n"
        "65 a text that is no JSON; 66 no such file.");
  }

  Result<ExitCode> Run(Session& session) override {
    TRY_OK(RefuseStandardInput());
    TRY(const config::Config config, session.LoadConfig());
    trial::Trial trial;
    TRY(trial.file, plugin::ResolveLibrary(file_));
    trial.limits = pipeline::PluginLimitsOf(config.limits);
    trial.patience = std::chrono::seconds(patience_s_);
    if (step_.given()) {
      TRY(trial.step, step_.Read(config));
    }
    if (in_child_) return RunChild(config, std::move(trial));

    Findings findings;
    if (trial::LookAtFile(trial.file, findings)) {
      TRY_OK(trial::ObserveChild(ChildCommand(session), trial.file, trial.patience, findings));
    }
    const auto errors = findings.CountOf(Finding::Severity::kError);
    const auto warnings = findings.CountOf(Finding::Severity::kWarning);
    const bool fits = errors == 0 && (warnings == 0 || !strict_);
    if (session.json) {
      boost::json::object object = ToJson(findings);
      object["file"] = trial.file;
      object["fits"] = fits;
      session.out.Write(JsonLine(object));
    } else {
      session.out.Write(ToText(findings, session.out.style()) +
                        Printable(session.out.style(), trial.file) +
                        (fits ? " fits" : " does not fit") + ": " + Count(errors, "error") + ", " +
                        Count(warnings, "warning") + "\n");
    }
    return fits ? ExitCode::kOk : ExitCode::kFailed;
  }

 private:
  static Result<ExitCode> RunChild(const config::Config& config, trial::Trial trial) {
    config::Log log = config.log;
    log.level = config::LogLevel::kError;  // What is wrong is a finding.
    log::Start(log);
    trial.configs = config.plugins.configs;
    TRY_OK(trial::ConductAsChild(trial));
    log::Stop();
    return ExitCode::kOk;
  }

  // The process of its own reads the texts anew.
  Status RefuseStandardInput() const {
    for (const CLI::Option* const option : app_->get_options()) {
      if (option->results() == std::vector<std::string>{"-"})
        return Invalid("plugin check reads " + option->get_name() +
                       " twice, so not from standard input; pass the text or @FILE");
    }
    return Ok();
  }

  // What was typed, for a process of its own.
  std::vector<std::string> ChildCommand(const Session& session) const {
    std::vector<std::string> command{"/proc/self/exe"};
    if (!session.config_path.empty()) {
      command.insert(command.end(), {"--config", session.config_path});
    }
    command.insert(command.end(), {"plugin", "check", "--in-child"});
    for (const CLI::Option* const option : app_->get_options()) {
      for (const std::string& value : option->results()) {
        if (option->get_name() == "FILE" || option->get_items_expected() == 0) continue;
        command.insert(command.end(), {option->get_name(), value});
      }
    }
    command.insert(command.end(), {"--", file_});
    return command;
  }

  CLI::App* app_ = nullptr;
  std::string file_;
  StepOptions step_;
  int patience_s_ = 10;
  bool strict_ = false;
  bool in_child_ = false;
};

}  // namespace

std::unique_ptr<Command> MakePluginCheck() { return std::make_unique<PluginCheck>(); }

}  // namespace tasker::cli
