#include "trial/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/unique_fd.h"

namespace tasker::trial {
namespace {

constexpr std::size_t kOutMaxBytes = 4096;

struct Pipe {
  UniqueFd reader, writer;
};

Result<Pipe> MakePipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return Internal(std::string("make a pipe: ") + std::strerror(errno));
  // The writers stay blocking: they are the child's.
  CHECK(::fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// A pipe's text as it comes.
struct Stream {
  UniqueFd reader;
  std::string& text;
  std::size_t bytes_max;
  bool open = true;

  // Appends what is there.
  void Read() {
    std::array<char, 65536> part{};
    while (open) {
      const ssize_t got = ::read(reader.get(), part.data(), part.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return;
      open = got > 0;
      const std::size_t room = bytes_max - std::min(bytes_max, text.size());
      text.append(part.data(), std::min(room, static_cast<std::size_t>(got)));
    }
  }
  pollfd Awaited() const { return {open ? reader.get() : -1, POLLIN, 0}; }
};

// As exec wants it; the texts stay the caller's.
std::vector<char*> Words(const std::vector<std::string>& texts, char* const* before) {
  std::vector<char*> words;
  for (; before != nullptr && *before != nullptr; ++before) words.push_back(*before);
  for (const std::string& text : texts) words.push_back(const_cast<char*>(text.c_str()));
  words.push_back(nullptr);
  return words;
}

Result<pid_t> Spawn(const std::vector<std::string>& command,
                    const std::vector<std::string>& environment, int out, int report) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  CHECK(::posix_spawn_file_actions_init(&files) == 0);
  CHECK(::posix_spawnattr_init(&attributes) == 0);
  ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, report, kReportFd);
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  const std::vector<char*> argv = Words(command, nullptr);
  const std::vector<char*> env = Words(environment, environ);
  pid_t pid = 0;
  const int failed =
      ::posix_spawn(&pid, command.front().c_str(), &files, &attributes, argv.data(), env.data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  if (failed != 0) return Internal("run " + command.front() + ": " + std::strerror(failed));
  return pid;
}

}  // namespace

Result<ChildEnd> RunChild(const std::vector<std::string>& command, std::chrono::milliseconds limit,
                          const std::vector<std::string>& environment) {
  TRY(Pipe out, MakePipe());
  TRY(Pipe report, MakePipe());
  TRY(const pid_t pid, Spawn(command, environment, out.writer.get(), report.writer.get()));
  out.writer.Close();
  report.writer.Close();
  // The header of glibc 2.36 declares pidfd_open without extern "C".
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  CHECK(process.valid());
  ChildEnd end;
  Stream printed{std::move(out.reader), end.out, kOutMaxBytes};
  Stream reported{std::move(report.reader), end.report, std::string::npos};
  Steady deadline = std::chrono::steady_clock::now() + limit;
  bool ended = false;
  while (!ended && !end.killed) {
    std::array<pollfd, 3> fds{pollfd{process.get(), POLLIN, 0}, printed.Awaited(),
                              reported.Awaited()};
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    ::poll(fds.data(), fds.size(), static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    ended = fds[0].revents != 0;
    const std::size_t before = end.report.size();
    printed.Read();
    reported.Read();
    if (end.report.size() > before) deadline = std::chrono::steady_clock::now() + limit;
    end.killed = !ended && std::chrono::steady_clock::now() >= deadline;
  }
  // The leader is not reaped yet, so that the number of its group is nobody else's.
  ::kill(-pid, SIGKILL);
  CHECK(::waitpid(pid, &end.wait_status, 0) == pid);
  printed.Read();
  reported.Read();
  return end;
}

}  // namespace tasker::trial
