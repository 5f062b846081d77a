// SPDX-License-Identifier: MIT
//
// What the host makes of a plugin's structs, in the host's words; <tasker/testing.hpp> includes it.
#ifndef TASKER_TESTING_ENDS_HPP
#define TASKER_TESTING_ENDS_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tasker/json.hpp"
#include "tasker/testing/outcome.hpp"

namespace tasker::testing {
inline namespace abi1 {
namespace detail {

// The defaults of worker.toml's [limits], and the sizes of ABI 1.0.
inline constexpr std::size_t kResultMaxBytes = std::size_t{4} << 20;
inline constexpr std::size_t kCheckpointMaxBytes = std::size_t{1} << 20;
inline constexpr std::size_t kErrorMaxBytes = std::size_t{64} << 10;
inline constexpr int kDepthMax = 64;
inline constexpr std::uint32_t kSuccessSize10 = 104, kFailureSize10 = 152;

inline std::string_view view(tasker_str text) {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.len);
}
inline std::string_view view(const tasker_bytes& bytes) {
  return bytes.data == nullptr ? std::string_view()
                               : std::string_view(static_cast<const char*>(bytes.data), bytes.len);
}
inline tasker_str str(std::string_view text) { return {text.data(), text.size()}; }
inline tasker_bytes bytes(std::string_view text) {
  return {text.data(), text.size(), nullptr, nullptr};
}

inline std::string status_name(tasker_status status) {
  static constexpr const char* kNames[] = {
      "OK",          "E_INTERNAL", "E_INVALID",     "E_UNSUPPORTED", "E_EXISTS", "E_BUSY",
      "E_CANCELLED", "E_STALE",    "E_WRONG_STATE", "E_NOT_FOUND",   "E_TIMEOUT"};
  if (status >= 0 && static_cast<std::size_t>(status) < sizeof kNames / sizeof *kNames) {
    return kNames[status];
  }
  return "status " + std::to_string(status);
}

// UTF-8 of at most so many bytes; what is none becomes U+FFFD.
inline std::string clean(std::string_view text, std::size_t bytes_max) {
  std::string out;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t length = tasker::detail::utf8_length(rest);
    const std::string_view next = length == 0 ? "\xef\xbf\xbd" : rest.substr(0, length);
    if (out.size() + next.size() > bytes_max) {
      return out + "... [cut: " + std::to_string(text.size()) + " bytes, the limit is " +
             std::to_string(bytes_max) + "]";
    }
    out += next;
    rest.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

// As much of a struct as its writer filled, zeroes for the rest.
template <typename T>
T prefix_of(const T& from) {
  T copy{};
  std::memcpy(&copy, &from, std::min<std::size_t>(from.size, sizeof(T)));
  return copy;
}

// Releases moved bytes. True: their release forgot to say so in the struct.
inline bool consume(tasker_bytes* moved) {
  if (moved == nullptr || moved->release == nullptr) return false;
  moved->release(moved);
  const bool forgot = moved->release != nullptr;
  moved->release = nullptr;
  return forgot;
}
inline bool consume(tasker_success* moved) {
  bool forgot = false;
  if (moved == nullptr) return false;
  if (TASKER_HAS(moved, tasker_success, result)) forgot |= consume(&moved->result);
  if (TASKER_HAS(moved, tasker_success, metadata)) forgot |= consume(&moved->metadata);
  if (TASKER_HAS(moved, tasker_success, events)) forgot |= consume(&moved->events);
  return forgot;
}
inline bool consume(tasker_failure* moved) {
  bool forgot = false;
  if (moved == nullptr) return false;
  if (TASKER_HAS(moved, tasker_failure, context)) forgot |= consume(&moved->context);
  if (TASKER_HAS(moved, tasker_failure, metadata)) forgot |= consume(&moved->metadata);
  return forgot;
}

inline Outcome permanent(std::string type, std::string message) {
  Outcome out;
  out.kind = Outcome::Kind::failure;
  out.retryable = false;
  out.type = std::move(type);
  out.message = std::move(message);
  return out;
}

inline char first_of(std::string_view json) { return json[json.find_first_not_of(" \t\r\n")]; }

// One of a success's three texts; a failure when it is unusable. shape: '{', '[' or NUL for any.
inline std::optional<Outcome> read_part(const tasker_bytes& from, const std::string& noun,
                                        char shape, const std::string& handler, std::string& out) {
  const std::string_view text = view(from);
  if (text.empty()) return std::nullopt;
  const std::string subject = "the " + noun + " of handler '" + handler + "' ";
  if (text.size() > kResultMaxBytes) {
    return permanent("ResultTooLarge", subject + "has " + std::to_string(text.size()) +
                                           " bytes, more than limits.result_max_bytes = " +
                                           std::to_string(kResultMaxBytes));
  }
  if (!Json::valid(text, kDepthMax)) return permanent("InvalidResult", subject + "is no JSON");
  if (shape != '\0' && first_of(text) != shape) {
    return permanent("InvalidResult",
                     subject + (shape == '{' ? "is no JSON object" : "is no JSON array"));
  }
  out = text;
  return std::nullopt;
}

// One of a failure's two objects: left out with a notice when it is unusable.
inline void read_extra(const tasker_bytes& from, const std::string& noun, std::string& out,
                       std::string& message) {
  const std::string_view text = view(from);
  std::string why;
  if (text.empty()) return;
  if (text.size() > kErrorMaxBytes) {
    why = "it has more than " + std::to_string(kErrorMaxBytes) + " bytes";
  } else if (!Json::valid(text, kDepthMax)) {
    why = "it is no JSON";
  } else if (first_of(text) != '{') {
    why = "it is no JSON object";
  }
  if (why.empty()) {
    out = text;
  } else {
    message += " [" + noun + " left out: " + why + "]";
  }
}

// Each reads without consuming. Nothing: the struct is NULL or shorter than ABI 1.0's.
inline std::optional<Outcome> read_success(const tasker_success* from, const std::string& handler) {
  if (from == nullptr || from->size < kSuccessSize10) return std::nullopt;
  Outcome out;
  out.kind = Outcome::Kind::success;
  auto broken = read_part(from->result, "result", '\0', handler, out.result);
  if (!broken) broken = read_part(from->metadata, "metadata", '{', handler, out.metadata);
  if (!broken) broken = read_part(from->events, "list of events", '[', handler, out.events);
  return broken ? broken : out;
}

inline std::optional<Outcome> read_failure(const tasker_failure* from) {
  using std::chrono::nanoseconds;
  if (from == nullptr || from->size < kFailureSize10) return std::nullopt;
  Outcome out;
  out.kind = Outcome::Kind::failure;
  out.retryable = from->retryable != 0;
  out.type = clean(view(from->type), kErrorMaxBytes);
  out.message = clean(view(from->message), kErrorMaxBytes);
  out.backtrace = clean(view(from->backtrace), kErrorMaxBytes);
  out.error_code = clean(view(from->error_code), kErrorMaxBytes);
  out.http_status = from->http_status;
  read_extra(from->context, "context", out.context, out.message);
  read_extra(from->metadata, "metadata", out.metadata, out.message);
  if (from->retry_after_ns > 0) {
    out.retry_after = std::chrono::duration_cast<std::chrono::microseconds>(
        std::min<nanoseconds>(nanoseconds(from->retry_after_ns), std::chrono::hours(1)));
  }
  return out;
}

// Why a checkpoint is refused; empty: it is not.
inline std::string checkpoint_defect(std::string_view text, const std::string& handler) {
  const std::string subject = "the checkpoint of handler '" + handler + "' ";
  if (text.size() > kCheckpointMaxBytes) {
    return subject + "has " + std::to_string(text.size()) +
           " bytes, more than limits.checkpoint_max_bytes = " + std::to_string(kCheckpointMaxBytes);
  }
  return Json::valid(text, kDepthMax) ? "" : subject + "is no JSON";
}

inline Outcome read_yield(const tasker_bytes* from_or_null, std::int64_t resume_after_ns,
                          const std::string& handler) {
  Outcome out;
  out.kind = Outcome::Kind::yield;
  out.resume_after = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::nanoseconds(std::max<std::int64_t>(resume_after_ns, 0)));
  const std::string_view text = from_or_null == nullptr ? std::string_view() : view(*from_or_null);
  if (text.empty()) return out;
  if (std::string defect = checkpoint_defect(text, handler); !defect.empty()) {
    return permanent("InvalidCheckpoint", std::move(defect));
  }
  out.checkpoint = std::string(text);
  return out;
}

}  // namespace detail
}  // namespace abi1
}  // namespace tasker::testing

#endif
