#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tasker::workflow {

// The values are stored: append only. The ready, claimed and due indexes name 1, 2 and 3 literally.
enum class StepState : std::int8_t {
  kPending = 0,          // a parent is not done
  kEnqueued = 1,         // ready to be claimed
  kInProgress = 2,       // claimed by a worker
  kWaitingForRetry = 3,  // ready again at its due time
  kComplete = 4,
  kError = 5,  // failed for good; a person may retry it
  kCancelled = 6,
  kResolvedManually = 7,
};
inline constexpr int kStepStates = 8;

enum class TaskState : std::int8_t {
  kPending = 0,  // nothing claimed yet
  kStepsInProcess = 1,
  kWaitingForRetry = 2,    // all that could run waits for its retry
  kBlockedByFailures = 3,  // nothing can run until a person acts
  kComplete = 4,
  kError = 5,  // its deadline passed
  kCancelled = 6,
  kResolvedManually = 7,
};
inline constexpr int kTaskStates = 8;

// The two transition tables; nothing else in the project knows them.
bool CanMove(StepState from, StepState to);
bool CanMove(TaskState from, TaskState to);

// Upstream's names: "in_progress", "blocked_by_failures", ...
std::string_view Name(StepState state);
std::string_view Name(TaskState state);
std::optional<StepState> StepStateNamed(std::string_view name);
std::optional<TaskState> TaskStateNamed(std::string_view name);

// complete, cancelled and resolved_manually: the step never changes again.
bool IsFinal(StepState state);
// complete and resolved_manually: the step's children may run.
bool Satisfies(StepState state);
// enqueued, in_progress and waiting_for_retry: something will still happen by itself.
bool IsActive(StepState state);
// complete, error, cancelled and resolved_manually.
bool IsTerminal(TaskState state);
// Terminal or blocked: nothing more happens without a person.
bool IsSettled(TaskState state);

}  // namespace tasker::workflow
