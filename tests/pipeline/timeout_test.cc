#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "tests/support/pipeline_fixture.h"

namespace tasker::pipeline {
namespace {

using testing::Eventually;
using testing::Gate;
using testing::PipelineTest;
using testing::ScriptedAttempt;
using workflow::AttemptOutcome;
using workflow::StepState;
using workflow::TaskState;

class TimeoutTest : public PipelineTest {
 protected:
  static constexpr std::string_view kShort = R"(
name: short
namespace_name: tests
version: "1.0.0"
steps:
  - name: a
    handler: {callable: h.a}
    timeout_seconds: 1
    retry: {max_attempts: 2, backoff: none, backoff_base_ms: 1}
)";

  StepState StateOf(const Uuid& task) { return View(task).steps[0].row.state; }

  Gate gate_;
  std::atomic<int> starts_{0};
};

TEST_F(TimeoutTest, ASecondAttemptStartsAfterTheFirstHandlerReturned) {
  const std::int64_t id = Register(kShort, "short");
  std::atomic<bool> returned{false};
  std::atomic<bool> overlapped{false};
  instance_->Add("h.a", [&](ScriptedAttempt attempt) {
    EXPECT_TRUE(attempt.input().deadline.has_value());
    if (++starts_ == 1) {
      EXPECT_TRUE(gate_.Wait());
      returned = true;
      attempt.Succeed(R"({"first":1})");
    } else {
      overlapped = !returned;
      attempt.Succeed(R"({"second":2})");
    }
  });
  StartLoop();
  const Uuid task = SubmitTask(id);
  ASSERT_TRUE(Eventually([&] { return !instance_->cancelled().empty(); }));
  EXPECT_EQ(StateOf(task), StepState::kWaitingForRetry);
  EXPECT_TRUE(View(task).steps[0].row.revoked);
  EXPECT_EQ(starts_, 1);
  gate_.Open();
  ExpectComplete(task);
  EXPECT_FALSE(overlapped);
  const store::TaskView view = View(task);
  ASSERT_EQ(view.attempts.size(), 2U);
  EXPECT_EQ(view.attempts[0].outcome, AttemptOutcome::kTimeout);
  EXPECT_NE(view.attempts[0].error.find("first"), std::string::npos) << view.attempts[0].error;
  EXPECT_EQ(view.attempts[1].outcome, AttemptOutcome::kComplete);
}

TEST_F(TimeoutTest, AnIdempotentHandlersSecondAttemptStartsAtOnce) {
  const std::int64_t id = Register(kShort, "short");
  plugin::HandlerInfo info;
  info.id = "h.a";
  info.idempotent = true;
  instance_->Add(info, [&](ScriptedAttempt attempt) {
    if (++starts_ == 1) {
      EXPECT_TRUE(gate_.Wait());
      attempt.Succeed(R"({"first":1})");
    } else {
      attempt.Succeed();
    }
  });
  StartLoop();
  const Uuid task = SubmitTask(id);
  ExpectComplete(task);
  EXPECT_EQ(starts_, 2);
  gate_.Open();
  ASSERT_TRUE(Eventually([&] {
    return View(task).attempts[0].error.find("first") != std::string::npos;
  })) << "what the first attempt returned is kept";
}

TEST_F(TimeoutTest, IsNotReadyWhileEveryThreadIsStuck) {
  const std::int64_t id = Register(kShort, "short");
  instance_->Add("h.a", [&](ScriptedAttempt attempt) {
    ++starts_;
    EXPECT_TRUE(gate_.Wait());
    attempt.Succeed();
  });
  StartLoop(16, 2);
  const Uuid first = SubmitTask(id);
  const Uuid second = SubmitTask(id);
  ASSERT_TRUE(Eventually([&] { return !loop_->status().not_ready.empty(); }));
  EXPECT_NE(loop_->status().not_ready.find("does not return"), std::string::npos);
  const Uuid third = SubmitTask(id);
  EXPECT_EQ(StateOf(third), StepState::kEnqueued) << "nothing is claimed that nobody can run";
  gate_.Open();
  for (const Uuid& task : {first, second, third}) ExpectComplete(task);
  EXPECT_TRUE(Eventually([&] { return loop_->status().not_ready.empty(); }));
}

TEST_F(TimeoutTest, AHandlerThatEndsOnAnotherThreadHoldsNoExecutorThread) {
  const std::int64_t id = Register(kShort, "short");
  std::shared_ptr<ScriptedAttempt> held;
  instance_->Add("h.a", [&](ScriptedAttempt attempt) {
    if (++starts_ == 1) {
      held = std::make_shared<ScriptedAttempt>(std::move(attempt));
    } else {
      attempt.Succeed();
    }
  });
  StartLoop(16, 1);
  const Uuid first = SubmitTask(id);
  ASSERT_TRUE(Eventually([&] { return !instance_->cancelled().empty(); }));
  ExpectComplete(SubmitTask(id));
  EXPECT_EQ(loop_->status().not_ready, "");
  held->Succeed();
  ExpectComplete(first);
}

TEST_F(TimeoutTest, WhatAnotherProcessCancelledIsAskedToStop) {
  const std::int64_t one = Register(kOne, "one");
  instance_->Add("h.a", [&](ScriptedAttempt attempt) {
    ++starts_;
    EXPECT_TRUE(gate_.Wait());
    attempt.Succeed(R"({"paid":1})");
  });
  StartLoop();
  const Uuid task = SubmitTask(one);
  ASSERT_TRUE(Eventually([&] { return starts_ == 1; }));
  // As another process would: cancelled, and its claim revoked.
  Sql("UPDATE step SET state = 6, revoked = 1 WHERE n = 0");
  Sql("UPDATE task SET state = 6, ended_us = 5, open_steps = 0, active_steps = 0");
  ASSERT_TRUE(Eventually([&] { return !instance_->cancelled().empty(); }));
  gate_.Open();
  ASSERT_TRUE(Eventually([&] { return !View(task).steps[0].row.revoked; }));
  EXPECT_EQ(StateOf(task), StepState::kCancelled);
}

// The turn is the first to see the other process's commit, and nothing says it again.
TEST_F(TimeoutTest, WhatAnotherProcessCancelledBeforeATurnIsAskedToStop) {
  const std::int64_t one = Register(kOne, "one");
  instance_->Add("h.a", [&](ScriptedAttempt attempt) {
    if (++starts_ == 1) {
      EXPECT_TRUE(gate_.Wait());
    }
    attempt.Succeed();
  });
  StartLoop();
  SubmitTask(one);
  ASSERT_TRUE(Eventually([&] { return starts_ == 1; }));
  Sql("BEGIN IMMEDIATE; UPDATE step SET state = 6, revoked = 1 WHERE n = 0;"
      "UPDATE task SET state = 6, ended_us = 5, open_steps = 0, active_steps = 0; COMMIT");
  ExpectComplete(SubmitTask(one));
  EXPECT_TRUE(Eventually([&] { return !instance_->cancelled().empty(); }));
  gate_.Open();
}

}  // namespace
}  // namespace tasker::pipeline
