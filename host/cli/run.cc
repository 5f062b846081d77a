#include <sys/eventfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <tasker/version.h>

#include "base/unique_fd.h"
#include "cli/attendant.h"
#include "cli/command.h"
#include "cli/format.h"
#include "cli/signals.h"
#include "cli/start_watch.h"
#include "cli/systemd.h"
#include "log/log.h"
#include "pipeline/host.h"

namespace tasker::cli {
namespace {

// While it exists, a further signal hurries the host that another thread stops.
class HurryOnSignal final {
 public:
  static Result<std::unique_ptr<HurryOnSignal>> Start(Attendant& attendant, pipeline::Host& host) {
    UniqueFd done(::eventfd(0, EFD_CLOEXEC));
    if (!done.valid())
      return Internal(std::string("watch for a second signal: ") + std::strerror(errno));
    return std::unique_ptr<HurryOnSignal>(new HurryOnSignal(std::move(done), attendant, host));
  }
  ~HurryOnSignal() { ::eventfd_write(done_.get(), 1); }
  HurryOnSignal(const HurryOnSignal&) = delete;
  HurryOnSignal& operator=(const HurryOnSignal&) = delete;

 private:
  HurryOnSignal(UniqueFd done, Attendant& attendant, pipeline::Host& host)
      : done_(std::move(done)), thread_([this, &attendant, &host] { Watch(attendant, host); }) {}

  void Watch(Attendant& attendant, pipeline::Host& host) {
    while (const int signal = attendant.Wait(done_.get())) {
      log::Warning("main",
                   std::string(NameOf(signal)) + " again: what still runs is handed back now");
      host.Hurry();
    }
  }

  UniqueFd done_;
  std::jthread thread_;  // Last, so that it joins before the descriptor is closed.
};

class RunHost final : public Command {
 public:
  void AddOptions(CLI::App&) override {}

  Result<ExitCode> Run(Session& session) override {
    // Before there is any other thread: they all inherit the mask.
    TRY(const std::unique_ptr<Signals> signals, Signals::Open({SIGUSR1}));
    ::signal(
        SIGPIPE,
        SIG_IGN);  // NOLINT(bugprone-unused-return-value): a closed pipe is an error of write()
    TRY(const config::Config config, session.LoadConfig());
    log::Start(config.log);
    NotifySocket manager(session.env);
    const ExitCode code = Serve(config, *signals, manager);
    log::Stop();
    return code;
  }

 private:
  static ExitCode Serve(const config::Config& config, Signals& signals, NotifySocket& manager) {
    log::Info("main", std::string("tasker-host ") + TASKER_VERSION + " starts",
              {{"pid", std::int64_t{::getpid()}},
               {"config", config.file.empty() ? "none" : config.file}});
    for (const std::string& notice : config.notices) log::Info("config", notice);
    auto watch = StartWatch::Begin(signals);
    if (!watch) {
      log::Error("main", watch.error().message);
      return ExitCodeOf(watch.error().code);
    }
    auto host = pipeline::Host::Start(config, {}, [&] { return (*watch)->signal() != 0; });
    int signal = (*watch)->signal();
    watch->reset();
    if (!host && signal != 0) {
      log::Info("main", std::string(NameOf(signal)) + " before it was up: " + host.error().message);
      return ExitCode::kOk;
    }
    if (!host) {
      log::Error("main", host.error().message);
      return ExitCodeOf(host.error().code);
    }
    Attendant attendant(signals, **host, manager);
    manager.Ready("worker " + std::to_string((*host)->status().worker) + " runs on " +
                  (*host)->status().store_path);
    if (signal == 0) signal = attendant.Wait(-1);
    manager.Stopping();
    attendant.HostStops();
    log::Info("main",
              std::string(NameOf(signal)) + ": no step is claimed any more; what runs has " +
                  DurationText(config.worker.drain) + " to end; another signal ends it at once");
    return Drain(**host, attendant, config.worker.drain);
  }

  static ExitCode Drain(pipeline::Host& host, Attendant& attendant,
                        std::chrono::milliseconds drain) {
    auto hurry = HurryOnSignal::Start(attendant, host);
    if (!hurry) log::Warning("main", hurry.error().message);
    const Status stopped = host.Stop(std::chrono::steady_clock::now() + drain);
    if (stopped) {
      const pipeline::HostStatus status = host.status();
      log::Info("main", "stopped",
                {{"turns", status.turns},
                 {"commits", status.commits},
                 {"ended", status.ended},
                 {"submitted", status.submitted}});
      return ExitCode::kOk;
    }
    log::Error("main", stopped.error().message);
    if (stopped.error().code != ErrorCode::kTimeout) return ExitCodeOf(stopped.error().code);
    // Handlers run in threads that nobody can end: nothing may be destroyed under them.
    log::Stop();
    ::_exit(static_cast<int>(ExitCode::kAbandoned));
  }
};

}  // namespace

std::unique_ptr<Command> MakeRun() { return std::make_unique<RunHost>(); }

}  // namespace tasker::cli
