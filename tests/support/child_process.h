#pragma once

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/unique_fd.h"

namespace tasker::testing {

// One end of a conversation between two processes, a word at a time: the barriers of a test.
class Channel final {
 public:
  explicit Channel(UniqueFd socket) : socket_(std::move(socket)) {}

  // Nobody need listen any more. Words are not empty.
  void Say(std::string_view word) { ::send(socket_.get(), word.data(), word.size(), MSG_NOSIGNAL); }
  // Waits for a word; empty when the other side has ended.
  std::string Hear() {
    std::array<char, 4096> word{};
    ssize_t got = 0;
    do {
      got = ::recv(socket_.get(), word.data(), word.size(), 0);
    } while (got < 0 && errno == EINTR);
    return got > 0 ? std::string(word.data(), static_cast<std::size_t>(got)) : std::string();
  }

 private:
  UniqueFd socket_;
};

// A forked child that runs one function and exits with 0; a CHECK that fails there makes Wait
// return something else. Fork before the test opens what a fork must not share, and while it has
// one thread.
class ChildProcess final {
 public:
  // `body(Channel&)`. The child inherits what is open, but no POSIX lock.
  template <typename Body>
  explicit ChildProcess(Body body) : channel_(UniqueFd()) {
    std::array<int, 2> ends{};
    CHECK(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0);
    UniqueFd ours(ends[0]);
    UniqueFd theirs(ends[1]);
    pid_ = ::fork();
    CHECK(pid_ >= 0);
    if (pid_ == 0) {
      ours.Close();
      Channel channel(std::move(theirs));
      body(channel);
      ::_exit(0);
    }
    channel_ = Channel(std::move(ours));
  }
  ~ChildProcess() { Kill(); }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  void Say(std::string_view word) { channel_.Say(word); }
  std::string Hear() { return channel_.Hear(); }

  // SIGKILL; the process is gone when this returns. Nothing if it was waited for already.
  void Kill() {
    if (reaped_) return;
    ::kill(pid_, SIGKILL);
    Wait();
  }
  // Its exit status, or 128 + the signal that ended it.
  int Wait() {
    int status = 0;
    while (!reaped_) {
      const pid_t got = ::waitpid(pid_, &status, 0);
      CHECK(got == pid_ || errno == EINTR);
      reaped_ = got == pid_;
      exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    return exit_;
  }

 private:
  Channel channel_;
  pid_t pid_ = -1;
  bool reaped_ = false;
  int exit_ = -1;
};

}  // namespace tasker::testing
