#include "pipeline/turn_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/support/pipeline_fixture.h"

namespace tasker::pipeline {
namespace {

using testing::Eventually;
using testing::Gate;
using testing::In;
using testing::PipelineTest;
using testing::ScriptedAttempt;
using workflow::AttemptOutcome;
using workflow::StepState;
using workflow::TaskState;

class TurnLoopTest : public PipelineTest {
 protected:
  void ServeAll() {
    for (const char* const id : {"h.a", "h.b", "h.c", "h.d"}) {
      instance_->Add(id, [](ScriptedAttempt attempt) { attempt.Succeed(); });
    }
  }
  // A handler that waits until the test lets it go.
  void ServeGated(const std::string& id = "h.a") {
    instance_->Add(id, [this](ScriptedAttempt attempt) {
      ++running_;
      EXPECT_TRUE(gate_.Wait());
      --running_;
      attempt.Succeed();
    });
  }

  Gate gate_;
  std::atomic<int> running_{0};
};

TEST_F(TurnLoopTest, RunsAWorkflowToItsEnd) {
  const std::int64_t linear = Register(kLinear, "linear");
  ServeAll();
  StartLoop();
  const Uuid task = SubmitTask(linear);
  ExpectComplete(task);
  const store::TaskView view = View(task);
  EXPECT_EQ(view.attempts.size(), 4U);
  for (const store::StepView& step : view.steps) EXPECT_EQ(step.row.state, StepState::kComplete);
}

TEST_F(TurnLoopTest, RunsAWorkflowWhoseHandlersEndOnAnotherThread) {
  const std::int64_t linear = Register(kLinear, "linear");
  std::mutex mu;  // The next step may start before this one's thread is in the vector.
  std::vector<std::thread> threads;
  for (const char* const id : {"h.a", "h.b", "h.c", "h.d"}) {
    instance_->Add(id, [&](ScriptedAttempt attempt) {
      const std::lock_guard lock(mu);
      threads.emplace_back(
          [kept = std::make_shared<ScriptedAttempt>(std::move(attempt))] { kept->Succeed(); });
    });
  }
  StartLoop();
  ExpectComplete(SubmitTask(linear));
  const std::lock_guard lock(mu);
  for (std::thread& thread : threads) thread.join();
}

TEST_F(TurnLoopTest, RunsManyTasksAtOnce) {
  const std::int64_t diamond = Register(kDiamond, "diamond");
  ServeAll();
  StartLoop(64);
  std::vector<Uuid> tasks;
  for (int i = 0; i < 200; ++i) tasks.push_back(SubmitTask(diamond));
  for (const Uuid& task : tasks) ExpectComplete(task);
  EXPECT_TRUE(Eventually(
      [this] { return loop_->status().ended == 800 && loop_->status().in_flight == 0; }));
  EXPECT_EQ(loop_->status().claimed, 800U);
  EXPECT_EQ(loop_->status().submitted, 200U);
}

TEST_F(TurnLoopTest, AcknowledgesASubmissionOnceItIsStored) {
  const std::int64_t one = Register(kOne, "one");
  StartLoop();
  const Uuid task = SubmitTask(one);
  EXPECT_EQ(View(task).summary.uuid, task);
}

TEST_F(TurnLoopTest, ClaimsNoMoreThanInFlightMax) {
  const std::int64_t one = Register(kOne, "one");
  ServeGated();
  StartLoop(3, 8);
  std::vector<Uuid> tasks;
  for (int i = 0; i < 10; ++i) tasks.push_back(SubmitTask(one));
  EXPECT_TRUE(Eventually([this] { return running_ == 3; }));
  tasks.push_back(SubmitTask(one));  // one more turn
  EXPECT_EQ(Number("SELECT count(*) FROM step WHERE state = 2"), 3);
  EXPECT_EQ(Number("SELECT count(*) FROM step WHERE state = 1"), 8);
  gate_.Open();
  for (const Uuid& task : tasks) ExpectComplete(task);
}

TEST_F(TurnLoopTest, DoesNotClaimStepsThatItsThreadsCannotStartSoon) {
  const std::int64_t one = Register(kOne, "one");
  ServeGated();
  StartLoop(64, 2);
  std::vector<Uuid> tasks;
  for (int i = 0; i < 40; ++i) tasks.push_back(SubmitTask(one));
  EXPECT_TRUE(Eventually([this] { return running_ == 2; }));
  tasks.push_back(SubmitTask(one));
  EXPECT_LE(Number("SELECT count(*) FROM step WHERE state = 2"),
            4);  // two run, two started in the last second
  gate_.Open();
  for (const Uuid& task : tasks) ExpectComplete(task);
}

TEST_F(TurnLoopTest, ClaimsOnWhileHandlersThatReturnedStillRun) {
  const std::int64_t one = Register(kOne, "one");
  Mutex mu;
  std::vector<std::shared_ptr<ScriptedAttempt>> kept;
  instance_->Add("h.a", [&](ScriptedAttempt attempt) {
    MutexLock lock(mu);
    kept.push_back(std::make_shared<ScriptedAttempt>(std::move(attempt)));
  });
  StartLoop(32, 2);
  std::vector<Uuid> tasks;
  for (int i = 0; i < 30; ++i) tasks.push_back(SubmitTask(one));
  EXPECT_TRUE(Eventually([&] {
    MutexLock lock(mu);
    return kept.size() == 30;
  }));
  for (const auto& attempt : kept) attempt->Succeed();
  for (const Uuid& task : tasks) ExpectComplete(task);
}

TEST_F(TurnLoopTest, RunsNoMoreOfALimitedHandlerThanItsLimit) {
  const std::int64_t one = Register(kOne, "one");
  std::atomic<int> most{0};
  plugin::HandlerInfo info;
  info.id = "h.a";
  info.max_concurrency = 2;
  instance_->Add(info, [&](ScriptedAttempt attempt) {
    const int now = ++running_;
    for (int before = most; before < now && !most.compare_exchange_weak(before, now);) {
    }
    --running_;
    attempt.Succeed();
  });
  StartLoop(64, 8);
  std::vector<Uuid> tasks;
  for (int i = 0; i < 50; ++i) tasks.push_back(SubmitTask(one));
  for (const Uuid& task : tasks) ExpectComplete(task);
  EXPECT_LE(most, 2);
  EXPECT_GE(most, 1);
}

TEST_F(TurnLoopTest, LeavesAStepWithoutAHandlerEnqueuedAndSaysSo) {
  const std::int64_t one = Register(kOne, "one");
  StartLoop();
  const Uuid task = SubmitTask(one);
  EXPECT_TRUE(Eventually(
      [this] { return loop_->status().missing_handlers == std::vector<std::string>{"h.a"}; }));
  const store::TaskView view = View(task);
  EXPECT_EQ(view.steps[0].row.state, StepState::kEnqueued);
  EXPECT_EQ(view.steps[0].row.attempts, 0);
  EXPECT_TRUE(view.attempts.empty());
  EXPECT_EQ(loop_->status().not_ready, "");
}

TEST_F(TurnLoopTest, ServesAHandlerThatIsRegisteredLater) {
  const std::int64_t one = Register(kOne, "one");
  StartLoop();
  const Uuid task = SubmitTask(one);
  ServeAll();
  ExpectComplete(task);
}

TEST_F(TurnLoopTest, GivesARuntimeOnlyWhatItTakes) {
  const std::int64_t one = Register(kOne, "one");
  Mutex mu;
  std::vector<std::shared_ptr<ScriptedAttempt>> kept;
  plugin::HandlerInfo info;
  info.id = "h.a";
  info.threads = plugin::HandlerInfo::Threads::kRuntime;
  instance_->Add(info, [&](ScriptedAttempt attempt) {
    MutexLock lock(mu);
    kept.push_back(std::make_shared<ScriptedAttempt>(std::move(attempt)));
  });
  StartLoop();
  std::vector<Uuid> tasks;
  for (int i = 0; i < 5; ++i) tasks.push_back(SubmitTask(one));
  EXPECT_EQ(Number("SELECT count(*) FROM step WHERE state = 1"), 5);
  instance_->SetCapacity(0, 2);
  EXPECT_TRUE(Eventually([&] {
    MutexLock lock(mu);
    return kept.size() == 2;
  }));
  tasks.push_back(SubmitTask(one));
  EXPECT_EQ(Number("SELECT count(*) FROM step WHERE state = 2"), 2);
  instance_->SetCapacity(0, 10);
  EXPECT_TRUE(Eventually([&] {
    MutexLock lock(mu);
    return kept.size() == 6;
  }));
  for (const auto& attempt : kept) attempt->Succeed();
  for (const Uuid& task : tasks) ExpectComplete(task);
}

TEST_F(TurnLoopTest, RunsAFailedAttemptAgainWhenItIsDue) {
  const std::int64_t retried = Register(R"(
name: retried
namespace_name: tests
version: "1.0.0"
steps:
  - {name: a, handler: {callable: h.a}, retry: {max_attempts: 3, backoff: none, backoff_base_ms: 20}}
)",
                                        "retried");
  std::atomic<int> starts{0};
  instance_->Add("h.a", [&](ScriptedAttempt attempt) {
    EXPECT_EQ(attempt.input().attempt, static_cast<std::uint32_t>(starts + 1));
    ++starts < 3 ? attempt.Fail(true) : attempt.Succeed();
  });
  StartLoop();
  const Uuid task = SubmitTask(retried);
  ExpectComplete(task);
  EXPECT_EQ(View(task).attempts.size(), 3U);
}

TEST_F(TurnLoopTest, AHandlerLimitOfTheConfigBoundsWhatRunsAtOnce) {
  const std::int64_t one = Register(kOne, "one");
  ServeGated();
  handler_limits_ = {{"h.a", 2}};
  StartLoop(16, 4);
  std::vector<Uuid> tasks;
  for (int i = 0; i < 5; ++i) tasks.push_back(SubmitTask(one));
  ASSERT_TRUE(Eventually([&] { return running_ == 2; }));
  EXPECT_EQ(Number("SELECT count(*) FROM step WHERE state = 2"), 2);
  gate_.Open();
  for (const Uuid& task : tasks) ExpectComplete(task);
}

TEST_F(TurnLoopTest, StartsATaskAtItsTime) {
  const std::int64_t one = Register(kOne, "one");
  ServeAll();
  StartLoop();
  const Time start = SystemClock().Now() + std::chrono::milliseconds(150);  // clock_ is the loop's
  const Uuid task = SubmitTask(one, start);
  ExpectComplete(task);
  EXPECT_GE(View(task).attempts[0].started, start);
}

TEST_F(TurnLoopTest, ReturnsFromACheckpointOnceItIsStored) {
  const std::int64_t one = Register(kOne, "one");
  std::string stored;
  instance_->Add("h.a", [&](ScriptedAttempt attempt) {
    EXPECT_TRUE(attempt.Checkpoint("[1,2]"));
    auto reader = store_->NewReader();
    const auto tasks = (*reader)->Tasks({});
    stored = *(*reader)->Payload({tasks->front().id, 0}, workflow::PayloadKind::kCheckpoint);
    attempt.Succeed();
    const Status late = attempt.Checkpoint("[3]");
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, ErrorCode::kConflict);
  });
  StartLoop();
  ExpectComplete(SubmitTask(one));
  EXPECT_EQ(stored, "[1,2]");
}

