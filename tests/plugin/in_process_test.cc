#include "plugin/in_process.h"

#include <atomic>
#include <barrier>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/log.h"
#include "tests/support/gate.h"
#include "tests/support/plugin_host.h"
#include "tests/support/scripted_plugin.h"

namespace tasker::plugin {
namespace {

using tasker::testing::Gate;
using tasker::testing::In;
using tasker::testing::kSoon;
using tasker::testing::LoadScripted;
using tasker::testing::PluginHost;
using tasker::testing::Say;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class InProcessTest : public ::testing::Test {
 protected:
  void Load(std::function<void(Plugin&)> body, std::string config = "{}") {
    auto loaded = LoadScripted(host_, std::move(body), std::move(config));
    ASSERT_TRUE(loaded) << loaded.error().message;
    instance_ = *std::move(loaded);
  }
  ~InProcessTest() override {
    if (instance_ == nullptr) return;
    const Status stopped = instance_->Stop(In(kSoon));
    EXPECT_TRUE(stopped) << stopped.error().message;
  }

  PluginHost host_;
  std::unique_ptr<Instance> instance_;
};

TEST_F(InProcessTest, AHandlersReturnIsTheAttemptsResult) {
  Load([](Plugin& p) {
    p.handler("echo",
              [](const tasker_step& step, Call&) { return std::string(view(step.context)); });
    p.handler("nothing", [](const tasker_step&, Call&) {});
  });
  EXPECT_EQ(Say(host_.Run(*instance_, "echo", "[1,2]")), "succeeded: [1,2]");
  EXPECT_EQ(Say(host_.Run(*instance_, "nothing")), "succeeded: null");
  EXPECT_EQ(instance_->name(), "scripted");
  EXPECT_EQ(instance_->version(), "1.0");
  EXPECT_EQ(instance_->file(), "built in");
}

TEST_F(InProcessTest, WhatASyncHandlerReturnsIsIgnoredOnceItHasEndedTheAttempt) {
  Load([](Plugin& p) {
    p.handler("yields", [](const tasker_step&, Call& call) {
      EXPECT_EQ(call.yield("{\"row\":3}", std::chrono::milliseconds(2)), TASKER_OK);
      return std::string("\"ignored\"");
    });
    p.handler("completes", [](const tasker_step&, Call& call) {
      EXPECT_EQ(call.complete("1"), TASKER_OK);
      EXPECT_EQ(call.complete("2"), TASKER_E_STALE);
      return std::string("3");
    });
    p.handler("moves", [](const tasker_step&, Call& call) {
      std::jthread([moved = std::move(call)]() mutable {
        EXPECT_EQ(moved.complete("\"moved\""), TASKER_OK);
      });
      return std::string("\"ignored\"");
    });
  });
  EXPECT_EQ(Say(host_.Run(*instance_, "yields")), "yielded {\"row\":3} for 2000 us");
  EXPECT_EQ(Say(host_.Run(*instance_, "completes")), "succeeded: 1");
  EXPECT_EQ(Say(host_.Run(*instance_, "moves")), "succeeded: \"moved\"");
  EXPECT_EQ(host_.ended().size(), 3U);
}

TEST_F(InProcessTest, AnAsyncHandlerEndsItsAttemptFromAnotherThread) {
  Gate gate;
  Load([&](Plugin& p) {
    auto& threads = p.keep<std::vector<std::jthread>>();
    p.handler_async("later", [&](Call call) {
      threads.emplace_back([&gate, call = std::move(call)]() mutable {
        gate.Wait();
        call.complete(view(call.step().context));
      });
    });
  });
  const std::int64_t claim = host_.NextClaim();
  instance_->Start("later", host_.Step(claim, "later", "\"in\""));
  EXPECT_TRUE(host_.ended().empty());
  ASSERT_EQ(instance_->RunningCalls().size(), 1U);
  EXPECT_EQ(instance_->RunningCalls()[0].handler, "later");
  gate.Open();
  EXPECT_EQ(Say(host_.Wait(claim)), "succeeded: \"in\"");
}

TEST_F(InProcessTest, AnExceptionFailsTheAttemptAsItSays) {
  Load([](Plugin& p) {
    p.handler("permanent",
              [](const tasker_step&, Call&) { throw PermanentError("no such customer"); });
    p.handler("retryable", [](const tasker_step&, Call&) {
      throw RetryableError("try later", std::chrono::seconds(7));
    });
    p.handler("other", [](const tasker_step&, Call&) { throw std::out_of_range("index 7"); });
    p.handler("number", [](const tasker_step&, Call&) { throw 7; });
    p.handler_async("async", [](Call) { throw PermanentError("not begun"); });
  });
  EXPECT_EQ(Say(host_.Run(*instance_, "permanent")),
            "failed for good, PermanentError: no such customer");
  const auto retryable = host_.Run(*instance_, "retryable");
  EXPECT_EQ(Say(retryable), "failed, retryable, RetryableError: try later");
  EXPECT_EQ(std::get<workflow::Failed>(retryable->outcome).retry_after, std::chrono::seconds(7));
  EXPECT_EQ(Say(host_.Run(*instance_, "other")), "failed, retryable, Exception: index 7");
  EXPECT_THAT(Say(host_.Run(*instance_, "number")),
              HasSubstr("failed, retryable, Exception: something"));
  EXPECT_EQ(Say(host_.Run(*instance_, "async")), "failed for good, PermanentError: not begun");
}

TEST_F(InProcessTest, AnExceptionAfterTheEndChangesNothing) {
  Load([](Plugin& p) {
    p.handler("late", [](const tasker_step&, Call& call) {
      call.complete("1");
      throw PermanentError("too late");
    });
  });
  EXPECT_EQ(Say(host_.Run(*instance_, "late")), "succeeded: 1");
  EXPECT_EQ(host_.ended().size(), 1U);
}

TEST_F(InProcessTest, ACallThatIsLetGoOfFailsRetryable) {
  Load([](Plugin& p) { p.handler_async("drops", [](Call) {}); });
  EXPECT_EQ(
      Say(host_.Run(*instance_, "drops")),
      "failed, retryable, tasker.dropped: handler 'drops' let go of the attempt without ending it");
}

TEST_F(InProcessTest, AHandlerThatIsNotThereHandsBack) {
  Load([](Plugin&) {});
  EXPECT_EQ(Say(host_.Run(*instance_, "gone")), "handed back");
}

TEST_F(InProcessTest, HandlersComeAndGoWhileReady) {
  Plugin* plugin = nullptr;
  Load([&](Plugin& p) { plugin = &p; });
  const int before = host_.demand_changes();
  plugin->handler("new", [](const tasker_step&, Call&) { return "1"; });
  EXPECT_GT(host_.demand_changes(), before);
  ASSERT_TRUE(host_.registry.Find("new").has_value());
  EXPECT_EQ(host_.registry.Find("new")->instance, instance_.get());
  EXPECT_EQ(Say(host_.Run(*instance_, "new")), "succeeded: 1");
  EXPECT_EQ(plugin->unregister_handler("new"), TASKER_OK);
  EXPECT_EQ(plugin->unregister_handler("new"), TASKER_E_INVALID);
  EXPECT_FALSE(host_.registry.Find("new").has_value());
  EXPECT_EQ(Say(host_.Run(*instance_, "new")), "handed back");
  plugin->handler("new", [](const tasker_step&, Call&) { return "2"; });
  EXPECT_EQ(Say(host_.Run(*instance_, "new")), "succeeded: 2");
}

TEST_F(InProcessTest, AnAttemptThatRunsOutlivesItsHandlersUnregistration) {
  Gate begun;
  Gate gate;
  Plugin* plugin = nullptr;
  Load([&](Plugin& p) {
    plugin = &p;
    p.handler("slow", [&](const tasker_step&, Call&) {
      begun.Open();
      gate.Wait();
      return "1";
    });
  });
  std::jthread executor([&] { instance_->Start("slow", host_.Step(1, "slow")); });
  ASSERT_TRUE(begun.Wait());
  EXPECT_EQ(plugin->unregister_handler("slow"), TASKER_OK);
  gate.Open();
  EXPECT_EQ(Say(host_.Wait(1)), "succeeded: 1");
}

TEST_F(InProcessTest, ATakenIdIsRefusedAndNamesBothPlugins) {
  Plugin* plugin = nullptr;
  Load([&](Plugin& p) {
    plugin = &p;
    p.handler("mine", [](const tasker_step&, Call&) {});
  });
  try {
    plugin->handler("mine", [](const tasker_step&, Call&) {});
    ADD_FAILURE() << "registered twice";
  } catch (const RegistrationError& error) {
    EXPECT_EQ(error.status, TASKER_E_EXISTS);
  }
  EXPECT_EQ(Say(host_.Run(*instance_, "mine")), "succeeded: null");
}

TEST_F(InProcessTest, AFailedInitLeavesNothingRegistered) {
  const auto loaded = LoadScripted(host_, [](Plugin& p) {
    p.handler("first", [](const tasker_step&, Call&) {});
    throw std::runtime_error("no database");
  });
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().message, "plugin built in: its init failed (E_INTERNAL): no database");
  EXPECT_TRUE(host_.registry.List().empty());
  Load([](Plugin& p) { p.handler("first", [](const tasker_step&, Call&) { return "1"; }); });
  EXPECT_EQ(Say(host_.Run(*instance_, "first")), "succeeded: 1");
}

TEST_F(InProcessTest, AnIllegalIdIsRefusedWithTheHostsReason) {
  const auto loaded =
      LoadScripted(host_, [](Plugin& p) { p.handler(" x", [](const tasker_step&, Call&) {}); });
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message,
              HasSubstr("its init failed (E_INVALID): ' x' is no handler id"));
}

