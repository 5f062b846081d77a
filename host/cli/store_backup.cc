#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/format.h"
#include "cli/json_out.h"
#include "store/backup.h"

namespace tasker::cli {
namespace {

class StoreBackup final : public Command {
 public:
  void AddOptions(CLI::App& app) override {
    app.add_option("file", file_, "The new file; an existing one is not overwritten")
        ->required()
        ->option_text("FILE");
  }

  Result<ExitCode> Run(Session& session) override {
    TRY(const config::Config config, session.LoadConfig());
    TRY(const Client client, OpenClient(config, Missing::kRefuse));
    const std::string file = std::filesystem::absolute(file_).lexically_normal();
    TRY(const store::BackedUp done, store::Backup(*client.store, file));
    if (session.json) {
      session.out.Write(JsonLine({{"file", file}, {"bytes", done.bytes}, {"tasks", done.tasks}}));
    } else {
      session.out.Write(Printable(session.out.style(), file) + ": " + SizeText(done.bytes) + ", " +
                        Count(done.tasks, "task") + "; its pages are whole\n");
    }
    return ExitCode::kOk;
  }

 private:
  std::string file_;
};

}  // namespace

std::unique_ptr<Command> MakeStoreBackup() { return std::make_unique<StoreBackup>(); }

}  // namespace tasker::cli
