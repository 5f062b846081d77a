// What turns promise over any backend, also when it fails under them.
#include <gtest/gtest.h>

#include "tests/conformance/backend_fixture.h"

namespace tasker::store {
namespace {

using Fault = testing::FaultyTx::Fault;
using testing::BackendKind;
using testing::BackendTest;
using testing::BuildWorkflow;
using testing::DifferenceOf;
using testing::SimulatedStore;
using testing::StoreSnapshot;
using workflow::StepState;
using workflow::Succeeded;
using workflow::TaskState;

class TurnConformance : public BackendTest {
 protected:
  void SetUp() override {
    one_ = store_.Add(BuildWorkflow({{}}));
    chain_ = store_.Add(BuildWorkflow({{}, {0}, {1}}));
    diamond_ = store_.Add(BuildWorkflow({{}, {0}, {0}, {1, 2}}));
  }
  Bury NewBury(std::int64_t worker, std::vector<ClaimId> running) {
    return {.worker = worker, .reason = "its process is gone", .running = std::move(running)};
  }

  std::int64_t one_ = 0, chain_ = 0, diamond_ = 0;
};

TEST_P(TurnConformance, RunsADiamondToItsEnd) {
  const auto host = store_.Start();
  const Submit submit = NewSubmit(diamond_);
  TurnOutput out = Turn(*host, {submit}, 9);
  std::vector<std::int32_t> order;
  for (int i = 0; i < 9 && out.settled.empty(); ++i) {
    std::vector<Event> ends;
    for (const Claimed& claimed : out.claimed) {
      order.push_back(claimed.step.n);
      ends.push_back(NewEnd(claimed, Success(std::to_string(claimed.step.n))));
    }
    out = Turn(*host, std::move(ends), 9);
  }
  EXPECT_EQ(order, (std::vector<std::int32_t>{0, 1, 2, 3}));
  ASSERT_EQ(out.settled.size(), 1u);
  const StoreSnapshot rows = Read();
  EXPECT_EQ(rows.tasks.at(1).state, TaskState::kComplete);
  EXPECT_EQ(rows.attempts.size(), 4u);
  EXPECT_EQ(rows.payloads.at({{1, 3}, workflow::PayloadKind::kResult}), "3");
}

// What the first half has committed is there: nobody may be told that it is not.
TEST_P(TurnConformance, ATurnWhoseSecondHalfFailsIsUnknown) {
  const auto host = store_.Start();
  const Submit first = NewSubmit(one_), second = NewSubmit(one_);
  host->Fail(Fault::kHalves);
  const auto failed = host->Turn(now_, {first, second});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kUnknown);
  EXPECT_EQ(Read().tasks.size(), 1u);
  const auto again = host->Turn(now_, {first, second});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->acks.size(), 2u);
  EXPECT_EQ(Read().tasks.size(), 2u);
}

TEST_P(TurnConformance, ATurnThatFailsLeavesNothingAndGoesAgain) {
  const auto host = store_.Start();
  const Submit submit = NewSubmit(chain_);
  TurnOutput out = Turn(*host, {submit}, 1);
  ASSERT_EQ(out.claimed.size(), 1u);
  const StoreSnapshot before = Read();
  const std::vector<Event> events = {NewEnd(out.claimed[0], Succeeded{}), NewSubmit(one_)};
  for (const Fault fault : {Fault::kBegin, Fault::kSave, Fault::kCommit}) {
    host->Fail(fault);
    const auto failed = host->Turn(now_, events, SimulatedStore::WantAll(2));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::kNotApplied);
    EXPECT_EQ(DifferenceOf(before, Read()), "") << "fault " << static_cast<int>(fault);
  }
  out = Turn(*host, events, 2);
  EXPECT_EQ(out.claimed.size(), 2u);
  EXPECT_EQ(StepAt({1, 0}).state, StepState::kComplete);
}

TEST_P(TurnConformance, ATurnWhoseReplyWasLostGoesAgainWithoutHarm) {
  const auto host = store_.Start();
  const Submit first = NewSubmit(chain_);
  TurnOutput out = Turn(*host, {first}, 1);
  Submit submit = NewSubmit(one_);
  submit.identity = "only one";
  const std::vector<Event> events = {NewEnd(out.claimed[0], Succeeded{}), submit,
                                     NewAct(first.task, Act::Kind::kCancel, 1),
                                     Pause{.ticket = {},
                                           .id = Uuid::New(),
                                           .handler = 105,
                                           .paused = true,
                                           .actor = "ann",
                                           .reason = {}}};
  host->Fail(Fault::kLostReply);
  const auto lost = host->Turn(now_, events);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, ErrorCode::kUnknown);
  const StoreSnapshot after = Read();
  EXPECT_EQ(after.tasks.size(), 2u);
  out = Turn(*host, events);
  EXPECT_EQ(DifferenceOf(after, Read()), "");
  for (const Ack& ack : out.acks) EXPECT_EQ(ack.code, Ack::Code::kApplied) << ack.detail;
}

