#include "workflow/state.h"

#include <array>

namespace tasker::workflow {
namespace {

using S = StepState;
using T = TaskState;

template <typename State>
constexpr std::uint32_t Set(std::initializer_list<State> states) {
  std::uint32_t bits = 0;
  for (const State state : states) bits |= 1u << static_cast<int>(state);
  return bits;
}

// Row: from. Bits: to.
constexpr std::array<std::uint32_t, kStepStates> kStepMoves = {
    /* pending           */ Set(
        {S::kEnqueued, S::kInProgress, S::kCancelled, S::kResolvedManually}),
    /* enqueued          */ Set({S::kInProgress, S::kCancelled, S::kResolvedManually}),
    /* in_progress       */
    Set({S::kComplete, S::kWaitingForRetry, S::kError, S::kEnqueued, S::kCancelled,
         S::kResolvedManually}),
    /* waiting_for_retry */
    Set({S::kEnqueued, S::kInProgress, S::kCancelled, S::kResolvedManually}),
    /* complete          */ 0,
    /* error             */ Set({S::kEnqueued, S::kCancelled, S::kResolvedManually}),
    /* cancelled         */ 0,
    /* resolved_manually */ 0,
};

constexpr std::array<std::uint32_t, kTaskStates> kTaskMoves = {
    /* pending             */
    Set({T::kStepsInProcess, T::kBlockedByFailures, T::kComplete, T::kError, T::kCancelled,
         T::kResolvedManually}),
    /* steps_in_process    */
    Set({T::kWaitingForRetry, T::kBlockedByFailures, T::kComplete, T::kError, T::kCancelled,
         T::kResolvedManually}),
    /* waiting_for_retry   */
    Set({T::kStepsInProcess, T::kBlockedByFailures, T::kComplete, T::kError, T::kCancelled,
         T::kResolvedManually}),
    /* blocked_by_failures */
    Set({T::kStepsInProcess, T::kComplete, T::kError, T::kCancelled, T::kResolvedManually}),
    /* complete            */ 0,
    /* error               */ 0,
    /* cancelled           */ 0,
    /* resolved_manually   */ 0,
};

constexpr std::array<std::string_view, kStepStates> kStepNames = {
    "pending",  "enqueued", "in_progress", "waiting_for_retry",
    "complete", "error",    "cancelled",   "resolved_manually"};
constexpr std::array<std::string_view, kTaskStates> kTaskNames = {
    "pending", "steps_in_process", "waiting_for_retry", "blocked_by_failures", "complete",
    "error",   "cancelled",        "resolved_manually"};

template <typename State, std::size_t N>
std::optional<State> Named(const std::array<std::string_view, N>& names, std::string_view name) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == name) return static_cast<State>(i);
  }
  return std::nullopt;
}

}  // namespace

bool CanMove(StepState from, StepState to) {
  return (kStepMoves[static_cast<std::size_t>(from)] >> static_cast<int>(to) & 1u) != 0;
}

bool CanMove(TaskState from, TaskState to) {
  return (kTaskMoves[static_cast<std::size_t>(from)] >> static_cast<int>(to) & 1u) != 0;
}

std::string_view Name(StepState state) { return kStepNames[static_cast<std::size_t>(state)]; }
std::string_view Name(TaskState state) { return kTaskNames[static_cast<std::size_t>(state)]; }

std::optional<StepState> StepStateNamed(std::string_view name) {
  return Named<StepState>(kStepNames, name);
}

std::optional<TaskState> TaskStateNamed(std::string_view name) {
  return Named<TaskState>(kTaskNames, name);
}

bool IsFinal(StepState state) {
  return state == S::kComplete || state == S::kCancelled || state == S::kResolvedManually;
}

bool Satisfies(StepState state) { return state == S::kComplete || state == S::kResolvedManually; }

bool IsActive(StepState state) {
  return state == S::kEnqueued || state == S::kInProgress || state == S::kWaitingForRetry;
}

bool IsTerminal(TaskState state) { return state >= T::kComplete; }

bool IsSettled(TaskState state) { return IsTerminal(state) || state == T::kBlockedByFailures; }

}  // namespace tasker::workflow
