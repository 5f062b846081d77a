#include "workflow/backoff.h"

#include <algorithm>

namespace tasker::workflow {
namespace {

constexpr std::int64_t kDefaultBaseMs = 1000;
constexpr std::chrono::microseconds kRetryAfterMax = std::chrono::hours(1);

double Fibonacci(std::int32_t n) {
  double previous = 0;
  double current = 1;
  for (std::int32_t i = 1; i < n && current < 1e15; ++i) {
    const double next = previous + current;
    previous = current;
    current = next;
  }
  return current;
}

double Factor(RetryPolicy::Backoff backoff, std::int32_t n) {
  switch (backoff) {
    case RetryPolicy::Backoff::kNone:
      return 0;
    case RetryPolicy::Backoff::kLinear:
      return n;
    case RetryPolicy::Backoff::kExponential:
      return n > 50 ? 1e15 : static_cast<double>(std::int64_t{1} << (n - 1));
    case RetryPolicy::Backoff::kFibonacci:
      return Fibonacci(n);
  }
  return 1;
}

}  // namespace

std::chrono::microseconds RetryDelay(const RetryPolicy& policy, std::int32_t failed,
                                     std::optional<std::chrono::microseconds> retry_after,
                                     std::uint64_t seed) {
  using std::chrono::microseconds;
  if (retry_after) return std::clamp(*retry_after, microseconds(0), kRetryAfterMax);
  const double base_ms = static_cast<double>(policy.base_ms.value_or(kDefaultBaseMs));
  const double capped_ms = std::min(base_ms * Factor(policy.backoff, std::max(failed, 1)),
                                    static_cast<double>(policy.max_ms));
  // splitmix64: neighbouring seeds must not give neighbouring delays, or a crowd retries as a
  // crowd.
  std::uint64_t x = seed + 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  x ^= x >> 31;
  const double unit = static_cast<double>(x >> 11) / static_cast<double>(1ull << 53);
  return microseconds(static_cast<std::int64_t>(capped_ms * 1000 * (0.85 + 0.30 * unit)));
}

}  // namespace tasker::workflow
