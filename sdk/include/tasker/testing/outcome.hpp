// SPDX-License-Identifier: MIT
//
// What an attempt is given and how it ended, as data; <tasker/testing.hpp> includes it.
#ifndef TASKER_TESTING_OUTCOME_HPP
#define TASKER_TESTING_OUTCOME_HPP

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tasker/json.hpp"
#include "tasker/plugin.h"

namespace tasker::testing {
inline namespace abi1 {

// What an attempt is given beside its handler and context. JSON where said.
struct Given {
  std::map<std::string, std::string> dependencies = {};  // Step name to its result, JSON.
  std::string config = "{}";                             // handler.initialization. JSON.
  std::string checkpoint = {};  // Of an earlier attempt, JSON; empty: none.
  std::string inputs = {};      // A batch worker's cursor; empty: config.
  std::uint32_t attempt = 1, max_attempts = 3, crashes = 0;
  std::int32_t priority = 0;
  std::string resolver = {}, method = {};
  std::string task_namespace = "test", task_name = "test", task_version = "1.0.0";
  std::string step_name = "step", idempotency_key = "test-key", traceparent = {};
  std::string definition = "{}", task_row = "{}", step_row = "{}";  // JSON.
  // Stated in step.deadline_ns. Nobody enforces it here: to see what a timeout does, call cancel.
  std::optional<std::chrono::nanoseconds> timeout = std::nullopt;
  tasker_status checkpoint_answer = TASKER_OK;  // What a good checkpoint is answered.
};

struct LogLine {
  std::int32_t level;  // TASKER_LOG_...
  std::string message;
  std::string fields;  // As given: a JSON object, or empty.
};

struct Heartbeat {
  double progress;  // Negative: unknown.
  std::string note;
};

// How an attempt ended, as the host would store it. `none`: it had not ended when the time was up.
struct Outcome {
  enum class Kind { none, success, failure, yield, hand_back };

  Kind kind = Kind::none;
  std::string result = "null";  // Of a success. JSON.
  std::string events;           // Of a success: a JSON array, or empty.
  bool retryable = true;        // Of a failure, as all below.
  std::string type, message, backtrace, error_code;
  std::int32_t http_status = 0;
  std::string context;  // A JSON object, or empty.
  std::optional<std::chrono::microseconds> retry_after = std::nullopt;
  std::string metadata;  // Of a success or failure: an object, or empty.
  std::optional<std::string> checkpoint = std::nullopt;  // Of a yield; none: keeps the last one.
  std::chrono::microseconds resume_after{0};             // Of a yield.

  // On the way there.
  std::vector<std::string> checkpoints;  // Those that were saved. JSON.
  std::vector<Heartbeat> heartbeats;
  std::vector<LogLine> log;

  bool succeeded() const noexcept { return kind == Kind::success; }
  // The result, to read; valid as long as this.
  Json json() const { return Json(result, "result"); }

  // How it ended, in one line for people.
  std::string say() const {
    switch (kind) {
      case Kind::success:
        return "succeeded: " + result;
      case Kind::failure:
        return (retryable ? "failed, retryable, " : "failed for good, ") + type + ": " + message;
      case Kind::yield:
        return "yielded " + checkpoint.value_or("nothing") + " for " +
               std::to_string(resume_after.count()) + " us";
      case Kind::hand_back:
        return "handed back";
      case Kind::none:
        break;
    }
    return "no end";
  }
};

}  // namespace abi1
}  // namespace tasker::testing

#endif
