#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace tasker::workflow {

// A template step's `retry` block.
struct RetryPolicy {
  enum class Backoff { kNone, kLinear, kExponential, kFibonacci };

  bool retryable = true;
  std::int32_t max_attempts = 3;  // total tries; 0 counts as 1
  Backoff backoff = Backoff::kExponential;
  std::optional<std::int64_t> base_ms;  // nothing: 1000
  std::int64_t max_ms = 30'000;

  std::int32_t AttemptsAllowed() const { return max_attempts < 1 ? 1 : max_attempts; }
};

// How long to wait before the next try after `failed` failed attempts (>= 1): base x (0 for none, n
// for linear, 2^(n-1) for exponential, fib(n) for fibonacci), capped, then 15 % of jitter either
// way from `seed`. A retry-after asked for by the handler replaces all that, up to one hour.
std::chrono::microseconds RetryDelay(const RetryPolicy& policy, std::int32_t failed,
                                     std::optional<std::chrono::microseconds> retry_after,
                                     std::uint64_t seed);

}  // namespace tasker::workflow
