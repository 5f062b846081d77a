#include "workflow/rows.h"

#include <gtest/gtest.h>

namespace tasker::workflow {
namespace {

StepRow Row(std::int32_t n) {
  StepRow row;
  row.n = row.template_step = n;
  row.handler = 100 + n;
  return row;
}

TEST(TaskRows, FindsWhatWasPutInAnyOrder) {
  TaskRows rows;
  for (const std::int32_t n : {5, 1, 9, 3}) rows.Put(Row(n));
  for (const std::int32_t n : {1, 3, 5, 9}) {
    ASSERT_NE(rows.Find(n), nullptr) << n;
    EXPECT_EQ(rows.Find(n)->row.handler, 100 + n);
    EXPECT_FALSE(rows.Find(n)->fresh);
    EXPECT_FALSE(rows.Find(n)->touched);
  }
  for (const std::int32_t n : {0, 2, 4, 10}) EXPECT_EQ(rows.Find(n), nullptr) << n;
}

TEST(TaskRows, RemembersWhatTheStoreHolds) {
  TaskRows rows;
  rows.Put(Row(0));
  rows.PutFresh(Row(1));
  rows.fresh = true;
  rows.task.open = 2;
  EXPECT_TRUE(rows.Find(1)->fresh);
  EXPECT_TRUE(rows.Find(1)->touched);

  rows.Find(0)->row.state = StepState::kEnqueued;
  rows.Find(0)->touched = true;
  EXPECT_EQ(rows.Find(0)->stored.state, StepState::kPending);
  rows.MarkSaved();
  EXPECT_EQ(rows.Find(0)->stored, rows.Find(0)->row);
  EXPECT_EQ(rows.Find(1)->stored, rows.Find(1)->row);
  EXPECT_FALSE(rows.Find(1)->fresh);
  EXPECT_FALSE(rows.Find(0)->touched);
  EXPECT_FALSE(rows.fresh);
  EXPECT_EQ(rows.stored_task, rows.task);
}

TEST(ClaimId, NamesItsWorker) {
  EXPECT_EQ(WorkerOf(ClaimId{(std::int64_t{12} << 40) | 99}), 12);
  EXPECT_EQ(WorkerOf(ClaimId{}), 0);
}

TEST(AttemptOutcome, KeepsItsStoredValue) {
  const std::string_view names[] = {"complete",    "error",       "timeout",  "yielded",
                                    "worker_lost", "handed_back", "cancelled"};
  for (std::size_t i = 0; i < std::size(names); ++i) {
    EXPECT_EQ(Name(static_cast<AttemptOutcome>(i + 1)), names[i]);
  }
}

}  // namespace
}  // namespace tasker::workflow
