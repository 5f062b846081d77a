#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tasker/ext/status.h>

#include "plugin/in_process.h"
#include "tests/support/gate.h"
#include "tests/support/plugin_host.h"
#include "tests/support/scripted_plugin.h"

namespace tasker::plugin {
namespace {

using std::chrono::milliseconds;
using tasker::testing::Gate;
using tasker::testing::In;
using tasker::testing::kSoon;
using tasker::testing::LoadScripted;
using tasker::testing::PluginHost;
using tasker::testing::Say;
using ::testing::HasSubstr;

class ShutdownTest : public ::testing::Test {
 protected:
  void Load(std::function<void(Plugin&)> body) {
    auto loaded = LoadScripted(host_, std::move(body));
    ASSERT_TRUE(loaded) << loaded.error().message;
    instance_ = *std::move(loaded);
  }

  PluginHost host_;
  std::unique_ptr<Instance> instance_;
};

TEST_F(ShutdownTest, DrainComesBeforeShutdownOnTheThreadOfInit) {
  std::vector<std::string> calls;
  std::vector<std::thread::id> threads;
  const auto note = [&](std::string call) {
    calls.push_back(std::move(call));
    threads.push_back(std::this_thread::get_id());
  };
  const Steady deadline = In(kSoon);
  Load([&](Plugin& p) {
    note("init");
    p.on_drain(
        [&](Steady until) { note(until == deadline ? "drain" : "drain with another deadline"); });
    p.on_shutdown([&] { note("shutdown"); });
  });
  ASSERT_TRUE(instance_->Stop(deadline));
  EXPECT_EQ(calls, (std::vector<std::string>{"init", "drain", "shutdown"}));
  EXPECT_EQ(threads[0], threads[1]);
  EXPECT_EQ(threads[0], threads[2]);
  EXPECT_NE(threads[0], std::this_thread::get_id());
  EXPECT_TRUE(host_.registry.List().empty());
}

TEST_F(ShutdownTest, AStoppedInstanceHandsBackAndStopsOnce) {
  int drains = 0;
  Load([&](Plugin& p) {
    p.on_drain([&](Steady) { ++drains; });
    p.handler("h", [](const tasker_step&, Call&) {});
  });
  ASSERT_TRUE(instance_->Stop(In(kSoon)));
  EXPECT_TRUE(instance_->Stop(In(kSoon)));
  EXPECT_EQ(drains, 1);
  EXPECT_EQ(Say(host_.Run(*instance_, "h")), "handed back");
}

TEST_F(ShutdownTest, StopWaitsForWhatRuns) {
  Gate begun;
  Gate draining;
  bool ended = false;
  bool ended_before_shutdown = false;
  Load([&](Plugin& p) {
    p.on_drain([&](Steady) { draining.Open(); });
    p.on_shutdown([&] { ended_before_shutdown = ended; });
    p.handler("slow", [&](const tasker_step&, Call&) {
      begun.Open();
      draining.Wait();
      ended = true;
    });
  });
  std::jthread executor([&] { instance_->Start("slow", host_.Step(1, "slow")); });
  ASSERT_TRUE(begun.Wait());
  ASSERT_TRUE(instance_->Stop(In(kSoon)));
  EXPECT_TRUE(ended_before_shutdown);
  EXPECT_EQ(Say(host_.Wait(1)), "succeeded: null");
}

TEST_F(ShutdownTest, WhatWaitsForASerialHandlerIsHandedBack) {
  Gate begun;
  Gate draining;
  Load([&](Plugin& p) {
    p.on_drain([&](Steady) { draining.Open(); });
    Options serial;
    serial.threads = TASKER_THREADS_SERIAL;
    p.handler(
        "serial",
        [&](const tasker_step&, Call&) {
          begun.Open();
          draining.Wait();
        },
        serial);
  });
  std::jthread executor([&] { instance_->Start("serial", host_.Step(1, "serial")); });
  ASSERT_TRUE(begun.Wait());
  instance_->Start("serial", host_.Step(2, "serial"));
  instance_->Start("serial", host_.Step(3, "serial"));
  EXPECT_EQ(instance_->RunningCalls().size(), 3U);
  ASSERT_TRUE(instance_->Stop(In(kSoon)));
  EXPECT_EQ(Say(host_.Wait(1)), "succeeded: null");
  EXPECT_EQ(Say(host_.Wait(2)), "handed back");
  EXPECT_EQ(Say(host_.Wait(3)), "handed back");
}

TEST_F(ShutdownTest, NothingIsRegisteredWhileEnding) {
  tasker_status registered = TASKER_OK;
  Load([&](Plugin& p) {
    p.on_drain([&](Steady) {
      try {
        p.handler("late", [](const tasker_step&, Call&) {});
      } catch (const RegistrationError& error) {
        registered = error.status;
      }
    });
  });
  ASSERT_TRUE(instance_->Stop(In(kSoon)));
  EXPECT_EQ(registered, TASKER_E_WRONG_STATE);
  EXPECT_TRUE(host_.registry.List().empty());
}

// Its handler does not return before the gate opens; what happened to it is in the gates and in
// `answer`.
struct Stuck {
  Gate begun, gate, returned;
  std::atomic<bool> shut_down{false};
  std::atomic<tasker_status> answer{TASKER_OK};

