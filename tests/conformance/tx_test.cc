// The rows that a backend keeps, and how it keeps them.
#include <gtest/gtest.h>

#include "tests/conformance/backend_fixture.h"

namespace tasker::store {
namespace {

using testing::BackendKind;
using testing::BackendTest;
using testing::BuildWorkflow;
using workflow::StepState;
using workflow::TaskRows;

class TxTest : public BackendTest {
 protected:
  void SetUp() override {
    one_ = store_.Add(BuildWorkflow({{}}));
    three_ = store_.Add(BuildWorkflow({{}, {0}, {0}}));
  }

  // Inside a transaction: a task of the given template, as Create makes it.
  void Insert(Tx& tx, std::int64_t id, Submit submit) {
    TaskRows rows;
    rows.task.id = id;
    rows.task.uuid = submit.task;
    rows.task.priority = submit.priority;
    rows.task.created = now_;
    workflow::Effects effects;
    workflow::Create(store_.WorkflowAt(submit.template_id), rows, submit.start_at, now_, effects);
    const Dirty dirty{.rows = &rows, .steps = {}, .submit = &submit};
    const Status saved = tx.Save(std::span(&dirty, 1), effects, now_);
    ASSERT_TRUE(saved) << saved.error().message;
  }
  // Inside a transaction: the task with all of its steps.
  static TaskRows Load(Tx& tx, std::int64_t id) {
    TaskRows rows;
    rows.task.id = id;
    Wanted wanted{.rows = &rows, .task = true, .all_steps = true, .steps = {}};
    EXPECT_TRUE(tx.Load(std::span(&wanted, 1)));
    EXPECT_TRUE(wanted.found);
    return rows;
  }
  static Status SaveStep(Tx& tx, TaskRows& rows, std::int32_t n) {
    const std::int32_t steps[] = {n};
    const Dirty dirty{.rows = &rows, .steps = steps};
    return tx.Save(std::span(&dirty, 1), {}, Time{});
  }
  static workflow::StepRow& Touch(TaskRows& rows, std::int32_t n) {
    TaskRows::Slot* slot = rows.Find(n);
    CHECK(slot != nullptr);
    slot->touched = true;
    return slot->row;
  }