TEST_F(TurnLoopTest, FailsAStepForGoodWhoseInputIsTooLarge) {
  const std::int64_t linear = Register(kLinear, "linear");
  instance_->Add("h.a", [](ScriptedAttempt attempt) {
    attempt.Succeed("\"" + std::string(2 << 20, 'x') + "\"");
  });
  instance_->Add("h.b", [](ScriptedAttempt) { ADD_FAILURE() << "it was started"; });
  StartLoop();
  const Uuid task = SubmitTask(linear);
  EXPECT_EQ(*Settle(task), TaskState::kBlockedByFailures);
  const store::TaskView view = View(task);
  EXPECT_EQ(view.steps[1].row.state, StepState::kError);
  EXPECT_THAT(view.attempts.back().error, ::testing::HasSubstr("tasker.input_too_large"));
}

TEST_F(TurnLoopTest, HandsBackWhatHasNotStartedWhenItDrains) {
  const std::int64_t one = Register(kOne, "one");
  ServeGated();
  StartLoop(8, 1);
  std::vector<Uuid> tasks;
  for (int i = 0; i < 4; ++i) tasks.push_back(SubmitTask(one));
  EXPECT_TRUE(Eventually([this] { return running_ == 1 && loop_->status().in_flight > 1; }));
  loop_->Drain();
  EXPECT_TRUE(Eventually([this] { return loop_->status().in_flight == 1; }));
  EXPECT_EQ(loop_->status().not_ready, "the host stops");
  EXPECT_FALSE(TrySubmit(one));
  gate_.Open();
  EXPECT_EQ(StopLoop(), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM step WHERE state = 4"), 1);
  EXPECT_EQ(Number("SELECT count(*) FROM step WHERE state = 1 AND attempts = 0"), 3);
  EXPECT_EQ(Number("SELECT count(*) FROM attempt"), 1);
}

TEST_F(TurnLoopTest, HandsBackAStepThatIsStuckAndLeavesItsThreadBehind) {
  const std::int64_t one = Register(kOne, "one");
  Gate returned;
  instance_->Add("h.a", [&](ScriptedAttempt attempt) {
    ++running_;
    EXPECT_TRUE(gate_.Wait());
    attempt.Succeed();  // after the host has given up
    returned.Open();
  });
  StartLoop();
  const Uuid task = SubmitTask(one);
  EXPECT_TRUE(Eventually([this] { return running_ == 1; }));
  EXPECT_EQ(StopLoop(std::chrono::milliseconds(1)), 1);
  const store::TaskView view = View(task);
  EXPECT_EQ(view.steps[0].row.state, StepState::kEnqueued);
  EXPECT_EQ(view.steps[0].row.attempts, 0);
  ASSERT_EQ(view.attempts.size(), 1U);
  EXPECT_EQ(view.attempts[0].outcome, AttemptOutcome::kHandedBack);
  loop_.reset();
  dispatcher_.reset();
  gate_.Open();
  EXPECT_TRUE(returned.Wait());
}

TEST_F(TurnLoopTest, AsksWhatRunsToStopAndStoresItsEnd) {
  const std::int64_t one = Register(kOne, "one");
  std::shared_ptr<ScriptedAttempt> kept;
  instance_->Add("h.a", [&](ScriptedAttempt attempt) {
    kept = std::make_shared<ScriptedAttempt>(std::move(attempt));
    ++running_;
  });
  instance_->OnCancel([&](std::int64_t claim) {
    EXPECT_EQ(claim, kept->input().claim);
    kept->End(workflow::Yielded{.checkpoint = "[9]", .resume_after = {}});
  });
  StartLoop();
  const Uuid task = SubmitTask(one);
  EXPECT_TRUE(Eventually([this] { return running_ == 1; }));
  loop_->Drain();
  EXPECT_FALSE(loop_->WaitDrained(In(std::chrono::milliseconds(10))));
  loop_->CancelRunning();
  EXPECT_TRUE(loop_->WaitDrained(In(std::chrono::seconds(20))));
  StopLoop();
  EXPECT_EQ(View(task).attempts[0].outcome, AttemptOutcome::kYielded);
}

TEST_F(TurnLoopTest, StopsTwiceAndBeforeItWasStarted) {
  StartLoop();
  loop_->Stop(In(std::chrono::seconds(5)));
  loop_->Stop(In(std::chrono::seconds(5)));
  EXPECT_EQ(dispatcher_->Stop(In(std::chrono::seconds(5))), 0);
  EXPECT_EQ(dispatcher_->Stop(In(std::chrono::seconds(5))), 0);
  Dispatcher unstarted(*store_, store_->slots(), *inbox_, 1);
  TurnLoop loop({.worker = worker_, .in_flight_max = 4}, *store_, registry_, *inbox_, unstarted,
                settled_, clock_);
  loop.Stop(In(std::chrono::seconds(5)));
  EXPECT_EQ(unstarted.Stop(In(std::chrono::seconds(5))), 0);
}

TEST_F(TurnLoopTest, HurryEndsAWaitForWhatRuns) {
  const std::int64_t one = Register(kOne, "one");
  ServeGated();
  StartLoop();
  SubmitTask(one);
  EXPECT_TRUE(Eventually([this] { return running_ == 1; }));
  loop_->Drain();
  std::thread hurries([this] { loop_->Hurry(); });
  EXPECT_FALSE(loop_->WaitDrained(In(std::chrono::hours(1))));
  hurries.join();
  gate_.Open();
}

TEST_F(TurnLoopTest, TellsWaitersThatItStops) {
  const std::int64_t one = Register(kOne, "one");
  StartLoop();
  const Uuid task = SubmitTask(one);
  std::thread stops([this] { loop_->Stop(In(std::chrono::seconds(5))); });
  const auto state = Settle(task);
  stops.join();
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, ErrorCode::kUnavailable);
}

