#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace tasker {

// What a caller may decide on. People read the message.
enum class ErrorCode {
  kInvalid,       // The input is wrong; sending it again will fail again.
  kNotFound,      // What was named does not exist.
  kConflict,      // It exists, but its state forbids this.
  kUnavailable,   // Not now: try again later.
  kTimeout,       // It took longer than allowed.
  kIncompatible,  // Made for another version.
  kNotApplied,    // A commit that certainly did not happen.
  kUnknown,       // A commit that may have happened; sending it again is safe.
  kInternal,      // A defect or a resource that ran out.
};

// Why something could not be done: what was attempted, on what, and what to do about it.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;

  bool operator==(const Error&) const = default;
};

inline Error Invalid(std::string message) { return {ErrorCode::kInvalid, std::move(message)}; }
inline Error NotFound(std::string message) { return {ErrorCode::kNotFound, std::move(message)}; }
inline Error Conflict(std::string message) { return {ErrorCode::kConflict, std::move(message)}; }
inline Error Unavailable(std::string message) {
  return {ErrorCode::kUnavailable, std::move(message)};
}
inline Error Incompatible(std::string message) {
  return {ErrorCode::kIncompatible, std::move(message)};
}
inline Error Internal(std::string message) { return {ErrorCode::kInternal, std::move(message)}; }

// The error with its place in front: each layer adds its own noun once.
inline Error Prefixed(std::string_view prefix, Error error) {
  error.message.insert(0, ": ").insert(0, prefix);
  return error;
}

}  // namespace tasker
