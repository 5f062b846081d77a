#include <memory>

#include "cli/command.h"
#include "config/load.h"

namespace tasker::cli {
namespace {

class ConfigShow final : public Command {
 public:
  void AddOptions(CLI::App&) override {}

  Result<ExitCode> Run(Session& session) override {
    TRY(const config::Config config, session.LoadConfig());
    session.out.Write(config::Show(config, session.json));
    for (const std::string& notice : config.notices) session.Note(notice);
    return ExitCode::kOk;
  }
};

}  // namespace

std::unique_ptr<Command> MakeConfigShow() { return std::make_unique<ConfigShow>(); }

}  // namespace tasker::cli