// The store cannot be written: a table is not there.
TEST_F(TurnLoopTest, KeepsEndsThroughAnOutageAndRefusesSubmissionsAtOnce) {
  const std::int64_t linear = Register(kLinear, "linear");
  ServeGated();
  for (const char* const id : {"h.b", "h.c", "h.d"}) {
    instance_->Add(id, [](ScriptedAttempt attempt) { attempt.Succeed(); });
  }
  StartLoop();
  const Uuid task = SubmitTask(linear);
  EXPECT_TRUE(Eventually([this] { return running_ == 1; }));
  Sql("ALTER TABLE attempt RENAME TO attempt_gone");
  gate_.Open();
  EXPECT_TRUE(Eventually([this] { return !loop_->status().not_ready.empty(); }));
  const auto refused = TrySubmit(linear);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(Number("SELECT count(*) FROM step WHERE state = 2"), 1);
  Sql("ALTER TABLE attempt_gone RENAME TO attempt");
  ExpectComplete(task);
  EXPECT_TRUE(Eventually([this] { return loop_->status().not_ready.empty(); }));
  EXPECT_EQ(View(task).attempts.size(), 4U);
}

// The answer to the turn that claimed it was lost.
TEST_F(TurnLoopTest, HandsBackAfterAnOutageWhatNoPlaceHolds) {
  const std::int64_t one = Register(kOne, "one");
  WantAll(1);
  const store::TurnOutput out = Turn({NewSubmit(one)});
  ASSERT_EQ(out.claimed.size(), 1U);
  const Uuid forgotten = out.claimed[0].task;
  ServeAll();
  StartLoop();
  EXPECT_TRUE(Eventually([this] { return loop_->status().turns > 0; }));
  Sql("ALTER TABLE task_input RENAME TO gone");
  EXPECT_FALSE(TrySubmit(one));
  Sql("ALTER TABLE gone RENAME TO task_input");
  ExpectComplete(forgotten);
}

}  // namespace
}  // namespace tasker::pipeline
