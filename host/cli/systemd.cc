#include "cli/systemd.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "log/log.h"

namespace tasker::cli {
namespace {

std::optional<std::int64_t> NumberOf(const config::Environment& environment, const char* name) {
  const auto found = environment.find(name);
  if (found == environment.end()) return std::nullopt;
  const std::string& text = found->second;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number <= 0) return std::nullopt;
  return number;
}

}  // namespace

NotifySocket::NotifySocket(const config::Environment& environment) {
  const auto found = environment.find("NOTIFY_SOCKET");
  if (found == environment.end() || found->second.empty()) return;
  address_ = found->second;
  if (address_.front() == '@') address_.front() = '\0';
  socket_ = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto watchdog = NumberOf(environment, "WATCHDOG_USEC");
  const auto watched = NumberOf(environment, "WATCHDOG_PID");
  // Of another process: the variables were inherited.
  if (watchdog && watched.value_or(::getpid()) == ::getpid())
    watch_interval_ = std::chrono::microseconds(*watchdog) / 2;
}

void NotifySocket::Ready(const std::string& status) { Tell("READY=1\nSTATUS=" + status); }
void NotifySocket::Stopping() { Tell("STOPPING=1"); }
void NotifySocket::Alive() { Tell("WATCHDOG=1"); }

void NotifySocket::Tell(const std::string& state) {
  if (address_.empty()) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  int reason = ENAMETOOLONG;
  if (address_.size() < sizeof(to.sun_path)) {
    std::memcpy(to.sun_path, address_.data(), address_.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size() +
                                             (address_.front() == '\0' ? 0 : 1));
    // It does not block: a manager that does not read must not stop the host.
    if (::sendto(socket_.get(), state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                 reinterpret_cast<const sockaddr*>(&to), size) >= 0) {
      return;
    }
    reason = errno;
  }
  if (failed_) return;
  failed_ = true;
  log::Warning("main", std::string("cannot tell the service manager on NOTIFY_SOCKET: ") +
                           std::strerror(reason));
}

}  // namespace tasker::cli