  std::function<void(Plugin&)> Body() {
    return [this](Plugin& p) {
      p.on_shutdown([this] { shut_down = true; });
      p.handler("stuck", [this](const tasker_step&, Call& call) {
        begun.Open();
        gate.Wait();
        answer = call.complete("1");
      });
    };
  }
};

TEST_F(ShutdownTest, AStuckPluginIsLeftBehindAndNamed) {
  Stuck stuck;
  Load(stuck.Body());
  std::jthread executor([&] { instance_->Start("stuck", host_.Step(7, "stuck")); });
  ASSERT_TRUE(stuck.begun.Wait());
  const Status stopped = instance_->Stop(In(milliseconds(30)));
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kTimeout);
  EXPECT_THAT(stopped.error().message,
              HasSubstr("plugin built in was left as it is, without shutdown: handler "
                        "'stuck' (step 'step 7') has run for 0."));
  EXPECT_EQ(Say(host_.Wait(7)), "handed back, started");
  EXPECT_EQ(instance_->Stop(In(kSoon)).error(), stopped.error());

  const auto refused = LoadScripted(host_, [](Plugin&) {});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("calls of its last instance have not returned"));

  stuck.gate.Open();
  executor.join();
  EXPECT_EQ(stuck.answer, TASKER_E_STALE);
  EXPECT_FALSE(stuck.shut_down);
  EXPECT_EQ(host_.ended().size(), 1U);
  instance_.reset();
  Load([](Plugin& p) { p.handler("again", [](const tasker_step&, Call&) {}); });
  EXPECT_EQ(Say(host_.Run(*instance_, "again")), "succeeded: null");
  EXPECT_TRUE(instance_->Stop(In(kSoon)));
}

TEST_F(ShutdownTest, APluginThatWasLeftBehindReachesNobody) {
  Stuck stuck;
  auto host = std::make_unique<PluginHost>();
  auto loaded = LoadScripted(*host, stuck.Body());
  ASSERT_TRUE(loaded) << loaded.error().message;
  // Owns what it needs, as an executor that is abandoned with its handler does.
  std::jthread executor(
      [instance = loaded->get()] { instance->Start("stuck", PluginHost::Step(1, "stuck")); });
  ASSERT_TRUE(stuck.begun.Wait());
  EXPECT_FALSE((*loaded)->Stop(In(milliseconds(5))));
  loaded->reset();
  host.reset();
  stuck.gate.Open();
  executor.join();
  EXPECT_EQ(stuck.answer, TASKER_E_STALE);
}

TEST_F(ShutdownTest, ATokenThatIsNotReleasedIsNamed) {
  std::vector<Call> kept;
  Load([&](Plugin& p) {
    p.handler_async("keeps", [&](Call call) {
      call.complete("1");
      kept.push_back(std::move(call));
    });
  });
  EXPECT_EQ(Say(host_.Run(*instance_, "keeps")), "succeeded: 1");
  const Status stopped = instance_->Stop(In(milliseconds(5)));
  ASSERT_FALSE(stopped);
  EXPECT_THAT(stopped.error().message, HasSubstr("ended, but did not return or release its token"));
  instance_.reset();
  kept.clear();
  Load([](Plugin&) {});
  EXPECT_TRUE(instance_->Stop(In(kSoon)));
}

