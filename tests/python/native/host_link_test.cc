#include "host_link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "json_text.h"
#include "tests/python/native/fake_host.h"
#include "tests/support/gate.h"

namespace tasker::python {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class HostLinkTest : public ::testing::Test {
 protected:
  void Attach() { link.Attach(&host.table(), host.plugin()); }
  void Register(std::string_view id) {
    tasker_handler handler{};
    handler.size = sizeof handler;
    handler.id = Str(id);
    link.Register(handler);
  }

  testing::FakeHost host;
  HostLink link;
};

TEST_F(HostLinkTest, ReachesNobodyBeforeAndAfterItsPlugin) {
  for (const bool was_attached : {false, true}) {
    if (was_attached) {
      Attach();
      link.Detach();
    }
    EXPECT_FALSE(link.attached());
    link.SetCapacity(0, 7);
    EXPECT_FALSE(link.Log(nullptr, TASKER_LOG_INFO, "line", ""));
    EXPECT_THROW(Register("a"), NoHost);
    EXPECT_FALSE(link.Unregister("a"));
    EXPECT_THROW(link.Client("get_task", "{}"), NoHost);
    EXPECT_EQ(link.Status(), "{}");
  }
  EXPECT_THAT(host.capacities(), IsEmpty());
  EXPECT_THAT(host.log(), IsEmpty());
}

TEST_F(HostLinkTest, PassesOnWhatItIsTold) {
  Attach();
  link.SetCapacity(0, 7);
  EXPECT_EQ(host.capacity(), 7);
  EXPECT_TRUE(link.Log(nullptr, TASKER_LOG_INFO, "line", ""));
  EXPECT_THAT(host.log(), ElementsAre("line"));
  Register("a");
  EXPECT_THAT(host.registered(), ElementsAre("a"));
  EXPECT_TRUE(link.Unregister("a"));
  EXPECT_FALSE(link.Unregister("a"));
  EXPECT_EQ(link.Client("get_task", "{}"), "get_task {}");
  EXPECT_EQ(link.Status(), R"({"ready":true})");
  EXPECT_EQ(host.replies_released, 2);
}

TEST_F(HostLinkTest, TellsWhyTheHostRefused) {
  Attach();
  host.answer = TASKER_E_EXISTS;
  host.sentence = "the id is taken";
  try {
    Register("a");
    FAIL();
  } catch (const HostError& error) {
    EXPECT_EQ(error.status, TASKER_E_EXISTS);
    EXPECT_STREQ(error.what(), "the id is taken");
  }
  host.sentence = "";
  host.answer = TASKER_E_BUSY;
  try {
    static_cast<void>(link.Client("get_task", "{}"));
    FAIL();
  } catch (const HostError& error) {
    EXPECT_EQ(error.status, TASKER_E_BUSY);
    EXPECT_STREQ(error.what(), "the host refused this call");
  }
}

TEST_F(HostLinkTest, AnOlderHostIsNamed) {
  Attach();
  host.has_extensions = false;
  EXPECT_EQ(link.Status(), "{}");
  try {
    static_cast<void>(link.Client("get_task", "{}"));
    FAIL();
  } catch (const HostError& error) {
    EXPECT_EQ(error.status, TASKER_E_UNSUPPORTED);
    EXPECT_THAT(error.what(), HasSubstr(TASKER_EXT_CLIENT));
  }
}

TEST_F(HostLinkTest, DetachWaitsForACallUnderWay) {
  Attach();
  testing::Gate entered, may_return;
  std::atomic<bool> returned{false};
  host.in_client = [&] {
    entered.Open();
    EXPECT_TRUE(may_return.Wait());
    returned = true;
  };
  std::thread caller([&] { EXPECT_EQ(link.Client("get_task", "{}"), "get_task {}"); });
  ASSERT_TRUE(entered.Wait());
  std::thread detacher([&] {
    link.Detach();
    EXPECT_TRUE(returned);
  });
  may_return.Open();
  caller.join();
  detacher.join();
  EXPECT_FALSE(link.attached());
}

// A call of one thread returns when the other thread has begun its next: there is always one.
TEST_F(HostLinkTest, DetachIsNotHeldUpByCallsThatComeAfterIt) {
  Attach();
  std::atomic<int> entered{0};
  std::atomic<bool> refused{false};
  host.in_client = [&] {
    for (const int mine = ++entered; entered == mine && !refused;) std::this_thread::yield();
  };
  std::vector<std::thread> callers;
  callers.reserve(2);
  for (int i = 0; i < 2; ++i) {
    callers.emplace_back([&] {
      const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
      try {
        while (std::chrono::steady_clock::now() < until)
          static_cast<void>(link.Client("get_task", "{}"));
      } catch (const NoHost&) {
      }
      EXPECT_FALSE(link.attached());
      refused = true;
    });
  }
  while (entered < 100) std::this_thread::yield();
  link.Detach();
  for (std::thread& caller : callers) caller.join();
}

}  // namespace
}  // namespace tasker::python
