#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "pipeline/dispatcher.h"
#include "pipeline/inbox.h"
#include "pipeline/reply.h"
#include "pipeline/settled_waiters.h"
#include "pipeline/turn_loop.h"
#include "plugin/registry.h"
#include "tests/support/gate.h"
#include "tests/support/scripted_instance.h"
#include "tests/support/store_fixture.h"

namespace tasker::testing {

inline Steady In(std::chrono::milliseconds from_now) {
  return std::chrono::steady_clock::now() + from_now;
}

// Waits for what another thread is about to do.
inline bool Eventually(const std::function<bool()>& holds,
                       std::chrono::seconds at_most = std::chrono::seconds(20)) {
  const Steady deadline = In(at_most);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

// A whole pipeline on a real store: only the plugin is scripted. What it needs of the store is done
// before StartLoop.
class PipelineTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    Join(64);
    auto opened = pipeline::Inbox::Open(1'000);
    ASSERT_TRUE(opened);
    inbox_ = *std::move(opened);
    calls_.finished = [this](std::int64_t claim, workflow::Outcome outcome, Steady started) {
      inbox_->PushEnd({claim, std::move(outcome), started, std::chrono::steady_clock::now(), {}});
    };
    calls_.checkpoint = [this](std::int64_t claim, std::string body) -> Status {
      pipeline::Reply reply;
      TRY_OK(inbox_->PushCheckpoint({claim, std::move(body), &reply}));
      const auto answer = reply.Wait();
      if (!answer) return answer.error();
      if (answer->code != store::Ack::Code::kApplied) return Conflict(answer->detail);
      return Ok();
    };
    calls_.demand_changed = [this] { inbox_->Wake(true); };
    instance_ = std::make_unique<ScriptedInstance>(registry_, calls_);
  }
  void TearDown() override { StopLoop(); }

  void StartLoop(std::int32_t in_flight_max = 16, std::int32_t threads = 2) {
    dispatcher_ =
        std::make_unique<pipeline::Dispatcher>(*store_, store_->slots(), *inbox_, 1 << 20);
    ASSERT_TRUE(dispatcher_->Start(threads));
    pipeline::TurnLimits limits;
    limits.worker = worker_;
    limits.in_flight_max = in_flight_max;
    limits.threads = threads;
    limits.handler_limits = handler_limits_;
    loop_ = std::make_unique<pipeline::TurnLoop>(limits, *store_, registry_, *inbox_, *dispatcher_,
                                                 settled_, clock_);
    const Status started = loop_->Start();
    ASSERT_TRUE(started) << started.error().message;
  }
  // Returns how many threads were left in a handler.
  std::int32_t StopLoop(std::chrono::milliseconds patience = std::chrono::seconds(20)) {
    if (!loop_) return 0;
    loop_->Drain();
    loop_->WaitDrained(In(patience));
    loop_->Stop(In(patience));
    return dispatcher_->Stop(In(patience));
  }

  Result<store::Ack> TrySubmit(std::int64_t template_id, Uuid* task = nullptr,
                               std::optional<Time> start_at = std::nullopt) {
    store::Submit submit;
    submit.task = Uuid::New();
    submit.template_id = template_id;
    submit.start_at = start_at;
    if (task != nullptr) *task = submit.task;
    pipeline::Reply reply;
    TRY_OK(inbox_->PushSubmit({std::move(submit), &reply}));
    return reply.Wait();
  }
  Uuid SubmitTask(std::int64_t template_id, std::optional<Time> start_at = std::nullopt) {
    Uuid task;
    const auto answer = TrySubmit(template_id, &task, start_at);
    EXPECT_TRUE(answer) << answer.error().message;
    if (answer) {
      EXPECT_EQ(answer->code, store::Ack::Code::kApplied) << answer->detail;
    }
    return task;
  }
  Result<workflow::TaskState> Settle(const Uuid& task) {
    return settled_.Wait(task, In(std::chrono::seconds(20)),
                         [this](const Uuid& wanted) -> Result<workflow::TaskState> {
                           TRY(const auto reader, store_->NewReader());
                           TRY(const auto summary, reader->Summary(wanted));
                           return summary.state;
                         });
  }
  void ExpectComplete(const Uuid& task) {
    const auto state = Settle(task);
    ASSERT_TRUE(state) << state.error().message;
    EXPECT_EQ(*state, workflow::TaskState::kComplete);
  }

  std::map<std::string, std::int64_t> handler_limits_;  // as worker.toml has them
  pipeline::SettledWaiters settled_;
  SystemClock clock_;
  plugin::HandlerRegistry registry_;
  plugin::HostCalls calls_;
  std::unique_ptr<pipeline::Inbox> inbox_;
  std::unique_ptr<ScriptedInstance> instance_;
  std::unique_ptr<pipeline::Dispatcher> dispatcher_;
  std::unique_ptr<pipeline::TurnLoop> loop_;
};

}  // namespace tasker::testing