TEST_F(InProcessTest, ALibraryHasOneLiveInstance) {
  Load([](Plugin&) {});
  const auto second = LoadScripted(host_, [](Plugin&) {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  ASSERT_TRUE(instance_->Stop(In(kSoon)));
  instance_.reset();
  Load([](Plugin&) {});
}

TEST_F(InProcessTest, ThePluginGetsItsConfiguration) {
  Load(
      [](Plugin& p) {
        p.handler("config", [&p](const tasker_step&, Call&) { return std::string(p.config()); });
      },
      "{\"url\":\"x\"}");
  EXPECT_EQ(Say(host_.Run(*instance_, "config")), "succeeded: {\"url\":\"x\"}");
}

TEST_F(InProcessTest, StartsOfASerialHandlerNeverOverlap) {
  constexpr int kThreads = 4;
  constexpr int kEach = 50;
  std::atomic<int> inside{0};
  std::atomic<int> overlaps{0};
  Load([&](Plugin& p) {
    Options serial;
    serial.threads = TASKER_THREADS_SERIAL;
    p.handler(
        "serial",
        [&](const tasker_step&, Call&) {
          if (inside.fetch_add(1) != 0) overlaps.fetch_add(1);
          std::this_thread::yield();
          inside.fetch_sub(1);
        },
        serial);
  });
  {
    std::barrier begin(kThreads);
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        begin.arrive_and_wait();
        for (int i = 0; i < kEach; ++i)
          instance_->Start("serial", host_.Step(host_.NextClaim(), "serial"));
      });
    }
  }
  EXPECT_EQ(host_.ended().size(), static_cast<std::size_t>(kThreads * kEach));
  EXPECT_EQ(overlaps, 0);
}

