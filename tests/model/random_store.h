#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/model/reference.h"
#include "tests/support/random_run.h"
#include "tests/support/simulated_hosts.h"

namespace tasker::testing {

// Hosts that do random things to one store, and a Reference beside it that must agree after each
// turn. A turn may fail before or after its commit, and a host may die between any two operations.
class RandomStore final {
 public:
  RandomStore(BackendKind kind, std::uint64_t seed);

  // One turn of some host with random events, or a death, or a start, or a jump in time. Failures
  // are gtest's.
  void Step();
  // Nothing random any more: the dead are buried, everything succeeds, until all is settled.
  void Drain();

  std::uint64_t operations() const { return operations_; }
  const Coverage<workflow::StepState>& step_moves() const { return step_moves_; }
  const Coverage<workflow::TaskState>& task_moves() const { return task_moves_; }

 private:
  struct Held {
    store::StepKey step;
    Time claimed;
    bool started = false;
    bool timed_out = false;  // the store has ended it, and its handler runs on
  };
  struct Process {
    std::unique_ptr<SimulatedStore::Host> host;
    std::map<workflow::ClaimId, Held> held;
    std::vector<store::Event> unsent;  // of a turn that failed: they go again
    bool knows = false;                // its next_due is the store's
    bool lost_reply = false;           // it has to look at the claims that the store has
    std::optional<Time> next_due;
  };
  struct Dead {
    std::int64_t worker = 0;
    std::vector<workflow::ClaimId> running;
  };

  std::int32_t Below(std::int32_t n);
  bool OneIn(std::int32_t n) { return Below(n) == 0; }
  workflow::Workflow RandomWorkflow();
  void StartHost();
  void Kill(std::size_t at);

  std::vector<store::Event> RandomEvents(Process& process);
  store::Event RandomSubmit();
  std::optional<store::Event> RandomEnd(Process& process);
  store::Event RandomAct();
  store::Event RandomPause();
  std::optional<store::Event> RandomBury();
  workflow::Outcome RandomOutcome(bool started);
  void HandBackUnknown(Process& process, std::vector<store::Event>& events);

  void Run(Process& process, std::vector<store::Event> events, std::vector<store::Demand> demand,
           FaultyTx::Fault fault);
  void Applied(Process& process, const std::vector<store::Event>& events, bool looks);
  void CheckAnswers(const store::TurnOutput& out, const Reference::Answers& expected);
  void CheckClaims(Process& process, const store::TurnOutput& out,
                   const std::vector<store::Demand>& demand, bool looks, bool acted);
  void AdoptLostClaims(const Process& process);
  void Compare(const std::string& after);

  std::mt19937_64 random_;
  SimulatedStore store_;
  std::unique_ptr<Reference> reference_;
  Time now_ = FromMicros(1'700'000'000'000'000);
  std::vector<std::unique_ptr<Process>> processes_;  // the first is a client
  std::vector<Dead> dead_;
  std::vector<Uuid> known_tasks_;
  std::vector<store::Event> old_;  // that once went, to be sent again
  std::uint64_t tickets_ = 0;
  std::uint64_t operations_ = 0;
  std::map<store::StepKey, workflow::StepState> steps_before_;
  std::map<std::int64_t, workflow::TaskState> tasks_before_;
  Coverage<workflow::StepState> step_moves_;
  Coverage<workflow::TaskState> task_moves_;
};

}  // namespace tasker::testing
