#include "cli/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "base/check.h"

namespace tasker::cli {
namespace {

sigset_t SetOf(std::initializer_list<int> also) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  for (const int signal : also) sigaddset(&set, signal);
  return set;
}

}  // namespace

Result<std::unique_ptr<Signals>> Signals::Open(std::initializer_list<int> also) {
  const sigset_t set = SetOf(also);
  std::unique_ptr<Signals> signals(new Signals);  // NOLINT: the constructor is private
  CHECK(::pthread_sigmask(SIG_BLOCK, &set, &signals->before_) == 0);
  signals->fd_ = UniqueFd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals->fd_.valid())
    return Internal(std::string("watch for signals: ") + std::strerror(errno));
  return signals;
}

Signals::~Signals() { CHECK(::pthread_sigmask(SIG_SETMASK, &before_, nullptr) == 0); }

int Signals::Take() {
  signalfd_siginfo info{};
  return ::read(fd_.get(), &info, sizeof(info)) == sizeof(info) ? static_cast<int>(info.ssi_signo)
                                                                : 0;
}

const char* NameOf(int signal) { return signal == SIGINT ? "SIGINT" : "SIGTERM"; }

}  // namespace tasker::cli
