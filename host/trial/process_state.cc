#include "trial/process_state.h"

#include <pthread.h>
#include <sys/stat.h>

#include <atomic>
#include <charconv>
#include <clocale>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "base/check.h"

namespace tasker::trial {
namespace {

std::atomic<int>& Forks() {
  static std::atomic<int> forks{0};
  return forks;
}

mode_t UmaskNow() {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return mask;
}

}  // namespace

ProcessState ProcessState::Now() {
  ProcessState state;
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action {};
    if (::sigaction(signal, nullptr, &action) != 0) continue;  // The C library keeps it to itself.
    state.handlers_[static_cast<std::size_t>(signal)] = {reinterpret_cast<void*>(action.sa_handler),
                                                         action.sa_flags};
  }
  state.locale_ = std::setlocale(LC_ALL, nullptr);
  std::error_code gone;
  state.folder_ = std::filesystem::current_path(gone).string();
  state.umask_ = UmaskNow();
  return state;
}

std::vector<std::string> ProcessState::DiffersFrom(const ProcessState& later) const {
  std::vector<std::string> differences;
  for (int signal = 1; signal < NSIG; ++signal) {
    const auto i = static_cast<std::size_t>(signal);
    if (handlers_[i] == later.handlers_[i]) continue;
    const char* const name = ::sigabbrev_np(signal);
    differences.push_back("the handler of " + (name == nullptr ? "signal " + std::to_string(signal)
                                                               : "SIG" + std::string(name)));
  }
  if (locale_ != later.locale_)
    differences.push_back("the locale (" + locale_ + ", now " + later.locale_ + ")");
  if (folder_ != later.folder_)
    differences.push_back("the working folder (" + folder_ + ", now " + later.folder_ + ")");
  if (umask_ != later.umask_) differences.emplace_back("the umask");
  return differences;
}

std::set<int> ThreadsNow() {
  std::set<int> threads;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    const std::string name = entry.path().filename().string();
    int thread = 0;
    std::from_chars(name.data(), name.data() + name.size(), thread);
    threads.insert(thread);
  }
  return threads;
}

std::string ThreadName(int thread) {
  std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/comm");
  std::string name;
  std::getline(file, name);
  return name;
}

void CountForks() {
  CHECK(::pthread_atfork([] { ++Forks(); }, nullptr, nullptr) == 0);
}

int ForksSince() { return Forks().load(); }

}  // namespace tasker::trial
