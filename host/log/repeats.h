#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "log/log.h"

namespace tasker::log {

// A line that was left out and has not been counted in another one.
struct Repeated {
  Level level = Level::kWarning;
  std::string module;
  std::string message;
  std::uint64_t count = 0;
};

// Lets the same (module, message) through once a minute and counts the others. Remembers at most
// kMax lines: when another one comes, the one that is longest in the table leaves it. Not
// thread-safe.
class RepeatFilter final {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kPeriod{60};
  static constexpr std::size_t kMax = 256;
  static constexpr std::size_t kMessageMax =
      1024;  // bytes of a message that tell it from another one

  struct Verdict {
    bool write = true;
    std::uint64_t repeated = 0;       // for the line that is written
    std::optional<Repeated> evicted;  // its count would be lost: to be written first
  };
  Verdict Admit(Level level, std::string_view module, std::string_view message,
                Clock::time_point now);

  // What was left out and never counted in a line, for the end. Forgets everything.
  std::vector<Repeated> Drain();

 private:
  struct Entry {
    Level level = Level::kWarning;
    Clock::time_point written;
    std::uint64_t count = 0;
  };
  using Lines = std::map<std::pair<std::string, std::string>, Entry>;

  std::optional<Repeated> EvictOldest();

  Lines lines_;
};

}  // namespace tasker::log
