// SPDX-License-Identifier: MIT
//
// How a handler in C++17 says that its attempt failed; <tasker/plugin.hpp> includes it.
#ifndef TASKER_ERROR_HPP
#define TASKER_ERROR_HPP

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

namespace tasker {
inline namespace abi1 {

// How an attempt failed; thrown by a handler, or given to Call::fail. Set what applies first.
class StepError : public std::runtime_error {
 public:
  bool retryable;    // Tried again while attempts are left.
  std::string type;  // A short name, for people and metrics.
  std::string error_code, context,
      metadata;  // The application's own; the last two are JSON objects. May be empty.
  std::int32_t http_status = 0;
  std::chrono::nanoseconds retry_after{
      0};  // Replaces the template's back-off, up to an hour; 0: does not.

 protected:
  StepError(const std::string& message, bool retry, std::string name)
      : std::runtime_error(message), retryable(retry), type(std::move(name)) {}
};

// Trying again would fail again.
class PermanentError : public StepError {
 public:
  explicit PermanentError(const std::string& message) : PermanentError(message, "PermanentError") {}

 protected:
  PermanentError(const std::string& message, std::string name)
      : StepError(message, false, std::move(name)) {}
};

// Trying again may help. Every other exception of a handler counts as one.
class RetryableError : public StepError {
 public:
  explicit RetryableError(const std::string& message, std::chrono::nanoseconds after = {})
      : StepError(message, true, "RetryableError") {
    retry_after = after;
  }
};

// What a handler was given is not what it needs, or what it says is no JSON; the message names the
// value by its path.
class JsonError : public PermanentError {
 public:
  explicit JsonError(const std::string& message) : PermanentError(message, "JsonError") {}
};

}  // namespace abi1
}  // namespace tasker

#endif
