#include "workflow/state.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <utility>

namespace tasker::workflow {
namespace {

// The tables of docs/ARCHITECTURE.md, written here a second time: a pair is allowed if and only if
// it stands here.
const std::set<std::pair<std::string, std::string>> kStepMoves = {
    {"pending", "enqueued"},
    {"pending", "in_progress"},
    {"pending", "cancelled"},
    {"pending", "resolved_manually"},
    {"enqueued", "in_progress"},
    {"enqueued", "cancelled"},
    {"enqueued", "resolved_manually"},
    {"in_progress", "complete"},
    {"in_progress", "waiting_for_retry"},
    {"in_progress", "error"},
    {"in_progress", "enqueued"},
    {"in_progress", "cancelled"},
    {"in_progress", "resolved_manually"},
    {"waiting_for_retry", "enqueued"},
    {"waiting_for_retry", "in_progress"},
    {"waiting_for_retry", "cancelled"},
    {"waiting_for_retry", "resolved_manually"},
    {"error", "enqueued"},
    {"error", "cancelled"},
    {"error", "resolved_manually"},
};

const std::set<std::pair<std::string, std::string>> kTaskMoves = {
    {"pending", "steps_in_process"},
    {"pending", "blocked_by_failures"},
    {"pending", "complete"},
    {"pending", "error"},
    {"pending", "cancelled"},
    {"pending", "resolved_manually"},
    {"steps_in_process", "waiting_for_retry"},
    {"steps_in_process", "blocked_by_failures"},
    {"steps_in_process", "complete"},
    {"steps_in_process", "error"},
    {"steps_in_process", "cancelled"},
    {"steps_in_process", "resolved_manually"},
    {"waiting_for_retry", "steps_in_process"},
    {"waiting_for_retry", "blocked_by_failures"},
    {"waiting_for_retry", "complete"},
    {"waiting_for_retry", "error"},
    {"waiting_for_retry", "cancelled"},
    {"waiting_for_retry", "resolved_manually"},
    {"blocked_by_failures", "steps_in_process"},
    {"blocked_by_failures", "complete"},
    {"blocked_by_failures", "error"},
    {"blocked_by_failures", "cancelled"},
    {"blocked_by_failures", "resolved_manually"},
};

template <typename State>
std::set<std::pair<std::string, std::string>> AllowedMoves(int states) {
  std::set<std::pair<std::string, std::string>> moves;
  for (int from = 0; from < states; ++from) {
    for (int to = 0; to < states; ++to) {
      const auto a = static_cast<State>(from);
      const auto b = static_cast<State>(to);
      if (CanMove(a, b)) moves.emplace(Name(a), Name(b));
    }
  }
  return moves;
}

TEST(StepState, MovesExactlyAsTheTableSays) {
  EXPECT_EQ(AllowedMoves<StepState>(kStepStates), kStepMoves);
}

TEST(TaskState, MovesExactlyAsTheTableSays) {
  EXPECT_EQ(AllowedMoves<TaskState>(kTaskStates), kTaskMoves);
}

TEST(StepState, KeepsItsStoredValue) {
  // The indexes of the store name 1, 2 and 3 literally, and rows on disk hold all of them.
  const std::array<std::string_view, kStepStates> names = {
      "pending",  "enqueued", "in_progress", "waiting_for_retry",
      "complete", "error",    "cancelled",   "resolved_manually"};
  for (int i = 0; i < kStepStates; ++i) {
    const auto state = static_cast<StepState>(i);
    EXPECT_EQ(Name(state), names[static_cast<std::size_t>(i)]);
    EXPECT_EQ(StepStateNamed(Name(state)), state);
  }
  EXPECT_EQ(StepStateNamed("steps_in_process"), std::nullopt);
  EXPECT_EQ(StepStateNamed(""), std::nullopt);
}

TEST(TaskState, KeepsItsStoredValue) {
  const std::array<std::string_view, kTaskStates> names = {
      "pending", "steps_in_process", "waiting_for_retry", "blocked_by_failures", "complete",
      "error",   "cancelled",        "resolved_manually"};
  for (int i = 0; i < kTaskStates; ++i) {
    const auto state = static_cast<TaskState>(i);
    EXPECT_EQ(Name(state), names[static_cast<std::size_t>(i)]);
    EXPECT_EQ(TaskStateNamed(Name(state)), state);
  }
  EXPECT_EQ(TaskStateNamed("in_progress"), std::nullopt);
}

TEST(StepState, IsFinalExactlyWhenNothingFollows) {
  for (int i = 0; i < kStepStates; ++i) {
    const auto from = static_cast<StepState>(i);
    bool moves = false;
    for (int to = 0; to < kStepStates; ++to)
      moves = moves || CanMove(from, static_cast<StepState>(to));
    EXPECT_EQ(IsFinal(from), !moves) << Name(from);
  }
}

TEST(TaskState, IsTerminalExactlyWhenNothingFollows) {
  for (int i = 0; i < kTaskStates; ++i) {
    const auto from = static_cast<TaskState>(i);
    bool moves = false;
    for (int to = 0; to < kTaskStates; ++to)
      moves = moves || CanMove(from, static_cast<TaskState>(to));
    EXPECT_EQ(IsTerminal(from), !moves) << Name(from);
    EXPECT_EQ(IsSettled(from), !moves || from == TaskState::kBlockedByFailures) << Name(from);
  }
}

TEST(StepState, SatisfiesItsChildrenOnlyByAResult) {
  for (int i = 0; i < kStepStates; ++i) {
    const auto state = static_cast<StepState>(i);
    EXPECT_EQ(Satisfies(state),
              state == StepState::kComplete || state == StepState::kResolvedManually)
        << Name(state);
    EXPECT_EQ(IsActive(state), state == StepState::kEnqueued || state == StepState::kInProgress ||
                                   state == StepState::kWaitingForRetry)
        << Name(state);
  }
}

}  // namespace
}  // namespace tasker::workflow
