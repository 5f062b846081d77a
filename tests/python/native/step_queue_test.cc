#include "step_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <random>
#include <thread>

#include "tests/python/native/fake_host.h"

namespace tasker::python {
namespace {

using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class StepQueueTest : public ::testing::Test {
 protected:
  StepQueueTest() {
    // The host takes locks of its own: none of its functions may be called under the queue's.
    host.probe = [this] { static_cast<void>(queue.figures()); };
    link.Attach(&host.table(), host.plugin());
    queue.Open();
  }

  tasker_call* Start(std::int64_t deadline_ns = 0) {
    tasker_call* const call = host.NewCall();
    StartAs(call, ++started_, deadline_ns);
    return call;
  }
  tasker_call* StartAsync() {
    tasker_call* const call = host.NewCall();
    StartAs(call, ++started_, 0, kAsyncPool);
    return call;
  }
  void StartAs(tasker_call* call, std::uint32_t number, std::int64_t deadline_ns = 0,
               std::uint32_t pool = kSyncPool) {
    tasker_step step{};
    step.size = sizeof step;
    step.attempt = 1;
    std::memcpy(step.call_id.bytes, &number, sizeof number);
    step.handler = {"app.noop", 8};
    step.deadline_ns = deadline_ns;
    EXPECT_EQ(queue.Start(step, call, pool), TASKER_OK);
  }
  // The event's id of the next step; empty if there is none.
  static std::string IdOf(const std::optional<std::string>& event) {
    constexpr std::size_t kAt = std::string_view("{\"event_id\":\"").size();
    return event ? event->substr(kAt, 36) : "";
  }
  std::string Take() { return IdOf(queue.Take(std::chrono::steady_clock::now())); }
  std::string Poll() { return IdOf(queue.Poll()); }

  testing::FakeHost host;
  HostLink link;
  std::atomic<Steady> now{Steady(seconds(1000))};
  std::atomic<std::chrono::nanoseconds> busy{std::chrono::nanoseconds(0)};
  StepQueue queue{link, [this] { return now.load(); }, [this] { return busy.load(); }};

 private:
  std::uint32_t started_ = 0;
};

TEST_F(StepQueueTest, AsksForNothingAndKeepsNothingWithoutAConsumer) {
  tasker_call* const call = Start();
  EXPECT_EQ(host.EndOf(call), "hand_back");
  EXPECT_EQ(host.ReleasesOf(call), 1);
  EXPECT_EQ(Take(), "");
  EXPECT_EQ(host.capacity(), 0);
}

TEST_F(StepQueueTest, LeavesShortStepsToTheThreadThatRunsThem) {
  queue.Consume(100);
  for (int i = 0; i < 66; ++i) {  // so many make a judgement
    Start();
    now = now.load() + std::chrono::microseconds(30);
    busy = busy.load() + std::chrono::microseconds(30);
    ASSERT_NE(Take(), "");
  }
  Start();
  // This thread is out and may be back at once: another one is given nothing, until that has taken
  // too long.
  std::string other;
  std::thread([&] { other = Take(); }).join();
  EXPECT_EQ(other, "");
  std::thread patient(
      [&] { other = IdOf(queue.Take(std::chrono::steady_clock::now() + seconds(20))); });
  now = now.load() + Crowd::kPatience;
  patient.join();
  EXPECT_NE(other, "");
}

TEST_F(StepQueueTest, AsksForAsManyStepsAsTheConsumerHasRoomFor) {
  queue.Consume(3);
  EXPECT_EQ(host.capacity(), 3);
  Start();
  Start();
  const std::string first = Take(), second = Take();
  queue.Consume(3);
  EXPECT_EQ(host.capacity(), 1);
  EXPECT_TRUE(queue.Complete(first, "{}", "{}", ""));
  EXPECT_EQ(host.capacity(), 2);
  queue.Consume(1);
  EXPECT_EQ(host.capacity(), 0);
  EXPECT_TRUE(queue.Complete(second, "{}", "{}", ""));
  EXPECT_EQ(host.capacity(), 1);
}

TEST_F(StepQueueTest, AsyncHandlersHaveRoomOfTheirOwn) {
  queue.Consume(1, 2);
  EXPECT_EQ(host.capacity(kSyncPool), 1);
  EXPECT_EQ(host.capacity(kAsyncPool), 2);
  StartAsync();
  const std::string async = Take();
  Start();
  const std::string sync = Take();
  queue.Consume(1, 2);
  EXPECT_EQ(host.capacity(kSyncPool), 0);
  EXPECT_EQ(host.capacity(kAsyncPool), 1);
  EXPECT_TRUE(queue.Complete(async, "{}", "{}", ""));
  EXPECT_EQ(host.capacity(kSyncPool), 0);
  EXPECT_EQ(host.capacity(kAsyncPool), 2);
  EXPECT_TRUE(queue.Complete(sync, "{}", "{}", ""));
  EXPECT_EQ(host.capacity(kSyncPool), 1);
  queue.Consume(0, 0);
  EXPECT_EQ(host.capacity(kAsyncPool), 0);
}

TEST_F(StepQueueTest, WhoTakesAsyncStepsIsGivenNoOthers) {
  queue.Consume(2, 2);
  tasker_call* const sync = Start();
  EXPECT_EQ(queue.TakeAsync(std::chrono::steady_clock::now()), std::nullopt);
  std::string taken;
  std::thread taker(
      [&] { taken = IdOf(queue.TakeAsync(std::chrono::steady_clock::now() + seconds(20))); });
  tasker_call* const async = StartAsync();
  taker.join();
  EXPECT_EQ(queue.CallOf(taken), async);
  StartAsync();
  EXPECT_EQ(queue.CallOf(Take()), sync);
  queue.Close();
  EXPECT_EQ(queue.TakeAsync(std::chrono::steady_clock::now() + seconds(20)), std::nullopt);
}

TEST_F(StepQueueTest, GivesStepsInTheirOrder) {
  queue.Consume(2);
  tasker_call* const first = Start();
  tasker_call* const second = Start();
  EXPECT_EQ(queue.CallOf(Take()), first);
  EXPECT_EQ(queue.CallOf(Take()), second);
  EXPECT_EQ(Take(), "");
}

TEST_F(StepQueueTest, WaitsForAStepThatComesLater) {
  queue.Consume(1);
  std::string taken;
  std::thread taker(
      [&] { taken = IdOf(queue.Take(std::chrono::steady_clock::now() + seconds(20))); });
  tasker_call* const call = Start();
  taker.join();
  EXPECT_EQ(queue.CallOf(taken), call);
}

TEST_F(StepQueueTest, CloseWakesWhoWaits) {
  queue.Consume(1);
  std::thread taker(
      [&] { EXPECT_EQ(queue.Take(std::chrono::steady_clock::now() + seconds(20)), std::nullopt); });
  queue.Close();
  taker.join();
}

TEST_F(StepQueueTest, CloseHandsBackWhatNobodyHasTakenAndTheRestCanBeEnded) {
  queue.Consume(2);
  tasker_call* const taken = Start();
  tasker_call* const waiting = Start();
  const std::string event = Take();
  queue.Close();
  EXPECT_EQ(host.EndOf(waiting), "hand_back");
  EXPECT_EQ(host.EndOf(taken), "");
  EXPECT_TRUE(queue.Complete(event, "{\"a\":1}", "", ""));
  EXPECT_EQ(host.EndOf(taken), "complete {\"a\":1}");
  EXPECT_EQ(host.live_calls(), 0);
}

TEST_F(StepQueueTest, AfterStopGivingNobodyIsGivenAnythingUntilOpen) {
  queue.Consume(2, 1);
  tasker_call* const taken = Start();
  const std::string event = Take();
  tasker_call* const waiting = Start();
  queue.StopGiving();
  EXPECT_EQ(host.EndOf(waiting), "hand_back");
  queue.Consume(3, 3);
  EXPECT_EQ(Poll(), "");
  EXPECT_FALSE(queue.polled());
  EXPECT_EQ(host.EndOf(Start()), "hand_back");
  EXPECT_EQ(host.capacity(kSyncPool), 0);
  EXPECT_EQ(host.capacity(kAsyncPool), 0);
  EXPECT_TRUE(queue.Complete(event, "{}", "", ""));
  EXPECT_EQ(host.EndOf(taken), "complete {}");
  EXPECT_EQ(host.capacity(), 0);
  queue.Open();
  queue.Consume(2);
  EXPECT_EQ(host.capacity(), 2);
}

TEST_F(StepQueueTest, AnAttemptEndsOnce) {
  queue.Consume(3);
  tasker_call* const failed = Start();
  tasker_call* const yielded = Start();
  const std::string first = Take(), second = Take();
  Failure failure;
  failure.type = "TypeError";
  failure.message = "no";
  failure.retry_after = seconds(2);
  failure.context = "{}";
  EXPECT_TRUE(queue.Fail(first, failure));
  EXPECT_FALSE(queue.Fail(first, failure));
  EXPECT_FALSE(queue.Complete(first, "{}", "", ""));
  EXPECT_EQ(host.EndOf(failed), "fail TypeError: no again 2000000000{}");
  EXPECT_TRUE(queue.Yield(second, "{\"cursor\":1}", seconds(1)));
  EXPECT_FALSE(queue.Yield(second, "", seconds(0)));
  EXPECT_EQ(host.EndOf(yielded), "yield {\"cursor\":1} 1000000000");
  EXPECT_FALSE(queue.Complete("nobody took this", "{}", "", ""));
  EXPECT_EQ(host.ReleasesOf(failed), 1);
  EXPECT_EQ(host.ReleasesOf(yielded), 1);
}

TEST_F(StepQueueTest, AnEndThatTheHostRefusesIsToldAndReleasesTheToken) {
  queue.Consume(1);
  tasker_call* const call = Start();
  const std::string event = Take();
  ASSERT_EQ(host.table().hand_back(call), TASKER_OK);
  EXPECT_FALSE(queue.Complete(event, "{}", "", ""));
  EXPECT_EQ(host.ReleasesOf(call), 1);
}

TEST_F(StepQueueTest, ACancelNamesWhatWasTakenAndHandsBackWhatWasNot) {
  queue.Consume(2);
  tasker_call* const taken = Start();
  tasker_call* const waiting = Start();
  const std::string event = Take();
  EXPECT_EQ(queue.Cancel(taken), event);
  EXPECT_EQ(queue.Cancel(waiting), "");
  EXPECT_EQ(host.EndOf(waiting), "hand_back");
  EXPECT_EQ(Take(), "");
  EXPECT_TRUE(queue.Complete(event, "{}", "", ""));
  EXPECT_EQ(queue.Cancel(taken), "");
  EXPECT_EQ(host.ReleasesOf(waiting), 1);
}

TEST_F(StepQueueTest, TellsWhetherAnAttemptMayGoOn) {
  queue.Consume(1);
  Start();
  const std::string event = Take();
  EXPECT_EQ(queue.Heartbeat(event, 0.5, ""), GoOn::kYes);
  EXPECT_EQ(queue.Checkpoint(event, "{}"), TASKER_OK);
  host.answer = TASKER_E_CANCELLED;
  EXPECT_EQ(queue.Heartbeat(event, 0.5, ""), GoOn::kCancelled);
  EXPECT_EQ(queue.Checkpoint(event, "{}"), TASKER_E_CANCELLED);
  host.answer = TASKER_E_STALE;
  EXPECT_EQ(queue.Heartbeat(event, 0.5, ""), GoOn::kStale);
  EXPECT_TRUE(queue.Complete(event, "{}", "", ""));
  host.answer = TASKER_OK;
  EXPECT_EQ(queue.Heartbeat(event, 0.5, ""), GoOn::kStale);
  EXPECT_EQ(queue.Checkpoint(event, "{}"), TASKER_E_STALE);
  EXPECT_EQ(queue.CallOf(event), nullptr);
}

TEST_F(StepQueueTest, APollerIsGivenOneStepBeyondThoseThatItHolds) {
  EXPECT_EQ(Poll(), "");
  EXPECT_TRUE(queue.polled());
  EXPECT_EQ(host.capacity(), 1);
  Start();
  EXPECT_NE(Poll(), "");
  EXPECT_EQ(host.capacity(), 1);
  Start();
  EXPECT_NE(Poll(), "");
  EXPECT_EQ(queue.figures().taken.size(), 2);
}

TEST_F(StepQueueTest, WhatAPollerLeavesGoesBack) {
  Poll();
  tasker_call* const call = Start();
  now = now.load() + StepQueue::kUntakenMax - seconds(1);
  EXPECT_TRUE(queue.LookAfterPoller());
  EXPECT_EQ(host.EndOf(call), "");
  now = now.load() + seconds(1);
  EXPECT_TRUE(queue.LookAfterPoller());
  EXPECT_EQ(host.EndOf(call), "hand_back");
  EXPECT_EQ(host.capacity(), 0);
  EXPECT_EQ(Poll(), "");
  EXPECT_EQ(host.capacity(), 1);
}

TEST_F(StepQueueTest, APollerThatIsGoneIsNamedOnceAndGivenNothing) {
  Poll();
  now = now.load() + StepQueue::kPollerGone;
  EXPECT_TRUE(queue.LookAfterPoller());
  EXPECT_FALSE(queue.LookAfterPoller());
  EXPECT_FALSE(queue.polled());
  EXPECT_EQ(host.capacity(), 0);
  ASSERT_EQ(host.log().size(), 1);
  EXPECT_THAT(host.log(), Contains(HasSubstr("poll_step_events")));
}

TEST_F(StepQueueTest, APollerThatHoldsAStepIsNotGone) {
  Poll();
  Start();
  const std::string event = Poll();
  now = now.load() + 10 * StepQueue::kPollerGone;
  EXPECT_TRUE(queue.LookAfterPoller());
  EXPECT_TRUE(queue.polled());
  EXPECT_THAT(host.log(), IsEmpty());
  EXPECT_TRUE(queue.Complete(event, "{}", "", ""));
}

TEST_F(StepQueueTest, TheEventTellsHowMuchTimeIsLeft) {
  queue.Consume(2);
  Start();
  EXPECT_THAT(*queue.Take({}), HasSubstr("\"_deadline_s\":null}"));
  const auto until = std::chrono::steady_clock::now() + seconds(60);
  Start(std::chrono::nanoseconds(until.time_since_epoch()).count());
  EXPECT_THAT(*queue.Take({}), HasSubstr("\"_deadline_s\":59."));
}

TEST_F(StepQueueTest, AnAttemptThatManyThreadsEndHasOneEnd) {
  queue.Consume(1);
  for (int round = 0; round < 50; ++round) {
    tasker_call* const call = Start();
    const std::string event = Take();
    std::atomic<int> taken{0};
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        const bool won = i % 2 == 0 ? queue.Complete(event, "{}", "", "") : queue.Fail(event, {});
        taken += won ? 1 : 0;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(taken, 1);
    EXPECT_EQ(host.ReleasesOf(call), 1);
  }
}

// Whatever host, consumers, cancels and closing do at once: each token ends once and is released.
TEST_F(StepQueueTest, LosesNothingUnderLoad) {
  constexpr std::uint32_t kSteps = 2000;
  std::vector<tasker_call*> calls;
  for (std::uint32_t i = 0; i < kSteps; ++i) calls.push_back(host.NewCall());
  queue.Consume(64);
  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    for (std::uint32_t i = 0; i < kSteps; ++i) StartAs(calls[i], i, 0, i % kPools);
  });
  threads.emplace_back([&] {
    std::mt19937 random(5);
    for (int i = 0; i < 500; ++i) static_cast<void>(queue.Cancel(calls[random() % kSteps]));
  });
  threads.emplace_back([&] {
    for (std::uint32_t i = 0; i < 200; ++i) queue.Consume(i % 10 == 9 ? 0 : 64, i % 10);
  });
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] {
      while (queue.open()) {
        const auto wait = std::chrono::steady_clock::now() + std::chrono::milliseconds(1);
        const std::string event = IdOf(i == 0   ? queue.Poll()
                                       : i == 1 ? queue.TakeAsync(wait)
                                                : queue.Take(wait));
        if (event.empty()) continue;
        EXPECT_TRUE(queue.Complete(event, "{}", "", ""));
      }
    });
  }
  for (std::size_t i = 0; i < 3; ++i) threads[i].join();
  queue.Close();
  for (std::size_t i = 3; i < threads.size(); ++i) threads[i].join();
  EXPECT_EQ(host.live_calls(), 0);
  for (tasker_call* const call : calls) {
    EXPECT_EQ(host.ReleasesOf(call), 1);
    EXPECT_THAT(host.EndOf(call), ::testing::AnyOf("complete {}", "hand_back"));
  }
}

}  // namespace
}  // namespace tasker::python