  std::int64_t one_ = 0, three_ = 0;
};

TEST_P(TxTest, LoadsWhatWasSaved) {
  const auto host = store_.Start();
  Tx& tx = host->tx();
  ASSERT_TRUE(tx.Begin());
  Submit submit = NewSubmit(three_, 4);
  submit.context = R"({"x":1})";
  submit.envelope = R"({"tags":1})";
  submit.identity = "same";
  Insert(tx, 7, submit);
  ASSERT_TRUE(tx.Commit());
  ASSERT_TRUE(tx.Begin());
  TaskRows rows = Load(tx, 7);
  EXPECT_EQ(rows.task.uuid, submit.task);
  EXPECT_EQ(rows.task.priority, 4);
  EXPECT_EQ(rows.task, rows.stored_task);
  ASSERT_EQ(rows.slots().size(), 3u);
  EXPECT_EQ(rows.Find(0)->row.state, StepState::kEnqueued);
  EXPECT_EQ(rows.Find(2)->row.waiting_for, 1);
  EXPECT_EQ(*tx.FindTask(submit.task), std::optional<std::int64_t>(7));
  EXPECT_EQ(*tx.FindTask(Uuid::New()), std::nullopt);
  EXPECT_EQ((*tx.FindIdentity("same"))->uuid, submit.task);
  EXPECT_FALSE((*tx.FindIdentity("other")).has_value());
  EXPECT_EQ(*tx.LastTaskId(), 7);
  const auto input = tx.SmallInput(7, 17);
  EXPECT_EQ((*input)->context, R"({"x":1})");
  EXPECT_EQ((*input)->envelope, R"({"tags":1})");
  EXPECT_FALSE((*tx.SmallInput(7, 16)).has_value());
  tx.Rollback();
  EXPECT_EQ(Read().tasks.at(7).context, R"({"x":1})");
}

TEST_P(TxTest, LoadsOnlyTheStepsThatWereAskedFor) {
  const auto host = store_.Start();
  Tx& tx = host->tx();
  ASSERT_TRUE(tx.Begin());
  Insert(tx, 1, NewSubmit(three_));
  TaskRows rows;
  rows.task.id = 1;
  const std::int32_t steps[] = {2, 9};
  Wanted wanted{.rows = &rows, .steps = steps};
  ASSERT_TRUE(tx.Load(std::span(&wanted, 1)));
  EXPECT_EQ(rows.slots().size(), 1u);
  Wanted again{.rows = &rows, .steps = steps};
  ASSERT_TRUE(tx.Load(std::span(&again, 1))) << "what is in memory is not loaded again";
  EXPECT_EQ(rows.slots().size(), 1u);
  TaskRows nobody;
  nobody.task.id = 99;
  Wanted missing{.rows = &nobody, .task = true, .all_steps = true, .steps = {}};
  ASSERT_TRUE(tx.Load(std::span(&missing, 1)));
  EXPECT_FALSE(missing.found);
  tx.Rollback();
}

TEST_P(TxTest, RollbackLeavesNothing) {
  const auto host = store_.Start();
  Tx& tx = host->tx();
  ASSERT_TRUE(tx.Begin());
  Insert(tx, 1, NewSubmit(one_));
  ASSERT_TRUE(tx.Commit());
  const testing::StoreSnapshot before = Read();
  ASSERT_TRUE(tx.Begin());
  Insert(tx, 2, NewSubmit(one_));
  TaskRows rows = Load(tx, 1);
  Touch(rows, 0).state = StepState::kCancelled;
  ASSERT_TRUE(SaveStep(tx, rows, 0));
  ASSERT_TRUE(tx.SetPaused(100, true));
  ASSERT_TRUE(tx.EndWorker(host->worker(), "gone", now_));
  ASSERT_TRUE(tx.AddAction({.id = Uuid::New(),
                            .task = 1,
                            .n = {},
                            .handler = {},
                            .kind = 1,
                            .actor = "ann",
                            .reason = {},
                            .detail = {}},
                           now_));
  tx.Rollback();
  EXPECT_EQ(testing::DifferenceOf(before, Read()), "");
}

TEST_P(TxTest, WritesAStepOnlyWhereItIsAsItWasLoaded) {
  const auto host = store_.Start();
  Tx& tx = host->tx();
  ASSERT_TRUE(tx.Begin());
  Insert(tx, 1, NewSubmit(one_));
  TaskRows mine = Load(tx, 1);
  TaskRows theirs = Load(tx, 1);
  workflow::StepRow& claimed = Touch(theirs, 0);
  claimed.state = StepState::kInProgress;
  claimed.claim = ClaimId{7};
  claimed.claimed = now_;
  ASSERT_TRUE(SaveStep(tx, theirs, 0));
  Touch(mine, 0).state = StepState::kCancelled;
  const Status refused = SaveStep(tx, mine, 0);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInternal);
  EXPECT_NE(refused.error().message.find("task 1"), std::string::npos) << refused.error().message;
  tx.Rollback();
}

TEST_P(TxTest, AnItemThatCannotBeStoredIsToBlame) {
  const auto host = store_.Start();
  Tx& tx = host->tx();
  workflow::Effects effects;
  effects.attempts.push_back({.step = {1, 0},
                              .claim = ClaimId{7},
                              .outcome = workflow::AttemptOutcome::kComplete,
                              .ready = {},
                              .claimed = {},
                              .started = {},
                              .ended = now_,
                              .error = {}});
  ASSERT_TRUE(tx.Begin());
  ASSERT_TRUE(tx.Save({}, effects, now_));
  const Status again = tx.Save({}, effects, now_);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kInvalid);
  tx.Rollback();
}

