#include "tests/support/store_fixture.h"

namespace tasker::store {
namespace {

using testing::StoreTest;
using workflow::TaskState;

class ReaderTest : public StoreTest {
 protected:
  Reader& reader() {
    if (reader_ == nullptr) {
      auto made = store_->NewReader();
      EXPECT_TRUE(made) << made.error().message;
      reader_ = *std::move(made);
    }
    return *reader_;
  }
  std::unique_ptr<Reader> reader_;
};

TEST_F(ReaderTest, ListsTasksNewestFirstInPagesAndByState) {
  const std::int64_t one = Register(kOne, "one");
  std::vector<Uuid> tasks;
  for (int i = 0; i < 5; ++i) {
    const Submit submit = NewSubmit(one, i);
    tasks.push_back(submit.task);
    Turn({submit});
  }
  auto page = reader().Tasks({.state = {}, .ns = {}, .name = {}, .limit = 2, .before_id = {}});
  ASSERT_TRUE(page) << page.error().message;
  ASSERT_EQ(page->size(), 2u);
  EXPECT_EQ(page->at(0).uuid, tasks[4]);
  EXPECT_EQ(page->at(1).uuid, tasks[3]);
  page = reader().Tasks({.state = TaskState::kPending,
                         .ns = "tests",
                         .name = "one",
                         .limit = 10,
                         .before_id = page->back().id});
  ASSERT_TRUE(page) << page.error().message;
  ASSERT_EQ(page->size(), 3u);
  EXPECT_EQ(page->at(0).uuid, tasks[2]);
  EXPECT_EQ(page->at(0).steps, 1);
  EXPECT_EQ(page->at(0).open, 1);
  page = reader().Tasks(
      {.state = TaskState::kComplete, .ns = {}, .name = {}, .limit = 10, .before_id = {}});
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->empty());
}

TEST_F(ReaderTest, FindsATaskByThreeKindsOfName) {
  const std::int64_t one = Register(kOne, "one");
  const Submit submit = NewSubmit(one);
  Turn({submit});
  const std::string id = submit.task.ToString();
  EXPECT_EQ(*reader().FindTask(id), submit.task);
  EXPECT_EQ(*reader().FindTask(id.substr(0, 8)), submit.task);
  EXPECT_EQ(reader().FindTask(id.substr(0, 7)).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(reader().FindTask("nonsense").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(reader().FindTask("00000000").error().code, ErrorCode::kNotFound);
}

TEST_F(ReaderTest, GivesAStepTheResultsOfAllItsAncestors) {
  const std::int64_t diamond = Register(kDiamond, "diamond");
  Join();
  WantAll(8);
  Submit submit = NewSubmit(diamond);
  submit.context = R"({"x":1})";
  submit.envelope = R"({"tags":["eu"]})";
  TurnOutput out = Turn({submit});
  out = Turn({NewEnd(out.claimed[0], Success("\"A\""))});
  workflow::Succeeded with_metadata{.result = "\"B\"", .metadata = R"({"m":1})", .events = {}};
  out = Turn({NewEnd(out.claimed[0], with_metadata), NewEnd(out.claimed[1], Success("\"C\""))});
  ASSERT_EQ(out.claimed.size(), 1u);
  const Claimed& join = out.claimed[0];
  const auto ancestors = join.workflow->graph.Ancestors(join.template_step);
  const auto hydrated = reader().Hydrate(join.step, ancestors, 1 << 20);
  ASSERT_TRUE(hydrated) << hydrated.error().message;
  EXPECT_EQ(hydrated->input.context, R"({"x":1})");
  EXPECT_EQ(hydrated->input.envelope, R"({"tags":["eu"]})");
  ASSERT_EQ(hydrated->dependencies.size(), 3u);
  EXPECT_EQ(hydrated->dependencies[0].result, "\"A\"");
  EXPECT_EQ(hydrated->dependencies[1].result, "\"B\"");
  EXPECT_EQ(hydrated->dependencies[1].metadata, R"({"m":1})");
  EXPECT_EQ(hydrated->dependencies[2].result, "\"C\"");
  EXPECT_EQ(hydrated->dependencies[2].ended, now_);
  const auto too_much = reader().Hydrate(join.step, ancestors, 10);
  ASSERT_FALSE(too_much);
  EXPECT_EQ(too_much.error().code, ErrorCode::kInvalid);
  EXPECT_NE(too_much.error().message.find("hydrated_max_bytes"), std::string::npos);
}

TEST_F(ReaderTest, ReadsAWideJoinInOneRange) {
  std::string yaml = "name: wide\nnamespace_name: tests\nversion: \"1.0.0\"\nsteps:\n";
  std::string parents;
  for (int i = 0; i < 20; ++i) {
    yaml += "  - {name: p" + std::to_string(i) + ", handler: {callable: h.a}}\n";
    parents += (i > 0 ? ", p" : "p") + std::to_string(i);
  }
  yaml += "  - {name: join, handler: {callable: h.b}, dependencies: [" + parents + "]}\n";
  const std::int64_t wide = Register(yaml, "wide");
  Join();
  WantAll(64);
  TurnOutput out = Turn({NewSubmit(wide)});
  ASSERT_EQ(out.claimed.size(), 20u);
  std::vector<Event> ends;
  for (const Claimed& claimed : out.claimed) {
    ends.push_back(NewEnd(claimed, Success(std::to_string(claimed.step.n))));
  }
  out = Turn(std::move(ends));
  ASSERT_EQ(out.claimed.size(), 1u);
  const auto ancestors = out.claimed[0].workflow->graph.Ancestors(out.claimed[0].template_step);
  const auto hydrated = reader().Hydrate(out.claimed[0].step, ancestors, 1 << 20);
  ASSERT_TRUE(hydrated) << hydrated.error().message;
  ASSERT_EQ(hydrated->dependencies.size(), 20u);
  for (const HydratedDependency& dependency : hydrated->dependencies) {
    EXPECT_EQ(dependency.result, std::to_string(dependency.n));
    EXPECT_EQ(dependency.ended, now_);
  }
}

TEST_F(ReaderTest, NamesHandlersThatEnqueuedStepsWaitFor) {
  const std::int64_t one = Register(kOne, "one");
  Join();
  Turn({NewSubmit(one), NewSubmit(one)});
  const std::int64_t alive[] = {worker_};
  auto missing = reader().Missing(alive);
  ASSERT_TRUE(missing) << missing.error().message;
  ASSERT_EQ(missing->size(), 1u);
  EXPECT_EQ(missing->front().callable, "h.a");
  EXPECT_EQ(missing->front().steps, 2);
  Turn({Announce{{Handler("h.a")}}});
  missing = reader().Missing(alive);
  ASSERT_TRUE(missing);
  EXPECT_TRUE(missing->empty());
  EXPECT_EQ(reader().HandlersOf(worker_)->size(), 1u);
  missing = reader().Missing({});
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->size(), 1u);
}

TEST_F(ReaderTest, CountsWhatIsThere) {
  const std::int64_t one = Register(kOne, "one");
  Join();
  WantAll(1);
  Turn({NewSubmit(one), NewSubmit(one), NewSubmit(one)});
  const auto counts = reader().Counts();
  ASSERT_TRUE(counts) << counts.error().message;
  EXPECT_EQ(counts->enqueued, 2);
  EXPECT_EQ(counts->in_progress, 1);
  EXPECT_EQ(counts->waiting_for_retry, 0);
  EXPECT_GT(counts->file_bytes + counts->wal_bytes, 0);
  EXPECT_TRUE(counts->oldest_ready.has_value());
}

}  // namespace
}  // namespace tasker::store
