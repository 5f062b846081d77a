#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/config.h"

namespace tasker::pipeline {

// The operations of tasker.client/1 on a store of which no host runs in this process: it writes
// through the turnstile and never claims. Thread-safe. One store a process: not beside a Host.
class TaskClient final {
 public:
  // Opens the store, creating where there is none.
  static Result<std::unique_ptr<TaskClient>> Open(const config::Config& config);
  ~TaskClient();
  TaskClient(const TaskClient&) = delete;
  TaskClient& operator=(const TaskClient&) = delete;

  Result<std::string> Call(std::string_view operation, std::string_view request);
  // Calls that wait, now and from now on, end within some 100 ms with kUnavailable.
  void StopWaiting();

 private:
  struct State;
  explicit TaskClient(std::unique_ptr<State> state);
  const std::unique_ptr<State> state_;
};

}  // namespace tasker::pipeline
