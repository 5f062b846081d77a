#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "plugin/registry.h"
#include "store/reads.h"

namespace tasker::pipeline {

// Says which handlers enqueued steps wait for in vain. Owned by the turn thread.
class MissingHandlers final {
 public:
  explicit MissingHandlers(const plugin::HandlerRegistry& registry) : registry_(registry) {}

  // Asks the store, then the plugins whether one of them can register it, and logs each missing
  // handler, at most once a minute.
  Status Look(store::Reader& reader, std::int64_t worker, Steady now);
  // As of the last look.
  const std::vector<std::string>& names() const { return names_; }

 private:
  const plugin::HandlerRegistry& registry_;
  std::vector<std::string> names_;
  std::map<std::string, Steady> logged_;  // of those missing now
};

}  // namespace tasker::pipeline
