#include "tests/model/random_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace tasker::testing {
namespace {

using Fault = FaultyTx::Fault;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using store::StepKey;
using workflow::ClaimId;

constexpr std::size_t kTasksMax = 14;
constexpr std::size_t kProcessesMax = 4;
constexpr std::int32_t kTemplates = 4;

}  // namespace

RandomStore::RandomStore(BackendKind kind, std::uint64_t seed)
    : random_(seed), store_(kind, static_cast<std::int32_t>(seed % 3) + 1) {
  std::map<std::int64_t, const workflow::Workflow*> workflows;
  for (std::int32_t i = 0; i < kTemplates; ++i) {
    const std::int64_t id = store_.Add(RandomWorkflow());
    workflows[id] = &store_.WorkflowAt(id);
  }
  reference_ = std::make_unique<Reference>(std::move(workflows), store_.crash_max());
  processes_.push_back(std::make_unique<Process>());
  processes_.front()->host = store_.StartClient();
}

std::int32_t RandomStore::Below(std::int32_t n) {
  return std::uniform_int_distribution<std::int32_t>(0, n - 1)(random_);
}

workflow::Workflow RandomStore::RandomWorkflow() {
  std::vector<std::vector<std::int32_t>> parents(
      static_cast<std::size_t>(Below(OneIn(2) ? 2 : 7) + 1));
  for (std::size_t n = 1; n < parents.size(); ++n) {
    for (std::int32_t parent = 0; parent < static_cast<std::int32_t>(n); ++parent) {
      if (OneIn(3)) parents[n].push_back(parent);
    }
  }
  workflow::RetryPolicy retry;
  retry.max_attempts = Below(5);
  retry.retryable = !OneIn(6);
  retry.backoff = static_cast<workflow::RetryPolicy::Backoff>(Below(4));
  retry.base_ms = Below(9000);
  workflow::Workflow flow = BuildWorkflow(parents, retry);
  if (OneIn(3)) flow.definition.max_duration_minutes = Below(2) + 1;
  return flow;
}

void RandomStore::StartHost() {
  processes_.push_back(std::make_unique<Process>());
  processes_.back()->host = store_.Start();
}

// As its slots would say: what had started and whose end is not committed.
void RandomStore::Kill(std::size_t at) {
  Dead dead;
  dead.worker = processes_[at]->host->worker();
  for (const auto& [claim, held] : processes_[at]->held) {
    if (held.started) dead.running.push_back(claim);
  }
  dead_.push_back(std::move(dead));
  processes_.erase(processes_.begin() + static_cast<std::ptrdiff_t>(at));
}

