#include "log/repeats.h"

#include <algorithm>

namespace tasker::log {

RepeatFilter::Verdict RepeatFilter::Admit(Level level, std::string_view module,
                                          std::string_view message, Clock::time_point now) {
  const std::pair key(std::string(module), std::string(message.substr(0, kMessageMax)));
  Verdict verdict;
  auto line = lines_.find(key);
  if (line == lines_.end()) {
    if (lines_.size() >= kMax) verdict.evicted = EvictOldest();
    lines_.emplace(key, Entry{level, now, 0});
  } else if (now - line->second.written < kPeriod) {
    ++line->second.count;
    verdict.write = false;
  } else {
    verdict.repeated = line->second.count;
    line->second = {level, now, 0};
  }
  return verdict;
}

std::vector<Repeated> RepeatFilter::Drain() {
  std::vector<Repeated> rest;
  for (const auto& [key, entry] : lines_) {
    if (entry.count > 0) rest.push_back({entry.level, key.first, key.second, entry.count});
  }
  lines_.clear();
  return rest;
}

std::optional<Repeated> RepeatFilter::EvictOldest() {
  const auto oldest =
      std::ranges::min_element(lines_, {}, [](const auto& line) { return line.second.written; });
  std::optional<Repeated> evicted;
  if (oldest->second.count > 0) {
    evicted = {oldest->second.level, oldest->first.first, oldest->first.second,
               oldest->second.count};
  }
  lines_.erase(oldest);
  return evicted;
}

}  // namespace tasker::log
