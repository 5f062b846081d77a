// SPDX-License-Identifier: MIT
//
// One attempt of a step, for its handler in C++17; <tasker/plugin.hpp> includes it.
#ifndef TASKER_CALL_HPP
#define TASKER_CALL_HPP

#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "tasker/error.hpp"
#include "tasker/json.hpp"
#include "tasker/json_writer.hpp"
#include "tasker/plugin.h"

namespace tasker {
inline namespace abi1 {

class Plugin;
namespace detail {
struct Entry;
}

inline std::string_view view(tasker_str text) noexcept {
  return {text.len == 0 ? "" : text.data, text.len};
}
inline std::string_view view(const tasker_bytes& bytes) noexcept {
  return {bytes.len == 0 ? "" : static_cast<const char*>(bytes.data), bytes.len};
}

namespace detail {

// What an exception says; only in a catch.
inline std::string thrown() {
  try {
    throw;
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "something that is no std::exception was thrown";
  }
}

inline tasker_str str(std::string_view text) noexcept { return {text.data(), text.size()}; }
// Borrowed for the call that it is given to: the host copies it.
inline tasker_bytes bytes(std::string_view text) noexcept {
  return {text.data(), text.size(), nullptr, nullptr};
}

}  // namespace detail

// The right to end one attempt. Movable, one owner; ending it twice is refused with TASKER_E_STALE,
// letting go of it unended fails the attempt as "tasker.dropped", retryable. Not thread-safe, but
// alive, checkpoint and log, which any thread may call while the Call is neither moved nor
// destroyed.
class Call {
 public:
  Call() noexcept = default;
  Call(Call&& other) noexcept { swap(other); }
  Call& operator=(Call&& other) noexcept {
    Call(std::move(other)).swap(*this);
    return *this;
  }
  ~Call() {
    if (token_ != nullptr) host_->release(token_);
  }

  // False: default-made or moved from.
  explicit operator bool() const noexcept { return token_ != nullptr; }
  // Valid while this, or what it was moved to, lives.
  const tasker_step& step() const noexcept { return *step_; }

  // What the step was given, to read. Each is valid as long as step() is.
  // The task's input.
  Json context() const { return Json(view(step_->context), "context"); }
  // What an earlier step returned, by its name: any ancestor, not only a parent. Missing: there is
  // no such step, or it has no result.
  Json dependency(std::string_view step_name) const { return dependencies()[step_name]["result"]; }
  // All of them, by name: {"success": ..., "result": ..., ...}.
  Json dependencies() const { return Json(view(step_->dependencies), "dependencies"); }
  // The template's handler.initialization.
  Json config() const { return Json(view(step_->config), "config"); }
  // The last checkpoint of this step; missing when there is none.
  Json last_checkpoint() const { return Json(view(step_->checkpoint), "checkpoint"); }
  // A batch worker's cursor.
  Json inputs() const { return Json(view(step_->inputs), "inputs"); }

  // For the ABI's functions and to tell attempts apart in Options::cancel.
  tasker_call* token() const noexcept { return token_; }
  // complete, fail, yield or hand_back was called.
  bool ended() const noexcept { return ended_; }

  // Says that the attempt goes on; false: stop, it was cancelled or has ended. progress: 0 to 1,
  // negative: unknown.
  bool alive(double progress = -1, std::string_view note = {}) noexcept {
    return host_->heartbeat(token_, progress, detail::str(note)) == TASKER_OK;
  }

  // Returns TASKER_OK once the JSON text is durable; a later attempt finds it in step().checkpoint.
  // E_INVALID: no JSON or too large. E_STALE: the attempt has ended. E_BUSY: the host stops.
  [[nodiscard]] tasker_status checkpoint(std::string_view json) noexcept {
    tasker_bytes state = detail::bytes(json);
    return host_->checkpoint(token_, &state);
  }

  // Each ends the attempt: TASKER_OK, or TASKER_E_STALE when it had ended. The texts are JSON: any
  // value, an object, an array of domain events. Empty: null, {}, none.
  tasker_status complete(std::string_view result = {}, std::string_view metadata = {},
                         std::string_view events = {}) noexcept {
    tasker_success success{};
    success.size = sizeof success;
    success.result = detail::bytes(result);
    success.metadata = detail::bytes(metadata);
    success.events = detail::bytes(events);
    ended_ = true;
    return host_->complete(token_, &success);
  }
  tasker_status fail(const StepError& error) noexcept {
    tasker_failure failure{};
    failure.size = sizeof failure;
    failure.retryable = error.retryable ? 1 : 0;
    failure.type = detail::str(error.type);
    failure.message = detail::str(error.what());
    failure.error_code = detail::str(error.error_code);
    failure.http_status = error.http_status;
    failure.context = detail::bytes(error.context);
    failure.metadata = detail::bytes(error.metadata);
    failure.retry_after_ns = error.retry_after.count();
    ended_ = true;
    return host_->fail(token_, &failure);
  }
  // Runs the step again after the delay, uncounted, from this checkpoint; empty keeps the last one.
  tasker_status yield(std::string_view checkpoint_json = {},
                      std::chrono::nanoseconds delay = {}) noexcept {
    tasker_bytes state = detail::bytes(checkpoint_json);
    ended_ = true;
    return host_->yield(token_, &state, delay.count());
  }

  // Gives back an attempt that was taken and never begun, such as one that waits in a queue of the
  // plugin's while it drains: it counts in nothing, and the step is ready again.
  tasker_status hand_back() noexcept {
    ended_ = true;
    return host_->hand_back(token_);
  }

  // One line in the host's log, which adds task, step, attempt and handler. level: TASKER_LOG_...;
  // fields: a JSON object.
  void log(std::int32_t level, std::string_view message,
           std::string_view fields = {}) const noexcept {
    host_->log(record_, token_, level, detail::str(message), detail::str(fields));
  }

 private:
  friend class Plugin;
  friend struct detail::Entry;
  Call(const tasker_host* host, tasker_plugin* record, const tasker_step* step,
       tasker_call* token) noexcept
      : host_(host), record_(record), step_(step), token_(token) {}
  Call another() const noexcept {
    host_->retain(token_);
    return Call(host_, record_, step_, token_);
  }
  void swap(Call& other) noexcept {
    std::swap(host_, other.host_);
    std::swap(record_, other.record_);
    std::swap(step_, other.step_);
    std::swap(token_, other.token_);
    std::swap(ended_, other.ended_);
  }

  const tasker_host* host_ = nullptr;
  tasker_plugin* record_ = nullptr;
  const tasker_step* step_ = nullptr;
  tasker_call* token_ = nullptr;
  bool ended_ = false;
};

}  // namespace abi1
}  // namespace tasker

#endif
