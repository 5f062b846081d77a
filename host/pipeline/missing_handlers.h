#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/reads.h"

namespace tasker::pipeline {

// Says which handlers enqueued steps wait for in vain. Owned by the turn thread.
class MissingHandlers final {
 public:
  // Asks the store which handlers none of these live workers has, and logs each, at most once a
  // minute.
  Status Look(store::Reader& reader, std::span<const std::int64_t> alive, Steady now);
  // As of the last look.
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<std::string> names_;
  std::map<std::string, Steady> logged_;  // of those missing now
};

}  // namespace tasker::pipeline
