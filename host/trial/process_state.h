#pragma once

#include <signal.h>

#include <array>
#include <set>
#include <string>
#include <vector>

namespace tasker::trial {

// What a plugin must leave as it is, since it belongs to the whole process.
class ProcessState final {
 public:
  static ProcessState Now();

  // What differs in `later`, for people: "the handler of SIGTERM", "the locale (C, now de_DE)".
  std::vector<std::string> DiffersFrom(const ProcessState& later) const;

 private:
  struct Handler {
    void* function = nullptr;
    int flags = 0;
    bool operator==(const Handler&) const = default;
  };

  std::array<Handler, NSIG> handlers_;
  std::string locale_, folder_;
  mode_t umask_ = 0;
};

// The threads of this process, by their number.
std::set<int> ThreadsNow();
// A thread's name, for people; empty: it has ended.
std::string ThreadName(int thread);

// How often this process has called fork since CountForks.
void CountForks();
int ForksSince();

}  // namespace tasker::trial