TEST_F(ShutdownTest, TheLedgerCountsWhatIsHeldByHandler) {
  std::vector<Call> kept;
  std::vector<tasker_bytes> replies(2);
  Load([&](Plugin& p) {
    const auto* const status =
        static_cast<const tasker_status_ext*>(p.extension(TASKER_EXT_STATUS));
    for (tasker_bytes& reply : replies) ASSERT_EQ(status->status(p.record(), &reply), TASKER_OK);
    p.handler_async("keeps", [&](Call call) {
      call.complete("1");
      kept.push_back(std::move(call));
    });
    p.handler_async("never ends", [&](Call call) { kept.push_back(std::move(call)); });
    p.handler("good", [](const tasker_step&, Call&) {});
  });
  host_.Run(*instance_, "keeps");
  host_.Run(*instance_, "good");
  for (const std::int64_t claim : {101, 102})
    instance_->Start("never ends", host_.Step(claim, "never ends"));
  EXPECT_FALSE(instance_->Stop(In(milliseconds(5))));
  const Ledger leaked = instance_->Leaked();
  EXPECT_EQ(leaked.ToString(),
            "1 unreleased token of handler 'keeps', 2 unfinished attempts of handler 'never ends', "
            "2 unreleased buffers");
  instance_.reset();
  kept.clear();
  for (tasker_bytes& reply : replies) reply.release(&reply);
}

TEST_F(ShutdownTest, ABufferThatIsHeldAfterShutdownIsInTheLedger) {
  tasker_bytes reply{};
  Load([&](Plugin& p) {
    static_cast<const tasker_status_ext*>(p.extension(TASKER_EXT_STATUS))
        ->status(p.record(), &reply);
  });
  EXPECT_TRUE(instance_->Stop(In(kSoon)));
  EXPECT_EQ(instance_->Leaked().ToString(), "1 unreleased buffer");
  instance_.reset();
  reply.release(&reply);
  Load([](Plugin&) {});
  EXPECT_TRUE(instance_->Stop(In(kSoon)));
  EXPECT_TRUE(instance_->Leaked().empty());
}

TEST_F(ShutdownTest, ACancelThatBlocksIsNamed) {
  Gate begun;
  Gate asked;
  const auto gate =
      std::make_shared<Gate>();  // owners: this test, and the plugin that is left behind
  Load([&](Plugin& p) {
    Options options;
    options.cancel = [&, gate](const tasker_call*, std::int32_t) {
      asked.Open();
      gate->Wait();
    };
    p.handler(
        "h",
        [&](const tasker_step&, Call&) {
          begun.Open();
          asked.Wait();
        },
        options);
  });
  std::jthread executor([&] { instance_->Start("h", host_.Step(1, "h")); });
  ASSERT_TRUE(begun.Wait());
  instance_->Cancel(1, CancelReason::kShutdown);
  executor.join();
  const Status stopped = instance_->Stop(In(milliseconds(5)));
  ASSERT_FALSE(stopped);
  EXPECT_THAT(stopped.error().message, HasSubstr("its cancel of 'h' has not returned"));
  gate->Open();
  // It may start again as soon as the cancel has returned.
  const Steady deadline = In(kSoon);
  auto again = LoadScripted(host_, [](Plugin&) {});
  while (!again && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
    again = LoadScripted(host_, [](Plugin&) {});
  }
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_TRUE((*again)->Stop(In(kSoon)));
}

TEST_F(ShutdownTest, OfStartsThatRaceAStopEachEndsOnce) {
  constexpr int kThreads = 3;
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    PluginHost host;
    auto loaded = LoadScripted(host, [](Plugin& p) {
      Options serial;
      serial.threads = TASKER_THREADS_SERIAL;
      p.handler("plain", [](const tasker_step&, Call&) {});
      p.handler(
          "serial", [](const tasker_step&, Call&) {}, serial);
    });
    ASSERT_TRUE(loaded) << loaded.error().message;
    std::atomic<int> starts{0};
    std::atomic<bool> stopped{false};
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, id = t == 0 ? "plain" : "serial"] {
        while (!stopped) {
          (*loaded)->Start(id, PluginHost::Step(starts.fetch_add(1) + 1, id));
        }
      });
    }
    while (starts < 50) std::this_thread::yield();
    EXPECT_TRUE((*loaded)->Stop(In(kSoon)));
    stopped = true;
    threads.clear();
    std::vector<int> ends(static_cast<std::size_t>(starts) + 1);
    for (const auto& ended : host.ended()) ++ends[static_cast<std::size_t>(ended.claim)];
    for (int claim = 1; claim <= starts; ++claim)
      ASSERT_EQ(ends[static_cast<std::size_t>(claim)], 1) << claim;
  }
}

}  // namespace
}  // namespace tasker::plugin
