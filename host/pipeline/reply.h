#pragma once

#include <optional>

#include "base/mutex.h"
#include "base/result.h"
#include "store/store.h"

namespace tasker::pipeline {

// One caller that waits for the turn thread. It lives on the caller's stack: whoever holds its
// address answers it exactly once, and the caller waits as long as that takes. Thread-safe.
class Reply final {
 public:
  Reply() = default;
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;

  // The object may be gone when it returns.
  void Answer(Result<store::Ack> answer);
  Result<store::Ack> Wait();

 private:
  Mutex mu_;
  CondVar answered_;
  std::optional<Result<store::Ack>> answer_ GUARDED_BY(mu_);
};

}  // namespace tasker::pipeline
