#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
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
#include "cli/command.h"
#include "cli/format.h"
#include "cli/signals.h"
#include "log/log.h"
#include "pipeline/host.h"

namespace tasker::cli {
namespace {

const char* NameOf(int signal) { return signal == SIGINT ? "SIGINT" : "SIGTERM"; }

// Returns the signal that came.
int WaitForSignal(Signals& signals) {
  while (true) {
    pollfd fd{signals.fd(), POLLIN, 0};
    ::poll(&fd, 1, -1);
    if (const int signal = signals.Take(); signal != 0) return signal;
  }
}

// While it exists, a further signal hurries the host that another thread stops.
class HurryOnSignal final {
 public:
  static Result<std::unique_ptr<HurryOnSignal>> Start(Signals& signals, pipeline::Host& host) {
    UniqueFd done(::eventfd(0, EFD_CLOEXEC));
    if (!done.valid())
      return Internal(std::string("watch for a second signal: ") + std::strerror(errno));
    return std::unique_ptr<HurryOnSignal>(new HurryOnSignal(std::move(done), signals, host));
  }
  ~HurryOnSignal() { ::eventfd_write(done_.get(), 1); }
  HurryOnSignal(const HurryOnSignal&) = delete;
  HurryOnSignal& operator=(const HurryOnSignal&) = delete;

 private:
  HurryOnSignal(UniqueFd done, Signals& signals, pipeline::Host& host)
      : done_(std::move(done)), thread_([this, &signals, &host] { Watch(signals, host); }) {}

  void Watch(Signals& signals, pipeline::Host& host) {
    while (true) {
      std::array<pollfd, 2> fds{pollfd{signals.fd(), POLLIN, 0}, pollfd{done_.get(), POLLIN, 0}};
      ::poll(fds.data(), fds.size(), -1);
      if ((fds[1].revents & POLLIN) != 0) return;
      if (const int signal = signals.Take(); signal != 0) {
        log::Warning("main",
                     std::string(NameOf(signal)) + " again: what still runs is handed back now");
        host.Hurry();
      }
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
    TRY(const std::unique_ptr<Signals> signals, Signals::Open());
    ::signal(
        SIGPIPE,
        SIG_IGN);  // NOLINT(bugprone-unused-return-value): a closed pipe is an error of write()
    TRY(const config::Config config, session.LoadConfig());
    log::Start(config.log);
    const ExitCode code = Serve(config, *signals);
    log::Stop();
    return code;
  }

 private:
  static ExitCode Serve(const config::Config& config, Signals& signals) {
    log::Info("main", std::string("tasker-host ") + TASKER_VERSION + " starts",
              {{"pid", std::int64_t{::getpid()}},
               {"config", config.file.empty() ? "none" : config.file}});
    for (const std::string& notice : config.notices) log::Info("config", notice);
    auto host = pipeline::Host::Start(config);
    if (!host) {
      log::Error("main", host.error().message);
      return ExitCodeOf(host.error().code);
    }
    const int signal = WaitForSignal(signals);
    log::Info("main",
              std::string(NameOf(signal)) + ": no step is claimed any more; what runs has " +
                  DurationText(config.worker.drain) + " to end; another signal ends it at once");
    return Drain(**host, signals, config.worker.drain);
  }

  static ExitCode Drain(pipeline::Host& host, Signals& signals, std::chrono::milliseconds drain) {
    auto hurry = HurryOnSignal::Start(signals, host);
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