TEST_F(InProcessTest, TheCapacityOfARuntimeCountsDown) {
  Plugin* plugin = nullptr;
  Load([&](Plugin& p) {
    plugin = &p;
    Options runtime;
    runtime.threads = TASKER_THREADS_RUNTIME;
    runtime.pool = 3;
    p.handler(
        "runtime", [](const tasker_step&, Call&) {}, runtime);
  });
  EXPECT_EQ(instance_->Capacity(3), 0U);
  EXPECT_EQ(Say(host_.Run(*instance_, "runtime")), "handed back");
  const int before = host_.demand_changes();
  plugin->set_capacity(3, 2);
  EXPECT_EQ(host_.demand_changes(), before + 1);
  EXPECT_EQ(instance_->Capacity(3), 2U);
  EXPECT_EQ(Say(host_.Run(*instance_, "runtime")), "succeeded: null");
  EXPECT_EQ(instance_->Capacity(3), 1U);
  plugin->set_capacity(3, 0);
  EXPECT_EQ(host_.demand_changes(), before + 1);
  EXPECT_EQ(Say(host_.Run(*instance_, "runtime")), "handed back");
}

TEST_F(InProcessTest, ACancelReachesTheHeartbeatAndTheHandlersCancel) {
  Gate begun;
  std::atomic<const tasker_call*> cancelled{nullptr};
  std::atomic<std::int32_t> why{0};
  std::atomic<const tasker_call*> token{nullptr};
  Gate asked;
  Load([&](Plugin& p) {
    Options options;
    options.caps = TASKER_CAP_CANCEL;
    options.cancel = [&](const tasker_call* call, std::int32_t reason) {
      cancelled = call;
      why = reason;
      asked.Open();
    };
    p.handler(
        "slow",
        [&](const tasker_step&, Call& call) {
          token = call.token();
          EXPECT_TRUE(call.alive(0.25, "quarter"));
          begun.Open();
          EXPECT_TRUE(asked.Wait());
          EXPECT_FALSE(call.alive());
          throw PermanentError("stopped");
        },
        options);
  });
  std::jthread executor([&] { instance_->Start("slow", host_.Step(1, "slow")); });
  ASSERT_TRUE(begun.Wait());
  const auto running = instance_->RunningCalls();
  ASSERT_EQ(running.size(), 1U);
  EXPECT_EQ(running[0].progress, 0.25);
  EXPECT_EQ(running[0].note, "quarter");
  instance_->Cancel(2, CancelReason::kTimeout);
  EXPECT_FALSE(asked.IsOpen());
  instance_->Cancel(1, CancelReason::kTimeout);
  EXPECT_EQ(Say(host_.Wait(1)), "failed for good, PermanentError: stopped");
  EXPECT_EQ(why, TASKER_CANCEL_TIMEOUT);
  EXPECT_EQ(cancelled.load(), token.load());
}