TEST_P(TxTest, FindsReadyStepsByPriorityThenAge) {
  const auto host = store_.Start();
  Tx& tx = host->tx();
  ASSERT_TRUE(tx.Begin());
  Insert(tx, 1, NewSubmit(one_));
  Insert(tx, 2, NewSubmit(one_, 5));
  Insert(tx, 3, NewSubmit(one_));
  Insert(tx, 4, NewSubmit(three_, -1));
  const auto tasks = [&tx](const ReadyQuery& query) {
    std::vector<std::int64_t> out;
    const auto ready = tx.Ready(query);
    EXPECT_TRUE(ready);
    for (const ReadyStep& step : *ready) out.push_back(step.step.task);
    return out;
  };
  EXPECT_EQ(tasks({.handler = 100, .limit = 9, .namespaces = {}}),
            (std::vector<std::int64_t>{2, 1, 3, 4}));
  EXPECT_EQ(tasks({.handler = 100, .limit = 2, .namespaces = {}}),
            (std::vector<std::int64_t>{2, 1}));
  EXPECT_TRUE(tasks({.handler = 101, .limit = 9, .namespaces = {}}).empty()) << "pending";
  const std::string both[] = {"nobody", "tests"};
  EXPECT_EQ(tasks({.handler = 100, .limit = 9, .namespaces = both}).size(), 4u);
  EXPECT_TRUE(tasks({.handler = 100, .limit = 9, .namespaces = std::span(both, 1)}).empty());
  TaskRows rows = Load(tx, 1);
  Touch(rows, 0).crashes = 1;
  ASSERT_TRUE(SaveStep(tx, rows, 0));
  EXPECT_EQ(tasks({.handler = 100, .limit = 9, .only_without_crashes = true, .namespaces = {}}),
            (std::vector<std::int64_t>{2, 3, 4}));
  tx.Rollback();
}

TEST_P(TxTest, FindsWhatIsDueAndWhatComesNext) {
  using std::chrono::seconds;
  const auto host = store_.Start();
  Tx& tx = host->tx();
  ASSERT_TRUE(tx.Begin());
  EXPECT_EQ(*tx.NextDue(), std::nullopt);
  Submit later = NewSubmit(one_);
  later.start_at = now_ + seconds(20);
  Insert(tx, 1, later);
  Insert(tx, 2, NewSubmit(one_));
  TaskRows rows = Load(tx, 2);
  workflow::StepRow& step = Touch(rows, 0);
  step.state = StepState::kWaitingForRetry;
  step.due = now_ + seconds(10);
  ASSERT_TRUE(SaveStep(tx, rows, 0));
  EXPECT_EQ(*tx.NextDue(), std::optional(now_ + seconds(10)));
  EXPECT_TRUE(tx.Due(now_ + seconds(9), 9)->steps.empty());
  Tx::DueRows due = *tx.Due(now_ + seconds(10), 9);
  EXPECT_EQ(due.steps, (std::vector<StepKey>{{2, 0}}));
  EXPECT_TRUE(due.tasks.empty());
  due = *tx.Due(now_ + seconds(20), 9);
  EXPECT_EQ(due.tasks, (std::vector<std::int64_t>{1}));
  tx.Rollback();
}

TEST_P(TxTest, FindsTheClaimsOfOneWorker) {
  const auto host = store_.Start();
  Tx& tx = host->tx();
  ASSERT_TRUE(tx.Begin());
  const std::int64_t first = std::int64_t{5} << workflow::kClaimWorkerShift;
  const std::int64_t claims[] = {first - 1, first + 1, first + 2,
                                 std::int64_t{6} << workflow::kClaimWorkerShift};
  for (std::int64_t task = 1; task <= 4; ++task) {
    Insert(tx, task, NewSubmit(one_));
    TaskRows rows = Load(tx, task);
    workflow::StepRow& step = Touch(rows, 0);
    step.state = StepState::kInProgress;
    step.claim = ClaimId{claims[task - 1]};
    step.claimed = now_;
    ASSERT_TRUE(SaveStep(tx, rows, 0));
  }
  TaskRows rows = Load(tx, 3);
  workflow::StepRow& cancelled = Touch(rows, 0);
  cancelled.state = StepState::kCancelled;
  cancelled.revoked = true;
  ASSERT_TRUE(SaveStep(tx, rows, 0));
  std::vector<std::int64_t> found;
  const auto claims_of_5 = tx.Claims(5);
  ASSERT_TRUE(claims_of_5);
  for (const HeldClaim& held : *claims_of_5) found.push_back(held.step.task);
  EXPECT_EQ(found, (std::vector<std::int64_t>{2, 3})) << "also a revoked one: it may still run";
  tx.Rollback();
}

