#include "cli/doctor.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/command.h"
#include "cli/findings_text.h"
#include "cli/json_out.h"
#include "log/log.h"
#include "store/probe.h"

namespace tasker::cli {
namespace {

void LookAtTurn(const config::Config& config, Findings& findings) {
  const auto holder = store::WhoHoldsTurn(config.store.path);
  if (holder && *holder && (*holder)->stopped) {
    const std::string pid = std::to_string((*holder)->pid);
    findings.Error("store",
                   "process " + pid + " is stopped while it writes to " + config.store.path +
                       ", and nobody else can write",
                   "let it go on with `kill -CONT " + pid + "`, or end it with `kill -KILL " + pid +
                       "`; nothing acknowledged is lost");
  }
}

// Nothing where the store cannot be opened: then that is a finding.
std::optional<Client> OpenStore(const config::Config& config, Findings& findings) {
  auto client = OpenClient(config, Missing::kRefuse);
  if (client) {
    findings.Ok("store", "store " + config.store.path + " opens; " + client->store->durability());
    return std::optional<Client>(*std::move(client));
  }
  if (client.error().code == ErrorCode::kNotFound) {
    findings.Ok("store", "there is no store yet at " + config.store.path);
  } else {
    findings.Error("store", client.error().message,
                   "without its store the host does not start; the sentence says what to do");
  }
  return std::nullopt;
}

void LookAtWorkers(Client& client, Findings& findings) {
  const auto workers = client.store->Workers();
  if (!workers) {
    findings.Error("workers", workers.error().message, "check the file with `store verify`");
    return;
  }
  std::int64_t alive = 0;
  for (const store::OpenWorker& worker : *workers) {
    const std::string name =
        "worker " + std::to_string(worker.id) + " (pid " + std::to_string(worker.pid) + ")";
    if (worker.stopped) {
      findings.Warning("workers", name + " is stopped; its steps wait for it",
                       "let it go on with `kill -CONT " + std::to_string(worker.pid) +
                           "`, or end it: then another host takes its steps over");
    } else if (!worker.alive) {
      findings.Warning("workers", name + " is dead and still holds its steps",
                       "start a host: it takes them over");
    }
    alive += worker.alive ? 1 : 0;
  }
  findings.Ok("workers", alive == 1 ? "1 host runs" : std::to_string(alive) + " hosts run");
}

class Doctor final : public Command {
 public:
  void AddOptions(CLI::App&) override {}

  Result<ExitCode> Run(Session& session) override {
    TRY(const config::Config config, session.LoadConfig());
    config::Log log = config.log;
    log.level = config::LogLevel::kError;  // What is wrong is a finding.
    log::Start(log);
    Findings findings;
    LookAtStoreFolder(config, findings);
    LookAtTurn(config, findings);
    std::optional<Client> client = OpenStore(config, findings);
    if (client) {
      LookAtWorkers(*client, findings);
      LookAtClock(*client, findings);
    }
    LookAtHandlers(config, client ? &*client : nullptr, findings);
    LookAtVersions(session, findings);
    session.out.Write(session.json ? JsonLine(ToJson(findings))
                                   : ToText(findings, session.out.style()));
    log::Stop();
    const bool wrong = findings.CountOf(Finding::Severity::kError) > 0;
    return wrong ? ExitCode::kFailed : ExitCode::kOk;
  }
};

}  // namespace

std::unique_ptr<Command> MakeDoctor() { return std::make_unique<Doctor>(); }

}  // namespace tasker::cli