TEST_F(InProcessTest, ACheckpointAnswersAsTheHostDid) {
  std::vector<tasker_status> answers;
  Load([&](Plugin& p) {
    p.handler("saves", [&](const tasker_step&, Call& call) {
      answers.push_back(call.checkpoint("{\"row\":1}"));
      host_.AnswerCheckpoints(Conflict("not yours"));
      answers.push_back(call.checkpoint("2"));
      host_.AnswerCheckpoints(Unavailable("the host stops"));
      answers.push_back(call.checkpoint("3"));
      answers.push_back(call.checkpoint("no json"));
      call.complete("1");
      answers.push_back(call.checkpoint("4"));
    });
  });
  host_.Run(*instance_, "saves");
  EXPECT_THAT(answers, ElementsAre(TASKER_OK, TASKER_E_STALE, TASKER_E_BUSY, TASKER_E_INVALID,
                                   TASKER_E_STALE));
  const auto saved = host_.checkpoints();
  ASSERT_EQ(saved.size(), 3U);
  EXPECT_EQ(saved[0].second, "{\"row\":1}");
}

TEST_F(InProcessTest, ALogLineOfAnAttemptNamesItAndKeepsTheHostsFields) {
  Load([](Plugin& p) {
    p.handler("logs", [](const tasker_step&, Call& call) {
      call.log(TASKER_LOG_WARNING, "slow disk",
               R"({"ms":12,"handler":"forged","nested":{"a":"payload"}})");
    });
  });
  ::testing::internal::CaptureStderr();
  host_.Run(*instance_, "logs");
  log::Stop();
  const std::string line = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(line, HasSubstr("slow disk"));
  EXPECT_THAT(line, HasSubstr("logs"));
  EXPECT_THAT(line, HasSubstr("scripted"));
  EXPECT_THAT(line, HasSubstr("12"));
  EXPECT_THAT(line, HasSubstr("00000000-0000-0000-0000-000000000000"));
  EXPECT_THAT(line, ::testing::Not(HasSubstr("forged")));
  EXPECT_THAT(line, ::testing::Not(HasSubstr("payload")));
}

// A table in C++ without the header's trampolines, whose start throws.
tasker_status ThrowingStart(void*, const tasker_step*, tasker_call*, tasker_error*) {
  throw std::runtime_error("through the ABI");
}

tasker_status RegisterThrowing(const tasker_host* host, tasker_plugin* plugin, tasker_bytes, void**,
                               tasker_error* error) {
  static const tasker_handler_ops ops = {sizeof ops, 0, &ThrowingStart, nullptr, nullptr};
  tasker_handler handler{};
  handler.size = sizeof handler;
  handler.id = {"throws", 6};
  handler.ops = &ops;
  return host->register_handler(plugin, &handler, error);
}

TEST_F(InProcessTest, AnExceptionThroughTheAbiFailsTheAttemptAlone) {
  static const tasker_plugin_entry entry = {
      sizeof entry, 0, 0, 0, {"raw", 3}, {}, &RegisterThrowing, nullptr, nullptr, nullptr, nullptr};
  auto loaded = InProcess::FromEntry(entry, host_.registry, host_.calls, host_.limits, "{}");
  ASSERT_TRUE(loaded) << loaded.error().message;
  instance_ = *std::move(loaded);
  EXPECT_EQ(Say(host_.Run(*instance_, "throws")),
            "failed, retryable, tasker.refused: handler 'throws' of plugin raw did not start "
            "(E_INTERNAL): an "
            "exception left start(), which the ABI forbids");
}

}  // namespace
}  // namespace tasker::plugin
