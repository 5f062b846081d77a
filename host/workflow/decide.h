#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "workflow/graph.h"
#include "workflow/outcome.h"
#include "workflow/rows.h"

namespace tasker::workflow {

// The orchestrator: what an event makes of a task. Pure: no I/O, no clock, no random numbers; the
// same rows, event, time and seed give the same result. Every transition of a step or task is made
// here and nowhere else.

// A template as the store knows it.
struct Workflow {
  std::int64_t id = 0;
  TaskTemplate definition;
  Graph graph;
  std::vector<std::int64_t> handlers;  // of each step
};

// Events of one task. Texts are borrowed from the turn's input.
struct StepEnd {
  std::int32_t n;
  ClaimId claim;
  const Outcome* outcome;
  Time claimed, started, ended;
};
struct StepCheckpoint {
  std::int32_t n;
  ClaimId claim;
  std::string_view body;
};
struct StepDue {  // its retry time has come
  std::int32_t n;
};
struct TaskStart {};     // its start time has come
struct TaskDeadline {};  // its time is over
struct StepLost {        // its worker died
  std::int32_t n;
  ClaimId claim;
  bool ran;  // the handler had started
  std::string_view reason;
};
struct TaskAct {  // by a person: on one step, or on the task
  enum class Kind : std::int8_t { kCancel = 1, kRetry = 2, kResolve = 3 };
  Kind kind;
  std::optional<std::int32_t> n;
  std::string_view actor, reason, result;
};
using TaskEvent =
    std::variant<StepEnd, StepCheckpoint, StepDue, TaskStart, TaskDeadline, StepLost, TaskAct>;

// What has to be written beside the rows, and what others want to know.
struct AttemptWrite {
  StepKey step;
  ClaimId claim;
  AttemptOutcome outcome;
  std::optional<Time> ready, claimed, started;
  Time ended;
  std::string error;  // JSON; empty: none
};
// An attempt that had ended here has really returned. Where the attempt's row does not say that the
// store ended it (timeout, cancelled), it is nothing to keep.
struct LateWrite {
  StepKey step;
  ClaimId claim;
  std::string late;  // JSON: what it returned
};
struct PayloadWrite {
  StepKey step;
  PayloadKind kind;
  std::string_view body;
};
struct DeadLetter {
  StepKey step;
  std::string_view reason;  // max_attempts_exceeded, permanent_error, poison, worker_lost
  std::string snapshot;     // JSON
};
struct Revocation {
  ClaimId claim;
  enum class Why : std::int8_t { kTimeout, kCancelled, kResolved } why;
};
// Why the claim of a step that is revoked and in this state was.
Revocation::Why WhyRevoked(StepState state);
struct Effects {
  std::vector<AttemptWrite> attempts;
  std::vector<LateWrite> late;
  std::vector<PayloadWrite> payloads;
  std::vector<DeadLetter> dead_letters;
  std::vector<Revocation> revoked;
  std::vector<StepKey> ready;  // became enqueued, in the order of the events
};

// kStale: the claim named is not the step's any more; whether it was this very end is the store's
// to look up.
enum class Verdict { kApplied, kStale, kConflict };
struct Answer {
  Verdict verdict = Verdict::kApplied;
  std::string detail;  // why not, for people
};

struct Policy {
  std::int32_t crash_max = 3;  // deaths of its process until a step is poison
};

// Builds the rows of a new task: roots enqueued, unless `start` lies in the future.
void Create(const Workflow& workflow, TaskRows& rows, std::optional<Time> start, Time now,
            Effects& effects);

// Applies one event. `rows` holds the step that it names and, where Touches says so, more.
Answer Decide(const Workflow& workflow, TaskRows& rows, const TaskEvent& event, Time now,
              std::uint64_t seed, const Policy& policy, Effects& effects);

// The steps that Decide needs for this event, appended to `needed`: the step named, the children
// that it may make ready, or, for an act on the whole task, all.
void Touches(const Workflow& workflow, const TaskEvent& event, std::vector<std::int32_t>& needed);

// A worker takes an enqueued step.
void Claim(TaskRows& rows, std::int32_t n, ClaimId claim, Time now);

}  // namespace tasker::workflow
