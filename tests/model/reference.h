#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "store/store.h"
#include "tests/support/turn_backend.h"
#include "workflow/decide.h"

namespace tasker::testing {

// What a store should be after each turn: the rules of architecture.md 5 and 7 and of store.md 3,
// said a second time in the plainest way, over whole tasks, without workflow::Decide.
class Reference final {
 public:
  struct Step {
    workflow::StepState state = workflow::StepState::kPending;
    std::int32_t attempts = 0, crashes = 0;
    workflow::ClaimId claim{};
    bool revoked = false;
    // When a retry is due: anywhere between the two, for its jitter is the store's affair.
    std::optional<std::pair<Time, Time>> due;
  };
  struct Task {
    Uuid uuid;
    std::int64_t template_id = 0;
    std::int32_t priority = 0;
    std::optional<std::string> identity;
    std::optional<Time> start, deadline;
    workflow::TaskState state = workflow::TaskState::kPending;
    std::vector<Step> steps;
  };
  struct Attempt {
    workflow::AttemptOutcome outcome{};
    bool late = false;
  };
  // What a turn should answer.
  struct Answers {
    std::map<store::Ticket, store::Ack::Code> acks;
    std::set<workflow::ClaimId> revoked;
    std::set<Uuid> settled;
  };

  Reference(std::map<std::int64_t, const workflow::Workflow*> workflows,
            std::int32_t crashes_allowed)
      : workflows_(std::move(workflows)), crash_max_(crashes_allowed) {}

  const std::map<std::int64_t, Task>& tasks() const { return tasks_; }
  const std::set<std::int64_t>& paused() const { return paused_; }
  std::int64_t HandlerOf(workflow::StepKey key) const;
  const Step& StepAt(workflow::StepKey key) const;

  // The events of one turn, in their order, then burials, then, if the turn looks at the clock,
  // what was due before it.
  Answers Turn(Time now, const std::vector<store::Event>& events, bool looks);
  // Enqueued steps of handlers that are not paused, in the order in which they are to be claimed.
  std::vector<workflow::StepKey> Claimable() const;
  void Claim(workflow::StepKey key, workflow::ClaimId claim);

  // The first thing in which the store differs; empty if there is none. Learns the due times.
  std::string Compare(const StoreSnapshot& store);

 private:
  using Answer = store::Ack::Code;

  Answer Submit(const store::Submit& submit, Time now);
  void End(const store::End& end, Time now);
  void EndHeld(workflow::StepKey key, Task& task, const workflow::Outcome& outcome,
               workflow::ClaimId claim, Time now);
  void Fail(workflow::StepKey key, Task& task, const workflow::Failed& failed, Time now);
  Answer Act(const store::Act& act);
  Answer ActOnStep(const store::Act& act, std::int64_t id, Task& task, std::int32_t n);
  Answer ActOnTask(const store::Act& act, std::int64_t id, Task& task);
  void EndAll(std::int64_t id, Task& task, workflow::TaskState to);
  void Bury(const store::Bury& bury, Time now);
  void Lose(workflow::StepKey key, Task& task, bool ran, Time now);
  void Stop(workflow::StepKey key, Step& step, workflow::StepState to);
  void LeaveError(workflow::StepKey key);
  void BackOff(workflow::StepKey key, Step& step, Time now) const;
  void Release(workflow::StepKey key, Step& step, Time now);
  // What follows from what the steps are: children that may run, and the task's state.
  void Settle(std::int64_t id);

  const workflow::StepDefinition& DefinitionOf(workflow::StepKey key) const;
  std::string CompareTask(std::int64_t id, const StoreSnapshot& store);
  std::string CompareStep(workflow::StepKey key, Step& step, const workflow::StepRow& row) const;

  const std::map<std::int64_t, const workflow::Workflow*> workflows_;
  const std::int32_t crash_max_;
  std::map<std::int64_t, Task> tasks_;
  std::map<std::pair<workflow::StepKey, workflow::ClaimId>, Attempt> attempts_;
  std::map<std::pair<workflow::StepKey, workflow::PayloadKind>, std::string> payloads_;
  std::vector<StoreSnapshot::DeadLetter> dead_letters_;
  std::map<Uuid, std::int32_t> actions_;
  std::set<std::int64_t> paused_, ended_workers_;
  std::set<workflow::ClaimId> revoked_;  // by the turn that runs
};

}  // namespace tasker::testing
