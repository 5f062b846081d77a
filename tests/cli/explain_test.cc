#include "cli/explain.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/task_views.h"

namespace tasker::cli {
namespace {

using std::chrono::seconds;
using testing::StepOf;
using testing::ViewedAt;
using workflow::StepState;

constexpr std::int64_t kHandler = 5;

store::ClaimId ClaimOf(std::int64_t worker) {
  return store::ClaimId{(worker << workflow::kClaimWorkerShift) + 1};
}

// One step "pay" in that state, and worker 7, which lives and serves it.
class ExplainTest : public ::testing::Test {
 protected:
  explicit ExplainTest(StepState state = StepState::kEnqueued) {
    facts_.now = ViewedAt();
    facts_.view.summary.state = workflow::TaskState::kStepsInProcess;
    facts_.view.summary.ns = "shop";
    facts_.view.steps = {StepOf(0, "pay", state, {})};
    step().handler = kHandler;
    step().ready = ViewedAt(seconds(3));
    facts_.workers.resize(1);
    worker().id = 7;
    worker().pid = 4711;
    worker().alive = true;
    facts_.handlers.resize(1);
    handler().id = kHandler;
    handler().name.callable = "test.pay";
    handler().servers = {{7, 0}};
  }

  workflow::StepRow& step() { return facts_.view.steps[0].row; }
  store::OpenWorker& worker() { return facts_.workers[0]; }
  store::HandlerView& handler() { return facts_.handlers[0]; }

  // Claimed by worker 7, before and after it was looked at.
  void Claimed() {
    step().state = StepState::kInProgress;
    step().claim = ClaimOf(7);
    step().claimed = ViewedAt(seconds(2));
    facts_.held = {workflow::Number(step().claim)};
  }

  // Its last attempt has ended in the store, and its handler has not returned.
  void Stuck(StepState state) {
    step().state = state;
    step().claim = ClaimOf(7);
    step().revoked = true;
    step().attempts = 1;
  }

  // "code: text" of the only step that does not run; empty when there is none.
  std::string Why() const {
    std::string why;
    for (const Reason& reason : Explain(facts_)) {
      if (!reason.n) continue;
      EXPECT_TRUE(why.empty()) << why;
      why = reason.code + ": " + reason.text;
    }
    return why;
  }

