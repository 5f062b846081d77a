#include "workflow/backoff.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>

namespace tasker::workflow {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using Backoff = RetryPolicy::Backoff;

RetryPolicy Policy(Backoff backoff, std::optional<std::int64_t> base_ms,
                   std::int64_t max_ms = 3'600'000) {
  RetryPolicy policy;
  policy.backoff = backoff;
  policy.base_ms = base_ms;
  policy.max_ms = max_ms;
  return policy;
}

struct Range {
  double min_ms, max_ms;
};

// The delays that 2000 seeds give.
Range Delays(const RetryPolicy& policy, std::int32_t failed) {
  Range range{std::numeric_limits<double>::infinity(), 0};
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const double ms =
        static_cast<double>(RetryDelay(policy, failed, std::nullopt, seed).count()) / 1000;
    range.min_ms = std::min(range.min_ms, ms);
    range.max_ms = std::max(range.max_ms, ms);
  }
  return range;
}

// 15 % either way of `ms`, and most of it used.
void ExpectAround(double ms, const RetryPolicy& policy, std::int32_t failed) {
  const Range range = Delays(policy, failed);
  EXPECT_GE(range.min_ms, ms * 0.85 - 0.001) << "after " << failed;
  EXPECT_LE(range.max_ms, ms * 1.15 + 0.001) << "after " << failed;
  EXPECT_LE(range.min_ms, ms * 0.86) << "after " << failed;
  EXPECT_GE(range.max_ms, ms * 1.14) << "after " << failed;
}

TEST(RetryDelay, GrowsAsItsKindSays) {
  const double linear[] = {100, 200, 300, 400, 500, 600};
  const double exponential[] = {100, 200, 400, 800, 1600, 3200};
  const double fibonacci[] = {100, 100, 200, 300, 500, 800};
  for (std::int32_t n = 1; n <= 6; ++n) {
    ExpectAround(linear[n - 1], Policy(Backoff::kLinear, 100), n);
    ExpectAround(exponential[n - 1], Policy(Backoff::kExponential, 100), n);
    ExpectAround(fibonacci[n - 1], Policy(Backoff::kFibonacci, 100), n);
  }
}

TEST(RetryDelay, IsNothingForNoneAndForABaseOfZero) {
  for (const std::int32_t n : {1, 2, 100}) {
    EXPECT_EQ(RetryDelay(Policy(Backoff::kNone, 1000), n, std::nullopt, 7), microseconds(0));
    EXPECT_EQ(RetryDelay(Policy(Backoff::kExponential, 0), n, std::nullopt, 7), microseconds(0));
  }
}

TEST(RetryDelay, TakesASecondWithoutABase) {
  ExpectAround(1000, Policy(Backoff::kLinear, std::nullopt), 1);
}

TEST(RetryDelay, IsCappedHoweverOftenItFailed) {
  for (const Backoff backoff : {Backoff::kLinear, Backoff::kExponential, Backoff::kFibonacci}) {
    for (const std::int32_t n : {40, 63, 64, 65, 1000, std::numeric_limits<std::int32_t>::max()}) {
      ExpectAround(30'000, Policy(backoff, 1000, 30'000), n);
    }
  }
}

TEST(RetryDelay, TreatsNonsenseCountsAsTheFirstFailure) {
  ExpectAround(100, Policy(Backoff::kExponential, 100), 0);
  ExpectAround(100, Policy(Backoff::kExponential, 100), -5);
}

TEST(RetryDelay, FollowsTheHandlersRetryAfterUpToAnHour) {
  const RetryPolicy policy = Policy(Backoff::kExponential, 1000, 30'000);
  EXPECT_EQ(RetryDelay(policy, 3, milliseconds(1234), 1), milliseconds(1234));
  EXPECT_EQ(RetryDelay(policy, 3, microseconds(0), 1), microseconds(0));
  EXPECT_EQ(RetryDelay(policy, 3, hours(5), 1), hours(1));
  EXPECT_EQ(RetryDelay(policy, 3, microseconds::max(), 1), hours(1));
  EXPECT_EQ(RetryDelay(policy, 3, microseconds(-1), 1), microseconds(0));
  EXPECT_EQ(RetryDelay(Policy(Backoff::kNone, 0), 1, milliseconds(70), 1), milliseconds(70));
}

TEST(RetryDelay, DependsOnTheSeedOnly) {
  const RetryPolicy policy = Policy(Backoff::kLinear, 1000);
  EXPECT_EQ(RetryDelay(policy, 2, std::nullopt, 42), RetryDelay(policy, 2, std::nullopt, 42));
  // Neighbouring seeds, as neighbouring steps have them, must not retry as one crowd.
  std::set<microseconds> delays;
  for (std::uint64_t seed = 0; seed < 1000; ++seed)
    delays.insert(RetryDelay(policy, 2, std::nullopt, seed));
  EXPECT_GT(delays.size(), 990u);
}

TEST(RetryPolicy, AllowsAtLeastOneAttempt) {
  RetryPolicy policy;
  EXPECT_EQ(policy.AttemptsAllowed(), 3);
  policy.max_attempts = 0;
  EXPECT_EQ(policy.AttemptsAllowed(), 1);
  policy.max_attempts = 1;
  EXPECT_EQ(policy.AttemptsAllowed(), 1);
}

}  // namespace
}  // namespace tasker::workflow
