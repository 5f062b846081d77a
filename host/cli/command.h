#pragma once

#include <memory>

#include "base/result.h"
#include "cli/exit_code.h"
#include "cli/session.h"

namespace CLI {
class App;
}

namespace tasker::cli {

// One subcommand: its options, and what it does. An Error that it returns is printed, and mapped by
// ExitCodeOf.
class Command {
 public:
  virtual ~Command() = default;
  // Binds the options to this object, which outlives `app`.
  virtual void AddOptions(CLI::App& app) = 0;
  virtual Result<ExitCode> Run(Session& session) = 0;
};

// Each in the file of its name, or in the one that is named.
std::unique_ptr<Command> MakeRun();
std::unique_ptr<Command> MakeSubmit();
std::unique_ptr<Command> MakeTaskList();
std::unique_ptr<Command> MakeTaskShow();
std::unique_ptr<Command> MakeTaskExplain();
std::unique_ptr<Command> MakeTaskCancel();   // task_act.cc
std::unique_ptr<Command> MakeTaskRetry();    // task_act.cc
std::unique_ptr<Command> MakeTaskResolve();  // task_act.cc
std::unique_ptr<Command> MakeStepCancel();   // task_act.cc
std::unique_ptr<Command> MakeStepRetry();    // task_act.cc
std::unique_ptr<Command> MakeStepResolve();  // task_act.cc
std::unique_ptr<Command> MakeHandlerList();
std::unique_ptr<Command> MakeHandlerPause();
std::unique_ptr<Command> MakeHandlerResume();  // handler_pause.cc
std::unique_ptr<Command> MakeDlqList();        // dlq.cc
std::unique_ptr<Command> MakeDlqShow();        // dlq.cc
std::unique_ptr<Command> MakeTemplateList();
std::unique_ptr<Command> MakeTemplateShow();
std::unique_ptr<Command> MakeTemplateValidate();
std::unique_ptr<Command> MakePluginList();
std::unique_ptr<Command> MakePluginNew();
std::unique_ptr<Command> MakePluginRun();
std::unique_ptr<Command> MakePluginCheck();
std::unique_ptr<Command> MakeConfigShow();
std::unique_ptr<Command> MakeStatus();
std::unique_ptr<Command> MakeStoreVerify();
std::unique_ptr<Command> MakeStoreStats();
std::unique_ptr<Command> MakeStoreBackup();
std::unique_ptr<Command> MakeStorePrune();
std::unique_ptr<Command> MakeDoctor();
std::unique_ptr<Command> MakeCompletion();
std::unique_ptr<Command> MakeComplete();

}  // namespace tasker::cli
