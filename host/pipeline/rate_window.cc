#include "pipeline/rate_window.h"

#include <algorithm>

namespace tasker::pipeline {

void RateWindow::Add(Steady now, std::int64_t count) {
  Advance(now);
  counts_[static_cast<std::size_t>(newest_ % kBuckets)] += count;
  sum_ += count;
}

std::int64_t RateWindow::LastSecond(Steady now) {
  Advance(now);
  return sum_;
}

void RateWindow::Advance(Steady now) {
  const std::int64_t bucket = now.time_since_epoch() / kBucket;
  if (bucket <= newest_) return;
  for (std::int64_t i = std::max(newest_ + 1, bucket - kBuckets + 1); i <= bucket; ++i) {
    std::int64_t& count = counts_[static_cast<std::size_t>(i % kBuckets)];
    sum_ -= count;
    count = 0;
  }
  newest_ = bucket;
}

}  // namespace tasker::pipeline