void RandomStore::Step() {
  ++operations_;
  now_ += OneIn(16) ? microseconds(seconds(Below(40))) : microseconds(Below(500'000));
  if (processes_.size() < 2 || (processes_.size() < kProcessesMax && OneIn(15))) StartHost();
  const std::size_t at =
      static_cast<std::size_t>(Below(static_cast<std::int32_t>(processes_.size())));
  if (at > 0 && OneIn(14)) return Kill(at);
  Process& process = *processes_[at];
  std::vector<store::Event> events = RandomEvents(process);
  constexpr Fault kFaults[] = {Fault::kBegin, Fault::kSave, Fault::kCommit, Fault::kLostReply};
  const Fault fault = OneIn(6) ? kFaults[Below(4)] : Fault::kNone;
  std::vector<store::Demand> demand;
  if (at > 0) {
    demand = SimulatedStore::WantAll(Below(5));
    if (OneIn(3)) {  // Some handlers have a limit of their own, and some are not asked for.
      store::Demand other;
      other.handlers = {101, 103};
      other.free = Below(2);
      std::erase_if(demand[0].handlers, [](std::int64_t handler) {
        return handler == 101 || handler == 103 || handler == 105;
      });
      demand.push_back(std::move(other));
    }
  }
  if (OneIn(2)) {  // As the bell, or the backstop, has it.
    process.host->turns().Forget();
    process.knows = false;
  }
  Run(process, std::move(events), std::move(demand), fault);
  // A host that dies at the very moment of its commit.
  if (at > 0 && fault != Fault::kNone && OneIn(3)) Kill(at);
}

std::vector<store::Event> RandomStore::RandomEvents(Process& process) {
  std::vector<store::Event> events = std::move(process.unsent);
  process.unsent.clear();
  if (process.lost_reply) HandBackUnknown(process, events);
  for (auto& [claim, held] : process.held) {
    if (OneIn(2)) held.started = true;
  }
  for (std::int32_t i = Below(4); i > 0; --i) {
    ++operations_;
    std::optional<store::Event> event;
    switch (Below(16)) {
      case 0:
      case 1:
      case 2:
        event = RandomSubmit();
        break;
      case 3:
      case 4:
      case 8:
        if (!known_tasks_.empty()) event = RandomAct();
        break;
      case 5:
        if (OneIn(2)) event = RandomPause();
        break;
      case 6:
        if (!old_.empty()) {
          event = old_[static_cast<std::size_t>(Below(static_cast<std::int32_t>(old_.size())))];
        }
        break;
      case 7:
        if (process.host->worker() != 0) event = RandomBury();
        break;
      default:
        event = RandomEnd(process);
    }
    if (event) events.push_back(*std::move(event));
  }
  return events;
}

store::Event RandomStore::RandomSubmit() {
  store::Submit submit;
  submit.ticket = store::Ticket{++tickets_};
  submit.task = Uuid::New();
  submit.template_id = Below(kTemplates) + 1;
  submit.priority = Below(3);
  if (OneIn(4)) submit.identity = "identity " + std::to_string(Below(3));
  if (OneIn(5)) submit.start_at = now_ + seconds(Below(30));
  // Enough tasks: the same one once more.
  if (known_tasks_.size() >= kTasksMax) submit.task = known_tasks_.front();
  return submit;
}

workflow::Outcome RandomStore::RandomOutcome(bool started) {
  if (!started) return workflow::HandedBack{};
  workflow::Failed failed;
  failed.type = "io";
  failed.message = "no route";
  switch (Below(10)) {
    case 9:
      return workflow::TimedOut{.idempotent = OneIn(3)};
    case 0:
      failed.retryable = false;
      return failed;
    case 1:
      failed.retry_after = milliseconds(Below(20'000));
      return failed;
    case 2:
      return failed;
    case 3:
      return workflow::Yielded{
          .checkpoint = OneIn(2) ? std::optional<std::string>("3") : std::nullopt,
          .resume_after = milliseconds(Below(2) * Below(20'000))};
    case 4:
      return workflow::HandedBack{.started = true};
    default: {
      workflow::Succeeded succeeded;
      succeeded.result = std::to_string(Below(100));
      return succeeded;
    }
  }
}

// The end, or a checkpoint, of a claim that the process holds.
std::optional<store::Event> RandomStore::RandomEnd(Process& process) {
  if (process.held.empty()) return std::nullopt;
  auto at = process.held.begin();
  std::advance(at, Below(static_cast<std::int32_t>(process.held.size())));
  const auto& claim = at->first;
  const auto& held = at->second;
  const bool ended = std::ranges::any_of(process.unsent, [&](const store::Event& event) {
    const auto* end = std::get_if<store::End>(&event);
    return end != nullptr && end->claim == claim;
  });
  if (ended) return std::nullopt;
  if (held.timed_out && !OneIn(3)) return std::nullopt;
  if (held.started && OneIn(5)) {
    return store::Checkpoint{.ticket = store::Ticket{++tickets_},
                             .step = held.step,
                             .claim = claim,
                             .body = std::to_string(Below(100))};
  }
  workflow::Outcome outcome = RandomOutcome(held.started);
  if (held.timed_out && std::holds_alternative<workflow::TimedOut>(outcome)) return std::nullopt;
  return store::End{.step = held.step,
                    .claim = claim,
                    .outcome = std::move(outcome),
                    .claimed = held.claimed,
                    .started = held.started ? now_ : Time{},
                    .ended = now_};
}

store::Event RandomStore::RandomAct() {
  store::Act act;
  act.ticket = store::Ticket{++tickets_};
  act.id = Uuid::New();
  act.task = OneIn(30) ? Uuid::New()
                       : known_tasks_[static_cast<std::size_t>(
                             Below(static_cast<std::int32_t>(known_tasks_.size())))];
  act.kind = static_cast<store::Act::Kind>(Below(3) + 1);
  act.actor = "ann";
  act.reason = "because";
  if (OneIn(2)) act.result = "7";
  // Most steps of most tasks are not what an act is for: look for one that is. An act on a whole
  // task ends it: seldom.
  using S = workflow::StepState;
  using T = workflow::TaskState;
  constexpr S kSteps[] = {S::kPending,         S::kEnqueued, S::kInProgress, S::kWaitingForRetry,
                          S::kWaitingForRetry, S::kError,    S::kError,      S::kComplete};
  constexpr T kTasks[] = {T::kPending,         T::kStepsInProcess,    T::kWaitingForRetry,
                          T::kWaitingForRetry, T::kBlockedByFailures, T::kBlockedByFailures,
                          T::kComplete,        T::kCancelled};
  const S wanted_step = kSteps[Below(8)];
  const T wanted_task = kTasks[Below(8)];
  if (wanted_step != S::kError && act.kind == store::Act::Kind::kRetry && OneIn(2)) {
    act.kind = OneIn(2) ? store::Act::Kind::kCancel : store::Act::Kind::kResolve;
  }
  const bool whole = OneIn(5);
  for (const auto& [id, task] : reference_->tasks()) {
    if (OneIn(3)) continue;
    if (whole && task.state == wanted_task) act.task = task.uuid;
    for (std::size_t n = 0; n < task.steps.size() && !whole; ++n) {
      if (task.steps[n].state != wanted_step || !OneIn(2)) continue;
      act.task = task.uuid;
      act.n = static_cast<std::int32_t>(n);
    }
  }
  if (!whole && !act.n) act.n = Below(8);
  return act;
}

store::Event RandomStore::RandomPause() {
  return store::Pause{.ticket = store::Ticket{++tickets_},
                      .id = Uuid::New(),
                      .handler = 100 + Below(7),
                      .paused = OneIn(3),
                      .actor = "ann",
                      .reason = "because"};
}

std::optional<store::Event> RandomStore::RandomBury() {
  if (dead_.empty()) return std::nullopt;
  // Stays among the dead: two hosts may find the same one.
  const Dead& dead =
      dead_[static_cast<std::size_t>(Below(static_cast<std::int32_t>(dead_.size())))];
  return store::Bury{.worker = dead.worker, .reason = "gone", .running = dead.running};
}

// After a lost reply: claims that the store has and no place holds.
void RandomStore::HandBackUnknown(Process& process, std::vector<store::Event>& events) {
  process.lost_reply = false;
  store::Tx& tx = process.host->tx();
  ASSERT_TRUE(tx.Begin());
  const auto claims = tx.Claims(process.host->worker());
  tx.Rollback();
  ASSERT_TRUE(claims);
  for (const store::HeldClaim& held : *claims) {
    if (process.held.contains(held.claim)) continue;
    process.held[held.claim] = {.step = held.step, .claimed = now_, .started = false};
    events.push_back(store::End{.step = held.step,
                                .claim = held.claim,
                                .outcome = workflow::HandedBack{},
                                .claimed = now_,
                                .started = Time{},
                                .ended = now_});
  }
}

void RandomStore::Run(Process& process, std::vector<store::Event> events,
                      std::vector<store::Demand> demand, Fault fault) {
  process.host->Fail(fault);
  const bool due = process.knows && process.next_due && *process.next_due <= now_;
  auto out = process.host->Turn(now_, events, demand, random_());
  process.host->Fail(Fault::kNone);
  if (!out) {
    process.knows = false;
    EXPECT_NE(fault, Fault::kNone) << out.error().message;
    if (out.error().code == ErrorCode::kUnknown) {
      EXPECT_EQ(fault, Fault::kLostReply);
      Applied(process, events, true);
      AdoptLostClaims(process);
      process.lost_reply = process.host->worker() != 0;
    }
    process.unsent = std::move(events);
    return Compare("a turn that failed by fault " + std::to_string(static_cast<int>(fault)));
  }
  // Without any event, a host that was told of nothing need not look.
  const bool looks = !events.empty() || !process.knows || due || out->committed;
  const Reference::Answers expected = reference_->Turn(now_, events, looks);
  Applied(process, events, false);
  CheckAnswers(*out, expected);
  // Steps that were ready at the turn's start, and that the turn itself has ended.
  const bool acted =
      !expected.settled.empty() || std::ranges::any_of(events, [](const store::Event& event) {
        return std::holds_alternative<store::Act>(event);
      });
  CheckClaims(process, *out, demand, looks, acted);
  process.knows = true;
  process.next_due = out->next_due;
  Compare("a turn of worker " + std::to_string(process.host->worker()));
}

// Places are free, and what went is old.
void RandomStore::Applied(Process& process, const std::vector<store::Event>& events, bool unknown) {
  if (unknown) reference_->Turn(now_, events, true);
  for (const store::Event& event : events) {
    const auto* end = std::get_if<store::End>(&event);
    if (end != nullptr && std::holds_alternative<workflow::TimedOut>(end->outcome)) {
      // Its handler runs on: the end that follows is what it returns.
      const auto held = process.held.find(end->claim);
      if (held != process.held.end()) held->second.timed_out = true;
    } else if (end != nullptr) {
      process.held.erase(end->claim);
    }
    if (const auto* submit = std::get_if<store::Submit>(&event)) {
      const bool there = std::ranges::any_of(reference_->tasks(), [&](const auto& known) {
        return known.second.uuid == submit->task;
      });
      if (there && std::ranges::find(known_tasks_, submit->task) == known_tasks_.end()) {
        known_tasks_.push_back(submit->task);
      }
    }
    if (!std::holds_alternative<store::Bury>(event)) old_.push_back(event);
  }
  if (old_.size() > 40) old_.erase(old_.begin(), old_.begin() + 20);
}

void RandomStore::CheckAnswers(const store::TurnOutput& out, const Reference::Answers& expected) {
  std::map<store::Ticket, store::Ack::Code> acks;
  for (const store::Ack& ack : out.acks) {
    // The same item twice in one turn: the last word counts on both sides.
    acks[ack.ticket] = ack.code;
  }
  EXPECT_EQ(acks.size(), expected.acks.size());
  for (const auto& [ticket, code] : expected.acks) {
    const auto at = acks.find(ticket);
    ASSERT_NE(at, acks.end()) << "nobody answered ticket " << static_cast<std::uint64_t>(ticket);
    EXPECT_EQ(at->second, code) << "ticket " << static_cast<std::uint64_t>(ticket);
  }
  std::set<ClaimId> revoked;
  for (const workflow::Revocation& each : out.revoked) revoked.insert(each.claim);
  EXPECT_EQ(revoked, expected.revoked);
  std::set<Uuid> settled;
  for (const store::Settled& each : out.settled) settled.insert(each.task);
  EXPECT_EQ(settled, expected.settled);
}

// What was claimed is what comes first of what may be claimed. Steps that lost a process before are
// left out of the order: only one of them at a time may run here.
void RandomStore::CheckClaims(Process& process, const store::TurnOutput& out,
                              const std::vector<store::Demand>& demand, bool looks, bool acted) {
  std::int32_t left = 0;
  std::vector<std::int32_t> free;
  std::map<std::int64_t, std::size_t> groups;
  for (std::size_t i = 0; i < demand.size(); ++i) {
    left += demand[i].free;
    free.push_back(demand[i].free);
    for (const std::int64_t handler : demand[i].handlers) groups[handler] = i;
  }
  std::vector<StepKey> expected;
  std::size_t suspects = 0;
  for (const StepKey key : reference_->Claimable()) {
    const auto group = groups.find(reference_->HandlerOf(key));
    if (group == groups.end() || left == 0 || free[group->second] == 0) continue;
    suspects += reference_->StepAt(key).crashes > 0 ? 1 : 0;
    --left;
    --free[group->second];
    expected.push_back(key);
  }
  std::vector<StepKey> claimed;
  for (const store::Claimed& each : out.claimed) claimed.push_back(each.step);
  // The head of the index may name steps that this very turn has ended: their places stay
  // free for one turn.
  if (suspects == 0 && !acted && (looks || !claimed.empty())) {
    EXPECT_EQ(claimed, expected) << "operation " << operations_;
  } else if (looks && claimed.size() < expected.size()) {
    EXPECT_TRUE(out.more_ready) << "operation " << operations_;
  }
  const std::vector<StepKey> claimable = reference_->Claimable();
  for (const store::Claimed& each : out.claimed) {
    const auto at = std::ranges::find(claimable, each.step);
    ASSERT_NE(at, claimable.end()) << "a step was claimed that is not to be claimed";
    EXPECT_TRUE(groups.contains(each.handler)) << "nobody here asked for it";
    EXPECT_EQ(each.handler, reference_->HandlerOf(each.step));
    EXPECT_EQ(each.attempt, reference_->StepAt(each.step).attempts + 1);
    EXPECT_EQ(workflow::WorkerOf(each.claim), process.host->worker());
    reference_->Claim(each.step, each.claim);
    process.held[each.claim] = {.step = each.step, .claimed = now_, .started = false};
  }
  const auto runs_apart = std::ranges::count_if(process.held, [this](const auto& held) {
    return reference_->StepAt(held.second.step).crashes > 0 &&
           reference_->StepAt(held.second.step).claim == held.first;
  });
  EXPECT_LE(runs_apart, 1) << "two steps that lost a process before run in one process";
}

// Claims of a turn whose reply was lost are only in the store.
void RandomStore::AdoptLostClaims(const Process& process) {
  for (const auto& [key, row] : store_.backend().Read().steps) {
    if (row.state != workflow::StepState::kInProgress) continue;
    if (workflow::WorkerOf(row.claim) != process.host->worker()) continue;
    if (reference_->StepAt(key).claim == row.claim) continue;
    const std::vector<StepKey> claimable = reference_->Claimable();
    ASSERT_NE(std::ranges::find(claimable, key), claimable.end());
    reference_->Claim(key, row.claim);
  }
}

void RandomStore::Compare(const std::string& after) {
  const StoreSnapshot rows = store_.backend().Read();
  EXPECT_EQ(reference_->Compare(rows), "") << "after " << after << ", operation " << operations_;
  for (const auto& [key, row] : rows.steps) {
    const auto [before, fresh] = steps_before_.try_emplace(key, workflow::StepState::kPending);
    step_moves_.Add(before->second, row.state);
    before->second = row.state;
  }
  for (const auto& [id, task] : rows.tasks) {
    const auto [before, fresh] = tasks_before_.try_emplace(id, workflow::TaskState::kPending);
    task_moves_.Add(before->second, task.state);
    before->second = task.state;
  }
}

void RandomStore::Drain() {
  if (processes_.size() < 2) StartHost();
  Process& last = *processes_.back();
  for (const auto& process : processes_) {
    Run(*process, std::exchange(process->unsent, {}), {}, Fault::kNone);
  }
  std::vector<store::Event> unpause;
  for (const std::int64_t handler : std::set<std::int64_t>(reference_->paused())) {
    unpause.push_back(store::Pause{.ticket = store::Ticket{++tickets_},
                                   .id = Uuid::New(),
                                   .handler = handler,
                                   .paused = false,
                                   .actor = "ann",
                                   .reason = {}});
  }
  Run(last, std::move(unpause), {}, Fault::kNone);
  for (const Dead& dead : dead_) {
    Run(last, {store::Bury{.worker = dead.worker, .reason = "gone", .running = dead.running}}, {},
        Fault::kNone);
  }
  const auto all_settled = [this] {
    return std::ranges::all_of(reference_->tasks(), [](const auto& task) {
      return workflow::IsSettled(task.second.state);
    });
  };
  for (int i = 0; i < 600 && !all_settled() && !::testing::Test::HasFailure(); ++i) {
    now_ += seconds(60);
    for (const auto& process : processes_) {
      std::vector<store::Event> events;
      if (process->lost_reply) HandBackUnknown(*process, events);
      std::set<ClaimId> handed_back;
      for (const store::Event& event : events) {
        handed_back.insert(std::get<store::End>(event).claim);
      }
      for (const auto& [claim, held] : process->held) {
        if (handed_back.contains(claim)) continue;
        events.push_back(store::End{.step = held.step,
                                    .claim = claim,
                                    .outcome = workflow::Succeeded{},
                                    .claimed = held.claimed,
                                    .started = now_,
                                    .ended = now_});
      }
      process->host->turns().Forget();
      process->knows = false;
      Run(*process, std::move(events),
          process->host->worker() == 0 ? std::vector<store::Demand>{} : SimulatedStore::WantAll(9),
          Fault::kNone);
    }
  }
  EXPECT_TRUE(all_settled()) << "something waits for ever";
}

}  // namespace tasker::testing
