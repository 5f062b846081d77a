#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "store/store.h"
#include "store/task_cache.h"
#include "store/tx.h"
#include "workflow/decide.h"

namespace tasker::store {

// Runs turns on one backend: load, decide, save, claim, commit. Knows no SQL and no rule of
// workflows; remembers between turns what spares reads. Used by one thread at a time.
class TurnRunner final {
 public:
  // A template's parsed form by its id. Never called inside a transaction of its own.
  using WorkflowSource =
      std::function<Result<std::shared_ptr<const Workflow>>(std::int64_t template_id)>;
  struct Settings {
    std::int32_t crash_max = 3;
    std::int64_t cache_steps_max = 200'000;
  };

  TurnRunner(Tx& tx, WorkflowSource workflows, const Settings& settings);

  // From now on this process is that worker.
  void BecomeWorker(std::int64_t worker, std::vector<std::string> namespaces);
  // See Store::Commit.
  Result<TurnOutput> Run(const TurnInput& in);
  // Somebody else has committed: nothing that was remembered holds.
  void Forget();
  // Whether the last Run committed something that other processes wait for.
  bool rang() const { return rang_; }

 private:
  // One event of one task, in the order in which they are decided.
  struct Work {
    TaskEntry* entry = nullptr;
    workflow::TaskEvent event;
    Ticket ticket{};
    const Act* act = nullptr;
  };
  // A step that could be claimed.
  struct Candidate {
    StepKey step;
    std::int32_t priority = 0;
    std::int64_t handler = 0;
    std::size_t group = 0;
    bool stored = false;  // from the ready index, else made ready by this turn
    bool suspect = false;

    bool Before(const Candidate& other) const;
  };

  // The transaction of one Run over some of its events.
  Result<TurnOutput> RunOnce(const TurnInput& in, std::span<const Event> events, bool claim);
  Result<TurnOutput> RunHalves(const TurnInput& in, std::span<const Event> events);
  Result<TurnOutput> RunCulprit(const TurnInput& in, const Event& culprit, const Error& error);
  Status InTransaction(const TurnInput& in, std::span<const Event> events, bool claim,
                       TurnOutput& out);
  bool NothingToDo(const TurnInput& in) const;

  // load: events become work, and the rows that it needs are read.
  Status Collect(const TurnInput& in, std::span<const Event> events, TurnOutput& out);
  Status CollectSubmit(const Submit& submit, Time now, TurnOutput& out);
  Status CollectEnd(const End& end);
  Status CollectAct(const Act& act, TurnOutput& out);
  Status CollectBury(const Bury& bury, Time now);
  Status CollectDue(Time now);
  Status ApplyPause(const Pause& pause, Time now, TurnOutput& out);
  TaskEntry& Enter(std::int64_t task);
  Status LoadTasks(std::span<TaskEntry* const> entries);  // each once
  Status LoadSteps(std::span<TaskEntry* const> entries);
  // decide
  Status DecideAll(const TurnInput& in, TurnOutput& out);
  Status DecideOne(const Work& work, const TurnInput& in, TurnOutput& out);
  // claim
  Status ClaimAll(const TurnInput& in, TurnOutput& out);
  std::vector<Candidate> MadeReady(const std::unordered_map<std::int64_t, std::size_t>& groups);
  Status Gather(const TurnInput& in, std::int64_t limit, std::vector<Candidate>& candidates,
                bool& cut);
  std::vector<Candidate> Choose(const TurnInput& in, std::vector<Candidate> candidates);
  Status LoadChosen(std::span<Candidate> chosen);
  Status LoadInputs(std::span<TaskEntry* const> entries);
  void Claim(const Candidate& candidate, const TurnInput& in, TurnOutput& out);
  bool MayHaveMore(const TurnInput& in) const;
  // save
  Status Save(const TurnInput& in, TurnOutput& out);
  void AfterCommit(TurnOutput& out);
  void KeepTexts(TurnOutput& out);
  void KeepPayload(const workflow::PayloadWrite& payload);
  void Reset();
  static void Answer(TurnOutput& out, Ticket ticket, Ack::Code code, std::string detail = {});

  Tx& tx_;
  const WorkflowSource workflows_;
  const workflow::Policy policy_;

  std::int64_t worker_ = 0;
  std::int64_t claims_drawn_ = 0;
  std::vector<std::string> namespaces_;

  // Remembered between turns.
  TaskCache cache_;
  bool fresh_look_ = true;                  // nothing remembered holds
  std::unordered_set<std::int64_t> empty_;  // handlers without enqueued steps in the store
  std::unordered_set<std::int64_t> paused_;
  std::optional<Time> next_due_;
  bool due_known_ = false;
  std::int64_t last_task_id_ = -1;
  int inputs_unasked_ = 0;          // how many more inputs are taken to be large
  std::optional<ClaimId> suspect_;  // the one claim held whose step has lost a process before

  // Of the turn that runs now.
  std::vector<Work> work_;
  std::vector<TaskEntry*> entries_;
  std::unordered_map<std::string, Uuid> identities_;
  workflow::Effects effects_;
  std::vector<Candidate> stored_;  // the head of the ready index
  bool wrote_ = false;
  bool ring_ = false;
  bool dues_changed_ = false;
  bool rang_ = false;

  bool others_committed_ = false;  // since the last turn that succeeded
};

}  // namespace tasker::store