TEST_P(TurnConformance, ClaimsWhoseReplyWasLostAreFoundByTheirRange) {
  const auto host = store_.Start();
  host->Fail(Fault::kLostReply);
  now_ += std::chrono::milliseconds(1);
  ASSERT_FALSE(host->Turn(now_, {NewSubmit(one_), NewSubmit(one_)}, SimulatedStore::WantAll(2)));
  ASSERT_TRUE(host->tx().Begin());
  const std::vector<HeldClaim> held = *host->tx().Claims(host->worker());
  host->tx().Rollback();
  ASSERT_EQ(held.size(), 2u);
  std::vector<Event> back;
  for (const HeldClaim& claim : held) {
    back.push_back(End{.step = claim.step,
                       .claim = claim.claim,
                       .outcome = workflow::HandedBack{},
                       .claimed = now_,
                       .started = Time{},
                       .ended = now_});
  }
  const TurnOutput out = Turn(*host, std::move(back), 2);
  EXPECT_EQ(out.claimed.size(), 2u);
  EXPECT_EQ(StepAt({1, 0}).attempts, 0);
  EXPECT_TRUE(Read().attempts.empty());
}

TEST_P(TurnConformance, OneItemThatCannotBeStoredDoesNotStopTheOthers) {
  const auto host = store_.Start();
  TurnOutput out = Turn(*host, {NewSubmit(one_), NewSubmit(one_), NewSubmit(one_)}, 3);
  ASSERT_EQ(out.claimed.size(), 3u);
  // The attempt's row is there already, as no claim of this host could have made it.
  workflow::Effects effects;
  effects.attempts.push_back({.step = out.claimed[1].step,
                              .claim = out.claimed[1].claim,
                              .outcome = workflow::AttemptOutcome::kComplete,
                              .ready = {},
                              .claimed = {},
                              .started = {},
                              .ended = now_,
                              .error = {}});
  ASSERT_TRUE(host->tx().Begin());
  ASSERT_TRUE(host->tx().Save({}, effects, now_));
  ASSERT_TRUE(host->tx().Commit());
  std::vector<Event> ends;
  for (const Claimed& claimed : out.claimed) ends.push_back(NewEnd(claimed, Succeeded{}));
  ends.push_back(NewSubmit(one_));
  out = Turn(*host, std::move(ends));
  ASSERT_EQ(out.acks.size(), 1u);
  EXPECT_EQ(out.acks[0].code, Ack::Code::kApplied);
  const StoreSnapshot rows = Read();
  EXPECT_EQ(rows.tasks.at(1).state, TaskState::kComplete);
  EXPECT_EQ(rows.tasks.at(3).state, TaskState::kComplete);
  EXPECT_EQ(rows.tasks.size(), 4u);
}

TEST_P(TurnConformance, TwoHostsNeverClaimTheSameStep) {
  const auto first = store_.Start();
  const auto second = store_.Start();
  std::vector<Event> submits;
  for (int i = 0; i < 20; ++i) submits.push_back(NewSubmit(one_));
  const auto client = store_.StartClient();
  EXPECT_TRUE(Turn(*client, std::move(submits)).claimed.empty()) << "a client never claims";
  std::map<std::int64_t, std::int64_t> owner;
  for (int i = 0; i < 10; ++i) {
    for (const auto& host : {first.get(), second.get()}) {
      for (const Claimed& claimed : Turn(*host, {}, 1).claimed) {
        EXPECT_TRUE(owner.emplace(claimed.step.task, host->worker()).second);
        EXPECT_EQ(workflow::WorkerOf(claimed.claim), host->worker());
      }
    }
  }
  EXPECT_EQ(owner.size(), 20u);
}

TEST_P(TurnConformance, AHostSeesWhatAnotherDidToItsOwnStep) {
  const auto first = store_.Start();
  const auto second = store_.Start();
  const Submit submit = NewSubmit(chain_);
  const TurnOutput claimed = Turn(*first, {submit}, 1);
  ASSERT_EQ(claimed.claimed.size(), 1u);
  const TurnOutput cancel = Turn(*second, {NewAct(submit.task, Act::Kind::kCancel)});
  ASSERT_EQ(cancel.revoked.size(), 1u);
  EXPECT_EQ(cancel.revoked[0].claim, claimed.claimed[0].claim);
  EXPECT_EQ(Read().tasks.at(1).state, TaskState::kCancelled);
  EXPECT_TRUE(StepAt({1, 0}).revoked);
  // The success that comes late changes nothing and is kept.
  Turn(*first, {NewEnd(claimed.claimed[0], Success(R"("paid")"))}, 1);
  EXPECT_EQ(StepAt({1, 0}).state, StepState::kCancelled);
  EXPECT_FALSE(StepAt({1, 0}).revoked);
  EXPECT_TRUE(Read().attempts.begin()->second.late);
  EXPECT_EQ(StepAt({1, 1}).state, StepState::kCancelled);
}