  ExplainFacts facts_;
};

TEST_F(ExplainTest, ARunningStepNeedsNoReason) {
  Claimed();
  worker().running = {step().claim};
  EXPECT_TRUE(Explain(facts_).empty());
}

TEST_F(ExplainTest, AClaimedStepWhoseHandlerHasNotStarted) {
  Claimed();
  EXPECT_EQ(Why(),
            "not_started: worker 7 (pid 4711) has claimed it 2.0 s ago; its handler has not "
            "started: it waits for a thread");
  facts_.held.clear();  // It may have been claimed after the worker was looked at.
  EXPECT_EQ(Why(), "");
}

TEST_F(ExplainTest, AClaimedStepOfAStoppedOrDeadWorker) {
  Claimed();
  worker().stopped = true;
  EXPECT_EQ(Why(),
            "worker_stopped: worker 7 (pid 4711) has claimed it 2.0 s ago and is unresponsive: its "
            "process is stopped; let it go on (kill -CONT 4711) or kill it");
  worker().stopped = worker().alive = false;
  EXPECT_EQ(Why(),
            "worker_dead: worker 7 (pid 4711), which claimed it, has died: the next host that "
            "looks takes it over; no host runs on this store: start one");
}

TEST_F(ExplainTest, AReadyStepWithoutAHandler) {
  handler().servers.clear();
  EXPECT_EQ(Why(),
            "no_handler: no live worker has handler 'test.pay'; live are worker 7 (pid 4711): put "
            "a plugin that registers it into a plugin folder and restart a host");
  worker().alive = false;
  EXPECT_EQ(Why(), "no_host: it is ready, and no host runs on this store: start one");
  EXPECT_EQ(Explain(facts_).front().code, "no_host");
}

TEST_F(ExplainTest, AReadyStepOfAPausedHandler) {
  handler().paused = true;
  handler().pause = store::ActionView{.n = std::nullopt,
                                      .at = ViewedAt(),
                                      .kind = "pause",
                                      .actor = "ann",
                                      .reason = "bank is down"};
  const std::string why = Why();
  EXPECT_TRUE(why.starts_with("handler_paused: handler 'test.pay' is paused by ann since ")) << why;
  EXPECT_TRUE(why.ends_with(" (bank is down); let it go on with handler resume")) << why;
}

TEST_F(ExplainTest, AReadyStepThatFindsNoPlace) {
  worker().running = {ClaimOf(7)};
  EXPECT_EQ(Why(),
            "no_free_place: it is ready since 3.0 s and is claimed when a place is free: worker 7 "
            "(pid 4711) runs 1");
  facts_.handler_limits = {{"test.pay", 2}};
  handler().servers = {{7, 1}};
  EXPECT_TRUE(Why().starts_with("no_free_place")) << Why();
  handler().servers = {{7, 2}};
  EXPECT_TRUE(
      Why().starts_with("handler_limit: it is ready since 3.0 s, and as many steps of "
                        "handler 'test.pay' run as worker.handler_limits allows in one "
                        "host, 2"))
      << Why();
}

TEST_F(ExplainTest, AReadyStepOfANamespaceThatIsLeftOut) {
  facts_.namespaces = {"other"};
  EXPECT_TRUE(Why().starts_with("namespace")) << Why();
  facts_.namespaces = {"other", "shop"};
  EXPECT_TRUE(Why().starts_with("no_free_place")) << Why();
}

TEST_F(ExplainTest, AReadyStepThatOnlyAStoppedWorkerServes) {
  worker().stopped = true;
  EXPECT_TRUE(
      Why().starts_with("worker_stopped: it is ready since 3.0 s, and whoever has handler "
                        "'test.pay' is unresponsive"))
      << Why();
}

TEST_F(ExplainTest, AStepThatWaitsForItsRetry) {
  step().state = StepState::kWaitingForRetry;
  step().attempts = 1;
  step().due = ViewedAt() + seconds(2);
  EXPECT_TRUE(Why().starts_with("due_later: attempt 2 of 3 is due at ")) << Why();
  EXPECT_TRUE(Why().ends_with(", in 2.0 s")) << Why();
  step().due = ViewedAt(seconds(2));
  EXPECT_EQ(Why(),
            "overdue: attempt 2 of 3 was due 2.0 s ago: the next turn of a host makes it ready");
}

TEST_F(ExplainTest, AStepWhoseEarlierAttemptStillRuns) {
  Stuck(StepState::kWaitingForRetry);
  EXPECT_EQ(Why(),
            "stuck_attempt: attempt 1 still runs in worker 7 (pid 4711); the next attempt starts "
            "after it has returned");
  worker().stopped = true;
  EXPECT_EQ(Why(),
            "stuck_attempt: attempt 1 still runs in worker 7 (pid 4711), whose process is stopped: "
            "let it go on (kill -CONT 4711) or kill it; the next attempt starts after it has "
            "returned");
  Stuck(StepState::kError);
  EXPECT_TRUE(Why().ends_with("the step has failed, and can be retried after it has returned"));
}

TEST_F(ExplainTest, AHandlerThatRunsOnAfterItsTaskWasCancelled) {
  Stuck(StepState::kCancelled);
  step().attempts = 0;
  facts_.view.summary.state = workflow::TaskState::kCancelled;
  EXPECT_EQ(Why(),
            "still_runs: attempt 1 still runs in worker 7 (pid 4711); it was told to stop, and "
            "what it returns is kept as late");
  EXPECT_EQ(Explain(facts_).front().code, "settled");
}

TEST_F(ExplainTest, AStepWaitsForItsParents) {
  Claimed();
  worker().running = {step().claim};
  facts_.view.steps.push_back(StepOf(1, "ship", StepState::kPending, {0}));
  EXPECT_EQ(Why(), "waits_for_parents: it waits for pay (in_progress)");
}

TEST_F(ExplainTest, AStepNamesTheAncestorThatFailed) {
  step().state = StepState::kError;
  facts_.view.steps.push_back(StepOf(1, "ship", StepState::kPending, {0}));
  facts_.view.steps.push_back(StepOf(2, "bill", StepState::kPending, {1}));
  const auto reasons = Explain(facts_);
  ASSERT_EQ(reasons.size(), 3u);
  EXPECT_EQ(reasons[0].code, "failed");
  EXPECT_EQ(reasons[2].code, "failed_ancestor");
  EXPECT_EQ(
      reasons[2].text,
      "it waits for ship (pending); step pay before it has failed: retry or resolve that one");
  EXPECT_EQ(reasons[2].waits_for, std::vector<std::string>{"pay"});
}

TEST_F(ExplainTest, ATaskWaitsForItsStartTimeAndHasADeadline) {
  step().state = StepState::kPending;
  facts_.view.summary.state = workflow::TaskState::kPending;
  facts_.view.summary.start = ViewedAt() + seconds(60);
  facts_.view.deadline = ViewedAt() + seconds(120);
  const auto reasons = Explain(facts_);
  ASSERT_EQ(reasons.size(), 3u);
  EXPECT_EQ(reasons[0].code, "start_time");
  EXPECT_EQ(reasons[1].code, "deadline");
  EXPECT_EQ(reasons[2].code, "start_time");
  EXPECT_EQ(reasons[2].step, "pay");
}

TEST_F(ExplainTest, ARowThatNothingExplainsIsADefect) {
  step().state = StepState::kPending;
  EXPECT_TRUE(Why().starts_with("inconsistent")) << Why();
}

}  // namespace
}  // namespace tasker::cli
