#include "pipeline/host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "store/reads.h"
#include "store/store.h"
#include "tests/support/scoped_temp_dir.h"

namespace tasker::pipeline {
namespace {

using ::testing::HasSubstr;
using workflow::TaskState;

constexpr const char* kGreet = R"(
name: greet
namespace_name: tests
version: "1.0.0"
steps:
  - {name: a, handler: {callable: hello.greet}}
  - {name: b, handler: {callable: hello.greet}, dependencies: [a]}
)";
constexpr const char* kUnserved = R"(
name: unserved
namespace_name: tests
version: "1.0.0"
steps:
  - {name: a, handler: {callable: nobody.has.this}}
)";

class HostTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_.Write("templates/greet.yaml", kGreet);
    dir_.Write("templates/unserved.yaml", kUnserved);
    config_.worker.id = "test";
    config_.store.path = (dir_.path() / "x.db").string();
    config_.templates.paths = {(dir_.path() / "templates").string()};
    config_.plugins.dirs = {TASKER_TEST_PLUGINS};
  }
  static Steady In(std::chrono::seconds from_now) {
    return std::chrono::steady_clock::now() + from_now;
  }

  std::unique_ptr<Host> StartHost() {
    auto host = Host::Start(config_);
    EXPECT_TRUE(host) << host.error().message;
    return host ? *std::move(host) : nullptr;
  }

  testing::ScopedTempDir dir_;
  config::Config config_;
};

TEST_F(HostTest, RunsATaskWithTheHandlersOfAPluginFolder) {
  const auto host = StartHost();
  ASSERT_TRUE(host);
  EXPECT_TRUE(host->status().ready) << host->status().not_ready;
  const auto submitted = host->Submit("tests/greet", {});
  ASSERT_TRUE(submitted) << submitted.error().message;
  const auto state = host->WaitSettled(submitted->task, In(std::chrono::seconds(20)));
  ASSERT_TRUE(state) << state.error().message;
  EXPECT_EQ(*state, TaskState::kComplete);
  EXPECT_TRUE(host->Stop(In(std::chrono::seconds(10))));
}

TEST_F(HostTest, MakesOneTaskOfTheSameKey) {
  const auto host = StartHost();
  ASSERT_TRUE(host);
  Submission submission;
  submission.key = "k";
  const auto first = host->Submit("greet", submission);
  const auto second = host->Submit("greet", submission);
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(first->duplicate);
  EXPECT_TRUE(second->duplicate);
  EXPECT_EQ(first->task, second->task);
}

TEST_F(HostTest, SaysWhichTemplateItDoesNotKnow) {
  const auto host = StartHost();
  ASSERT_TRUE(host);
  const auto submitted = host->Submit("great", {});
  ASSERT_FALSE(submitted);
  EXPECT_THAT(submitted.error().message, HasSubstr("tests/greet@1.0.0"));
}

TEST_F(HostTest, WaitsInVainForATaskThatNobodyServes) {
  const auto host = StartHost();
  ASSERT_TRUE(host);
  const auto submitted = host->Submit("unserved", {});
  ASSERT_TRUE(submitted);
  const auto state = host->WaitSettled(submitted->task, std::chrono::steady_clock::now());
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, ErrorCode::kTimeout);
}

TEST_F(HostTest, KnowsNoTaskThatWasNeverSubmitted) {
  const auto host = StartHost();
  ASSERT_TRUE(host);
  const auto state = host->WaitSettled(Uuid::New(), In(std::chrono::seconds(20)));
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, ErrorCode::kNotFound);
}

TEST_F(HostTest, StartsAlthoughATemplateAndAFolderAreBad) {
  dir_.Write("templates/bad.yaml", "name: [");
  config_.plugins.dirs.insert(config_.plugins.dirs.begin(), (dir_.path() / "none").string());
  const auto host = StartHost();
  ASSERT_TRUE(host);
  EXPECT_TRUE(host->Submit("greet", {}));
}

TEST_F(HostTest, DoesNotStartOnAStoreThatItCannotOpen) {
  config_.store.path = dir_.Write("no.db", std::string(8192, 'x'));
  EXPECT_FALSE(Host::Start(config_));
}

TEST_F(HostTest, LeavesTheStoreAndTakesItUpAgain) {
  Uuid task;
  {
    const auto host = StartHost();
    ASSERT_TRUE(host);
    const auto submitted = host->Submit("unserved", {});
    ASSERT_TRUE(submitted);
    task = submitted->task;
    EXPECT_TRUE(host->Stop(In(std::chrono::seconds(10))));
    EXPECT_TRUE(host->Stop(In(std::chrono::seconds(10))));
    EXPECT_FALSE(host->Submit("greet", {}));
    EXPECT_FALSE(host->status().ready);
  }
  const auto host = StartHost();
  ASSERT_TRUE(host);
  const auto state = host->WaitSettled(task, std::chrono::steady_clock::now());
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, ErrorCode::kTimeout);
}

TEST_F(HostTest, RefusesAChangedTextOfAVersionUnderStrict) {
  config_.templates.strict = true;
  { ASSERT_TRUE(StartHost()); }
  dir_.Write("templates/greet.yaml", std::string(kGreet) + "# changed\n");
  {
    const auto host = StartHost();
    ASSERT_TRUE(host);
    EXPECT_FALSE(host->Submit("greet", {}));
  }
  config_.templates.strict = false;
  const auto host = StartHost();
  ASSERT_TRUE(host);
  EXPECT_TRUE(host->Submit("greet", {}));
}

// A worker that never left: its process is gone, or gave up.
TEST_F(HostTest, BuriesAWorkerThatDiedAndGoesOnWithItsSteps) {
  Uuid task;
  {
    store::OpenOptions options;
    options.path = config_.store.path;
    const auto store = store::Store::Open(options);
    ASSERT_TRUE(store) << store.error().message;
    store::NewWorker worker;
    worker.uuid = Uuid::New();
    worker.pid = 1;
    const auto id = (*store)->Join(worker);
    ASSERT_TRUE(id) << id.error().message;
    const store::NewTemplate text{"tests", "greet", "1.0.0", "0", kGreet};
    const auto registered = (*store)->Register(std::span(&text, 1));
    ASSERT_TRUE(registered) << registered.error().message;
    const store::HandlerName name{"hello.greet", "", false};
    store::TurnInput turn;
    turn.worker = *id;
    turn.now =
        std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    turn.demand = {{*(*store)->Intern(std::span(&name, 1)), 1}};
    turn.free_total = 1;
    store::Submit submit;
    submit.task = task = Uuid::New();
    submit.template_id = registered->front().id;
    turn.events = {submit};
    const auto out = (*store)->Commit(turn);
    ASSERT_TRUE(out) << out.error().message;
    ASSERT_EQ(out->claimed.size(), 1U);
    (*store)->slots().Set(0, out->claimed[0].claim, std::chrono::steady_clock::now());
  }
  const auto host = StartHost();
  ASSERT_TRUE(host);
  const auto state = host->WaitSettled(task, In(std::chrono::seconds(20)));
  ASSERT_TRUE(state) << state.error().message;
  EXPECT_EQ(*state, TaskState::kComplete);
  EXPECT_TRUE(host->Stop(In(std::chrono::seconds(10))));
}

}  // namespace
}  // namespace tasker::pipeline