TEST_P(TurnConformance, BurialCountsOnlyWhatHadStarted) {
  const auto first = store_.Start();
  const auto second = store_.Start();
  const TurnOutput out = Turn(*first, {NewSubmit(one_), NewSubmit(one_)}, 2);
  ASSERT_EQ(out.claimed.size(), 2u);
  Turn(*second, {NewBury(first->worker(), {out.claimed[0].claim})});
  EXPECT_EQ(StepAt({1, 0}).crashes, 1);
  EXPECT_EQ(StepAt({2, 0}).crashes, 0);
  EXPECT_EQ(StepAt({1, 0}).state, StepState::kEnqueued);
  const StoreSnapshot rows = Read();
  ASSERT_EQ(rows.attempts.size(), 1u);
  EXPECT_EQ(rows.attempts.begin()->second.outcome, workflow::AttemptOutcome::kWorkerLost);
  EXPECT_EQ(rows.ended_workers, (std::vector<std::int64_t>{first->worker()}));
  // Burying twice, and an end from the grave, change nothing.
  Turn(*second, {NewBury(first->worker(), {out.claimed[0].claim})});
  Turn(*first, {NewEnd(out.claimed[0], Succeeded{})});
  EXPECT_EQ(StepAt({1, 0}), rows.steps.at({1, 0}));
}

TEST_P(TurnConformance, ThreeDeathsArePoison) {
  const auto grave_digger = store_.Start();
  Turn(*grave_digger, {NewSubmit(one_)});
  for (int death = 1; death <= 3; ++death) {
    const auto victim = store_.Start();
    const TurnOutput out = Turn(*victim, {}, 1);
    ASSERT_EQ(out.claimed.size(), 1u) << death;
    EXPECT_EQ(out.claimed[0].crashes, death - 1);
    Turn(*grave_digger, {NewBury(victim->worker(), {out.claimed[0].claim})});
  }
  EXPECT_EQ(StepAt({1, 0}).state, StepState::kError);
  EXPECT_EQ(Read().tasks.at(1).state, TaskState::kBlockedByFailures);
  ASSERT_EQ(Read().dead_letters.size(), 1u);
  EXPECT_EQ(std::get<1>(Read().dead_letters[0]), "poison");
}

TEST_P(TurnConformance, StepsThatLostAProcessRunApart) {
  const auto digger = store_.Start();
  const auto victim = store_.Start();
  const TurnOutput lost = Turn(*victim, {NewSubmit(one_), NewSubmit(one_)}, 2);
  Turn(*digger, {NewBury(victim->worker(), {lost.claimed[0].claim, lost.claimed[1].claim})});
  const auto next = store_.Start();
  TurnOutput out = Turn(*next, {}, 2);
  ASSERT_EQ(out.claimed.size(), 1u);
  EXPECT_TRUE(Turn(*next, {}, 2).claimed.empty());
  out = Turn(*next, {NewEnd(out.claimed[0], Succeeded{})}, 2);
  EXPECT_EQ(out.claimed.size(), 1u);
}

TEST_P(TurnConformance, APauseHoldsOnEveryHost) {
  const auto first = store_.Start();
  const auto second = store_.Start();
  Turn(*first, {}, 1);
  Pause pause{.ticket = {},
              .id = Uuid::New(),
              .handler = 100,
              .paused = true,
              .actor = "ann",
              .reason = {}};
  Turn(*second, {pause, NewSubmit(one_)});
  first->turns().Forget();  // as the bell has it
  EXPECT_TRUE(Turn(*first, {}, 1).claimed.empty());
  pause.id = Uuid::New();
  pause.paused = false;
  Turn(*second, {pause});
  first->turns().Forget();
  EXPECT_EQ(Turn(*first, {}, 1).claimed.size(), 1u);
}

TEST_P(TurnConformance, TheSameIdentityIsTheSameTask) {
  const auto first = store_.Start();
  const auto second = store_.Start();
  Submit winner = NewSubmit(one_);
  Submit loser = NewSubmit(one_);
  winner.identity = loser.identity = "order 7";
  Turn(*first, {winner});
  const TurnOutput out = Turn(*second, {loser});
  ASSERT_EQ(out.acks.size(), 1u);
  EXPECT_EQ(out.acks[0].code, Ack::Code::kDuplicate);
  EXPECT_EQ(out.acks[0].detail, winner.task.ToString());
  EXPECT_EQ(Read().tasks.size(), 1u);
}

TEST_P(TurnConformance, ARetryComesWhenItIsDueOnWhateverHost) {
  const auto first = store_.Start();
  const auto second = store_.Start();
  const TurnOutput out = Turn(*first, {NewSubmit(one_)}, 1);
  Turn(*first, {NewEnd(out.claimed[0], Failure(true))}, 1);
  EXPECT_EQ(StepAt({1, 0}).state, StepState::kWaitingForRetry);
  const TurnOutput early = Turn(*second, {}, 1);
  EXPECT_TRUE(early.claimed.empty());
  ASSERT_TRUE(early.next_due.has_value());
  now_ = *early.next_due;
  const TurnOutput due = Turn(*second, {}, 1);
  ASSERT_EQ(due.claimed.size(), 1u);
  EXPECT_EQ(due.claimed[0].attempt, 2);
}

INSTANTIATE_TEST_SUITE_P(Backends, TurnConformance,
                         ::testing::Values(BackendKind::kMemory, BackendKind::kSqlite),
                         testing::BackendName);

}  // namespace
}  // namespace tasker::store
