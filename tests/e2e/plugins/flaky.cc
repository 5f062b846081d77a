#include <time.h>

#include <tasker/plugin.hpp>

#include "own_record.h"

// flaky.twice fails in its first two attempts.
TASKER_PLUGIN("flaky", "1.0.0", plugin) {
  auto& record = plugin.keep<tasker::testing::OwnRecord>();
  plugin.handler("flaky.twice", [&record](const tasker_step& step, tasker::Call&) {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const std::string attempt = std::to_string(step.attempt);
    record.Append("flaky " + attempt + " " +
                  std::to_string(now.tv_sec * 1000 + now.tv_nsec / 1'000'000));
    if (step.attempt <= 2) throw tasker::RetryableError("attempt " + attempt + " fails by design");
    return attempt;
  });
}
