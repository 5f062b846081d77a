#include "cli/start_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <utility>

#include "cli/exit_code.h"
#include "log/log.h"

namespace tasker::cli {
namespace {

constexpr int kPatienceMs = 5000;

}  // namespace

Result<std::unique_ptr<StartWatch>> StartWatch::Begin(Signals& signals) {
  UniqueFd done(::eventfd(0, EFD_CLOEXEC));
  if (!done.valid())
    return Internal(std::string("watch for signals during the start: ") + std::strerror(errno));
  return std::unique_ptr<StartWatch>(new StartWatch(std::move(done), signals));
}

StartWatch::StartWatch(UniqueFd done, Signals& signals)
    : done_(std::move(done)), thread_([this, &signals] { Watch(signals); }) {}

StartWatch::~StartWatch() { ::eventfd_write(done_.get(), 1); }

void StartWatch::Watch(Signals& signals) {
  pollfd fds[] = {{done_.get(), POLLIN, 0}, {signals.fd(), POLLIN, 0}};
  while (signal_ == 0) {
    if (::poll(fds, 2, -1) < 0) continue;
    if (fds[0].revents != 0) return;
    const int taken = signals.Take();
    if (taken == SIGINT || taken == SIGTERM) signal_ = taken;  // of SIGUSR1 there is no status yet
  }
  if (::poll(fds, 1, kPatienceMs) != 0) return;
  log::Error("main", std::string(NameOf(signal_)) +
                         " before it was up, and the start does not end: a plugin's init may hang; "
                         "the process ends now");
  log::Stop();
  // Something runs that nobody can end: nothing may be destroyed under it.
  ::_exit(static_cast<int>(ExitCode::kAbandoned));
}

}  // namespace tasker::cli
