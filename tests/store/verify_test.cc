// What Verify must not find: violations in a store that only turns have written.
#include "store/verify.h"

#include <random>

#include "store/prune.h"
#include "tests/support/store_fixture.h"

namespace tasker::store {
namespace {

using testing::StoreTest;
using Kind = workflow::TaskAct::Kind;

// Everything that can happen to tasks, in an order that the seed gives.
class VerifyTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    Join();
    templates_ = {Register(kLinear, "linear"), Register(kDiamond, "diamond"),
                  Register(kOne, "one")};
    WantAll(16);
  }

  std::size_t Below(std::size_t n) { return random_() % n; }

  void ExpectNoViolation(int at) {
    const auto verified = Verify(*store_, {.pages = false});
    ASSERT_TRUE(verified) << verified.error().message;
    EXPECT_EQ(verified->tasks, static_cast<std::int64_t>(tasks_.size()));
    for (const Violation& violation : verified->violations) {
      ADD_FAILURE() << "after operation " << at << ": " << violation.invariant << ": "
                    << violation.found;
    }
  }

  Event RandomSubmit() {
    Submit submit = NewSubmit(templates_[Below(templates_.size())]);
    if (Below(5) == 0) submit.start_at = now_ + std::chrono::milliseconds(Below(100));
    tasks_.push_back(submit.task);
    return submit;
  }

  Event RandomEnd() {
    const std::size_t i = Below(claimed_.size());
    const Claimed claimed = claimed_[i];
    claimed_.erase(claimed_.begin() + static_cast<std::ptrdiff_t>(i));
    switch (Below(7)) {
      case 0:
        return NewEnd(claimed, Failure(false));
      case 1:
        return NewEnd(claimed, Failure(true));
      case 2:
        late_.push_back(claimed);  // Its handler returns some time later.
        return NewEnd(claimed, workflow::TimedOut{.idempotent = Below(2) == 0});
      case 3:
        return NewEnd(claimed, workflow::HandedBack{.started = Below(2) == 0});
      default:
        return NewEnd(claimed, Success());
    }
  }

  Event RandomAct() {
    Act act;
    act.id = Uuid::New();
    act.task = tasks_[Below(tasks_.size())];
    if (Below(3) != 0) act.n = static_cast<std::int32_t>(Below(4));
    const std::size_t kind = Below(6);
    act.kind = kind == 0 ? Kind::kCancel : kind == 1 ? Kind::kResolve : Kind::kRetry;
    act.actor = "test";
    return act;
  }

  void Operation() {
    std::vector<Event> events;
    const std::size_t what = Below(10);
    if (what < 2 || tasks_.empty()) {
      events.push_back(RandomSubmit());
    } else if (what < 7 && !claimed_.empty()) {
      events.push_back(RandomEnd());
    } else if (what < 9) {
      events.push_back(RandomAct());
    } else if (!late_.empty()) {
      events.push_back(NewEnd(late_.front(), Success()));
      late_.erase(late_.begin());
    }
    now_ += std::chrono::milliseconds(Below(100));
    TurnOutput out = Turn(std::move(events));
    std::ranges::move(out.claimed, std::back_inserter(claimed_));
  }

  std::minstd_rand random_{4711};
  std::vector<std::int64_t> templates_;
  std::vector<Uuid> tasks_;
  std::vector<Claimed> claimed_, late_;
};

TEST_F(VerifyTest, FindsNothingWhateverEventsCame) {
  for (int i = 0; i < 4'000; ++i) {
    Operation();
    if (i % 100 == 99) ExpectNoViolation(i);
    if (HasFailure()) return;
  }
  // It would prove little had these not happened.
  EXPECT_GT(Number("SELECT count(*) FROM action WHERE kind = 2"), 50);
  EXPECT_GT(Number("SELECT count(*) FROM attempt WHERE outcome = 3"), 50);
  EXPECT_GT(Number("SELECT count(*) FROM dead_letter WHERE resolution <> 'pending'"), 50);
}

TEST_F(VerifyTest, SeesAStepBehindTheLastTask) {
  Sql("INSERT INTO handler VALUES(77, 'gone', '', 0, 0);"
      "INSERT INTO step(id, template_step, handler_id, state, waiting_for, priority, attempts, "
      "crashes, revoked) VALUES(7 << 20, 0, 77, 0, 0, 0, 0, 0, 0)");
  const auto verified = Verify(*store_, {.pages = false});
  ASSERT_TRUE(verified) << verified.error().message;
  EXPECT_EQ(verified->steps, 1);
  ASSERT_EQ(verified->violations.size(), 1u);
  EXPECT_EQ(verified->violations.front().found, "a step of a task that there is not");
}

TEST_F(VerifyTest, FindsNothingInWhatPruningLeaves) {
  for (int i = 0; i < 2'000; ++i) Operation();
  const auto counted = CountPrunable(*store_, now_);
  ASSERT_TRUE(counted) << counted.error().message;
  EXPECT_GT(counted->tasks, 50);
  PruneCursor cursor;
  std::int64_t tasks = 0;
  while (true) {
    const auto slice = store_->Prune(now_, cursor);
    ASSERT_TRUE(slice) << slice.error().message;
    tasks += slice->tasks;
    if (!slice->more) break;
  }
  EXPECT_EQ(tasks, counted->tasks);
  tasks_.resize(tasks_.size() - static_cast<std::size_t>(tasks));
  ExpectNoViolation(0);
  EXPECT_EQ(Number("SELECT count(*) FROM task WHERE state IN (4, 5, 6, 7) AND NOT EXISTS "
                   "(SELECT 1 FROM step WHERE task_id = task.id AND revoked = 1)"),
            0);
}

}  // namespace
}  // namespace tasker::store
