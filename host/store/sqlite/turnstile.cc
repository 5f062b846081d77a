#include "store/sqlite/turnstile.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "base/check.h"
#include "log/log.h"
#include "store/sqlite/lock_file.h"

namespace tasker::store::sqlite {
namespace {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;

constexpr auto kReportInterval = 1s;
constexpr auto kStopInterval = 5ms;
constexpr auto kRetryInterval = 10ms;

timespec Timespec(std::chrono::nanoseconds duration) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
  return {.tv_sec = seconds.count(), .tv_nsec = (duration - seconds).count()};
}

extern "C" void InterruptWait(int) {}

// A real-time signal that nobody else in this process handles, with the empty handler installed; 0:
// there is none. The disposition itself remembers, so that all turnstiles of the process share one
// signal. The first few are left to applications, which like to take SIGRTMIN.
int InstallSignal() {
  for (int signal = SIGRTMIN + 5; signal <= SIGRTMAX; ++signal) {
    struct sigaction current {};
    if (::sigaction(signal, nullptr, &current) != 0) continue;
    if (current.sa_handler == &InterruptWait) return signal;
    if (current.sa_handler != SIG_DFL) continue;
    struct sigaction wake {};
    wake.sa_handler =
        &InterruptWait;  // without SA_RESTART: the system call that it interrupts returns EINTR
    if (::sigaction(signal, &wake, nullptr) == 0) return signal;
  }
  return 0;
}

// The host's threads block every signal; this one is let through while the thread waits.
class SignalUnblocked final {
 public:
  explicit SignalUnblocked(int signal) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    CHECK(::pthread_sigmask(SIG_UNBLOCK, &set, &before_) == 0);
  }
  ~SignalUnblocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalUnblocked(const SignalUnblocked&) = delete;
  SignalUnblocked& operator=(const SignalUnblocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

// Sends the thread that made it a signal again and again. A signal that comes just before the
// thread sleeps is lost, and the next one is not.
class WakeTimer final {
 public:
  explicit WakeTimer(int signal) {
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = signal;
    event._sigev_un._tid = ::gettid();  // glibc has no name for it before 2.38
    made_ = ::timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0;
    if (made_) Repeat(kReportInterval);
  }
  ~WakeTimer() {
    if (made_) ::timer_delete(timer_);
  }
  WakeTimer(const WakeTimer&) = delete;
  WakeTimer& operator=(const WakeTimer&) = delete;

  bool made() const { return made_; }
  // Any thread.
  void Repeat(std::chrono::nanoseconds interval) {
    itimerspec times{};
    times.it_interval = Timespec(interval);
    times.it_value = times.it_interval;
    CHECK(::timer_settime(timer_, 0, &times, nullptr) == 0);
  }

 private:
  timer_t timer_{};
  bool made_ = false;
};

Result<std::unique_ptr<Turnstile>> Turnstile::Open(const std::string& lock_folder) {
  TRY(UniqueFd next, OpenLockFile(lock_folder, "next"));
  TRY(UniqueFd turn, OpenLockFile(lock_folder, "turn"));
  const int signal = InstallSignal();
  if (signal == 0)
    return Unavailable("cannot wait for turns: every real-time signal of this process is taken");
  return std::unique_ptr<Turnstile>(
      new Turnstile(DatabaseName(lock_folder), std::move(next), std::move(turn), signal));
}

Turnstile::Turnstile(std::string database, UniqueFd next, UniqueFd turn, int signal)
    : database_(std::move(database)),
      next_(std::move(next)),
      turn_(std::move(turn)),
      signal_(signal) {}

Status Turnstile::Enter() {
  CHECK(!inside_.exchange(true));
  came_ = std::chrono::steady_clock::now();
  Status entered = Lock(next_.get());
  if (entered) {
    entered = Lock(turn_.get());
    // Only now: whoever left the turn a moment ago must not overtake this process.
    if (const int error = Unlock(next_.get()); error != 0) {
      log::Error("store",
                 "cannot let the next process queue for " + database_ + ": " + ErrnoText(error));
    }
  }
  if (!entered) inside_ = false;
  return entered;
}

void Turnstile::Leave() {
  CHECK(inside_.exchange(false));
  if (const int error = Unlock(turn_.get()); error != 0) {
    log::Error("store", "cannot end this process's turn in " + database_ + ": " + ErrnoText(error));
  }
}

void Turnstile::StopWaiting() {
  MutexLock lock(mu_);
  stopped_ = true;
  if (timer_ != nullptr) timer_->Repeat(kStopInterval);
}

std::optional<pid_t> Turnstile::Holder() const {
  for (const int fd : {turn_.get(), next_.get()}) {
    const auto blocker = FindBlocker(fd);
    if (blocker && *blocker) return *blocker;
  }
  return std::nullopt;
}

Status Turnstile::Lock(int fd) {
  const int error = TryLock(fd, LockKind::kExclusive);
  if (error == 0) return Ok();
  if (error == EAGAIN) return stopped_ ? Refusal() : WaitFor(fd);
  return Unavailable("cannot lock " + database_ + ": " + ErrnoText(error));
}

Status Turnstile::WaitFor(int fd) {
  const SignalUnblocked unblocked(signal_);
  WakeTimer timer(signal_);
  if (!timer.made())
    return Unavailable("cannot wait for " + database_ + ": no timer: " + ErrnoText(errno));
  {
    MutexLock lock(mu_);
    if (stopped_) return Refusal();
    timer_ = &timer;
  }
  Status locked = WaitUntilLocked(fd);
  MutexLock lock(mu_);
  timer_ = nullptr;
  return locked;
}

Status Turnstile::WaitUntilLocked(int fd) {
  auto report_at = std::chrono::steady_clock::now() + kReportInterval;
  while (true) {
    const int error = WaitForLock(fd, LockKind::kExclusive);
    if (error == 0) return Ok();
    if (error == EDEADLK) {
      // The kernel sees processes, not threads: two that each hold one store and wait for another
      // look like a circle.
      const timespec pause = Timespec(kRetryInterval);
      ::ppoll(nullptr, 0, &pause, nullptr);
    } else if (error != EINTR) {
      return Unavailable("cannot wait for " + database_ + ": " + ErrnoText(error));
    }
    if (stopped_) return Refusal();
    if (std::chrono::steady_clock::now() < report_at) continue;
    report_at += kReportInterval;
    ReportWaiting();
    if (stopped_ || (give_up_ && give_up_(std::chrono::steady_clock::now() - came_)))
      return Refusal();
  }
}

void Turnstile::ReportWaiting() {
  if (const auto holder = Holder()) {
    log::Warning("store", database_ + " is held by " + DescribeProcess(*holder) +
                              ": its turn takes long; if it is stopped, continue or end it");
  }
  if (on_wait_) on_wait_();
}

Error Turnstile::Refusal() const {
  const auto holder = Holder();
  return Unavailable(database_ + " is held by " +
                     (holder ? DescribeProcess(*holder) : "another process") +
                     ", and this process waits for it no longer");
}

}  // namespace tasker::store::sqlite
