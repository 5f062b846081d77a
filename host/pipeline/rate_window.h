#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace tasker::pipeline {

// How much happened within the last second, in steps of 50 ms. Owned by one thread.
class RateWindow final {
 public:
  void Add(Steady now, std::int64_t count);
  std::int64_t LastSecond(Steady now);

 private:
  static constexpr std::int64_t kBuckets = 20;
  static constexpr std::chrono::milliseconds kBucket{50};

  void Advance(Steady now);

  std::array<std::int64_t, kBuckets> counts_{};
  std::int64_t newest_ = 0;  // number of the bucket that `now` lay in
  std::int64_t sum_ = 0;
};

}  // namespace tasker::pipeline
