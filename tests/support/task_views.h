#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "store/reads.h"
#include "workflow/rows.h"
#include "workflow/state.h"

namespace tasker::testing {

// Tasks as the store's reader would return them, for what shows them.

inline constexpr std::int64_t kViewedAt =
    1'767'323'045'000'000;  // "now" of the views, microseconds

inline Time ViewedAt(std::chrono::milliseconds before = {}) {
  return FromMicros(kViewedAt) - before;
}

inline store::StepView StepOf(std::int32_t n, std::string name, workflow::StepState state,
                              std::vector<std::int32_t> parents) {
  store::StepView step;
  step.row.n = step.row.template_step = n;
  step.row.state = state;
  step.name = std::move(name);
  step.handler = "test." + step.name;
  step.max_attempts = 3;
  step.parents = std::move(parents);
  step.served = true;
  return step;
}

inline store::AttemptView AttemptOf(std::int32_t n, workflow::AttemptOutcome outcome,
                                    std::chrono::milliseconds ran, std::string error = "") {
  store::AttemptView attempt;
  attempt.n = n;
  attempt.claim = store::ClaimId{(std::int64_t{7} << workflow::kClaimWorkerShift) + n + 1};
  attempt.outcome = outcome;
  attempt.ended = ViewedAt(std::chrono::milliseconds(100));
  attempt.claimed = attempt.started = attempt.ended - ran;
  attempt.error = std::move(error);
  return attempt;
}

// parse -> (sizes, graph, names) -> report; sizes is complete, graph runs, names waits for its
// second attempt.
inline store::TaskView AuditView() {
  using workflow::AttemptOutcome;
  using workflow::StepState;
  store::TaskView view;
  view.summary.id = 1;
  view.summary.uuid = *Uuid::Parse("0198c0de-0000-7000-8000-000000000001");
  view.summary.ns = "examples";
  view.summary.name = "audit";
  view.summary.version = "1.0.0";
  view.summary.state = workflow::TaskState::kStepsInProcess;
  view.summary.steps = 5;
  view.summary.open = 3;
  view.summary.created = ViewedAt(std::chrono::milliseconds(1200));
  view.context = R"({"package":"libc6"})";
  view.envelope = R"({"tags":["eu"]})";
  view.steps = {StepOf(0, "parse", StepState::kComplete, {}),
                StepOf(1, "sizes", StepState::kComplete, {0}),
                StepOf(2, "graph", StepState::kInProgress, {0}),
                StepOf(3, "names", StepState::kWaitingForRetry, {0}),
                StepOf(4, "report", StepState::kPending, {1, 2, 3})};
  view.steps[2].row.claimed = ViewedAt(std::chrono::milliseconds(340));
  view.steps[3].row.attempts = 1;
  view.steps[3].row.due = ViewedAt() + std::chrono::milliseconds(2100);
  view.attempts = {AttemptOf(0, AttemptOutcome::kComplete, std::chrono::milliseconds(85)),
                   AttemptOf(1, AttemptOutcome::kComplete, std::chrono::milliseconds(12)),
                   AttemptOf(3, AttemptOutcome::kError, std::chrono::milliseconds(3),
                             R"({"type":"Timeout","message":"no answer","retryable":true})")};
  return view;
}

}  // namespace tasker::testing