TEST_P(TxTest, KeepsPausesActionsAndDeadLetters) {
  const auto host = store_.Start();
  Tx& tx = host->tx();
  ASSERT_TRUE(tx.Begin());
  EXPECT_TRUE((*tx.PausedHandlers()).empty());
  ASSERT_TRUE(tx.SetPaused(101, true));
  EXPECT_EQ(*tx.PausedHandlers(), (std::vector<std::int64_t>{101}));
  ASSERT_TRUE(tx.SetPaused(101, false));
  EXPECT_TRUE((*tx.PausedHandlers()).empty());
  EXPECT_FALSE(tx.SetPaused(999, true));
  const Uuid action = Uuid::New();
  EXPECT_FALSE(*tx.ActionExists(action));
  ASSERT_TRUE(tx.AddAction({.id = action,
                            .task = {},
                            .n = {},
                            .handler = 101,
                            .kind = 10,
                            .actor = {},
                            .reason = {},
                            .detail = {}},
                           now_));
  EXPECT_TRUE(*tx.ActionExists(action));
  workflow::Effects effects;
  effects.dead_letters.push_back({{1, 0}, "poison", "{}"});
  effects.dead_letters.push_back({{1, 1}, "poison", "{}"});
  ASSERT_TRUE(tx.Save({}, effects, now_));
  ASSERT_TRUE(tx.ResolveDeadLetters({1, 0}, "manually_resolved"));
  ASSERT_TRUE(tx.Commit());
  EXPECT_EQ(Read().dead_letters,
            (std::vector<testing::StoreSnapshot::DeadLetter>{
                {{1, 0}, "poison", "manually_resolved"}, {{1, 1}, "poison", "pending"}}));
}

TEST_P(TxTest, ACheckpointReplacesTheOneBefore) {
  const auto host = store_.Start();
  Tx& tx = host->tx();
  ASSERT_TRUE(tx.Begin());
  for (const std::string_view body : {"1", "2"}) {
    workflow::Effects effects;
    effects.payloads.push_back({{1, 0}, workflow::PayloadKind::kCheckpoint, body});
    ASSERT_TRUE(tx.Save({}, effects, now_));
  }
  ASSERT_TRUE(tx.Commit());
  EXPECT_EQ(Read().payloads.at({{1, 0}, workflow::PayloadKind::kCheckpoint}), "2");
}

TEST_P(TxTest, TellsWhenSomebodyElseHasCommitted) {
  const auto first = store_.Start();
  const auto second = store_.Start();
  const auto others = [](Tx& tx) {
    EXPECT_TRUE(tx.Begin());
    const bool committed = *tx.OthersCommitted();
    tx.Rollback();
    return committed;
  };
  EXPECT_TRUE(others(first->tx())) << "never asked before";
  EXPECT_TRUE(others(second->tx()));
  EXPECT_FALSE(others(second->tx()));
  ASSERT_TRUE(first->tx().Begin());
  Insert(first->tx(), 1, NewSubmit(one_));
  ASSERT_TRUE(first->tx().Commit());
  EXPECT_FALSE(others(first->tx())) << "its own commit";
  EXPECT_TRUE(others(second->tx()));
  EXPECT_FALSE(others(second->tx()));
}

INSTANTIATE_TEST_SUITE_P(Backends, TxTest,
                         ::testing::Values(BackendKind::kMemory, BackendKind::kSqlite),
                         testing::BackendName);

}  // namespace
}  // namespace tasker::store
