#include "pipeline/inbox.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <memory>
#include <thread>

namespace tasker::pipeline {
namespace {

class InboxTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = Inbox::Open(2);
    ASSERT_TRUE(opened);
    inbox_ = *std::move(opened);
  }

  static AttemptEnded Ended(std::int64_t claim, std::size_t bytes = 0) {
    AttemptEnded ended;
    ended.claim = claim;
    workflow::Succeeded succeeded;
    succeeded.result = std::string(bytes, '1');
    ended.outcome = std::move(succeeded);
    return ended;
  }
  std::vector<std::int64_t> Take(std::size_t items_max, std::size_t bytes_max = 1'000'000) {
    std::vector<Message> taken;
    inbox_->Take(items_max, bytes_max, taken);
    std::vector<std::int64_t> claims;
    for (const Message& message : taken) claims.push_back(std::get<AttemptEnded>(message).claim);
    return claims;
  }
  bool Rang() const {
    pollfd fd{inbox_->fd(), POLLIN, 0};
    return ::poll(&fd, 1, 0) == 1;
  }

  std::unique_ptr<Inbox> inbox_;
};

TEST_F(InboxTest, GivesMessagesInTheOrderOfTheirArrival) {
  for (std::int64_t claim = 1; claim <= 3; ++claim) inbox_->PushEnd(Ended(claim));
  EXPECT_EQ(Take(10), (std::vector<std::int64_t>{1, 2, 3}));
}

TEST_F(InboxTest, LeavesWhatExceedsTheItemsToTheNextTurn) {
  for (std::int64_t claim = 1; claim <= 3; ++claim) inbox_->PushEnd(Ended(claim));
  EXPECT_EQ(Take(2), (std::vector<std::int64_t>{1, 2}));
  inbox_->PushEnd(Ended(4));
  EXPECT_EQ(Take(10), (std::vector<std::int64_t>{3, 4}));
}

TEST_F(InboxTest, LeavesWhatExceedsTheBytesButTakesOneThatIsTooLarge) {
  inbox_->PushEnd(Ended(1, 5'000));
  inbox_->PushEnd(Ended(2, 5'000));
  EXPECT_EQ(Take(10, 1'000), (std::vector<std::int64_t>{1}));
  EXPECT_EQ(Take(10, 1'000), (std::vector<std::int64_t>{2}));
}

TEST_F(InboxTest, RefusesSubmissionsBeyondItsBoundUntilTheyAreTaken) {
  EXPECT_TRUE(inbox_->PushSubmit({}));
  EXPECT_TRUE(inbox_->PushSubmit({}));
  const Status refused = inbox_->PushSubmit({});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  std::vector<Message> taken;
  inbox_->Take(10, 1'000'000, taken);
  EXPECT_EQ(taken.size(), 2U);
  EXPECT_TRUE(inbox_->PushSubmit({}));
}

TEST_F(InboxTest, RingsOnlyWhenTheTurnThreadMaySleep) {
  inbox_->PushEnd(Ended(1));
  EXPECT_FALSE(Rang());
  EXPECT_FALSE(inbox_->MaySleep());
  Take(10);
  EXPECT_TRUE(inbox_->MaySleep());
  inbox_->PushEnd(Ended(2));
  EXPECT_TRUE(Rang());
  inbox_->Awake();
  EXPECT_FALSE(Rang());
  inbox_->PushEnd(Ended(3));
  EXPECT_FALSE(Rang());
}

TEST_F(InboxTest, KeepsAWakeUntilItIsTaken) {
  inbox_->Wake(false);
  EXPECT_FALSE(inbox_->MaySleep());
  EXPECT_FALSE(inbox_->TakeWake());
  EXPECT_TRUE(inbox_->MaySleep());
  inbox_->Wake(true);
  inbox_->Wake(false);
  EXPECT_TRUE(Rang());
  EXPECT_TRUE(inbox_->TakeWake());
  EXPECT_FALSE(inbox_->TakeWake());
}

TEST_F(InboxTest, GivesBackWhatWasNotTakenAndRefusesAllOnceClosed) {
  inbox_->PushEnd(Ended(1));
  inbox_->PushEnd(Ended(2));
  Take(1);
  EXPECT_EQ(inbox_->Close().size(), 1U);
  inbox_->PushEnd(Ended(3));
  EXPECT_TRUE(Take(10).empty());
  EXPECT_FALSE(inbox_->PushCheckpoint({}));
  EXPECT_FALSE(inbox_->PushSubmit({}));
}

TEST_F(InboxTest, TakesEndsAfterSubmissionsAreClosed) {
  inbox_->CloseSubmissions();
  EXPECT_FALSE(inbox_->PushSubmit({}));
  inbox_->PushEnd(Ended(1));
  EXPECT_EQ(Take(10).size(), 1U);
}

TEST_F(InboxTest, LosesNothingThatManyThreadsPush) {
  constexpr std::int64_t kEach = 2'000;
  std::vector<std::thread> threads;
  for (std::int64_t t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (std::int64_t i = 0; i < kEach; ++i) inbox_->PushEnd(Ended(t * kEach + i));
    });
  }
  std::vector<bool> seen(4 * kEach);
  std::size_t count = 0;
  while (count < seen.size()) {
    for (const std::int64_t claim : Take(64)) {
      EXPECT_FALSE(seen[static_cast<std::size_t>(claim)]);
      seen[static_cast<std::size_t>(claim)] = true;
      ++count;
    }
    if (count == seen.size() || !inbox_->MaySleep()) continue;
    pollfd fd{inbox_->fd(), POLLIN, 0};
    ASSERT_EQ(::poll(&fd, 1, 20'000), 1) << count;
    inbox_->Awake();
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(Reply, GivesTheAnswerToTheWaitingThread) {
  Reply reply;
  std::thread answers([&reply] {
    reply.Answer(store::Ack{store::Ticket{7}, store::Ack::Code::kDuplicate, "x"});
  });
  const auto answer = reply.Wait();
  answers.join();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->detail, "x");
}

}  // namespace
}  // namespace tasker::pipeline
