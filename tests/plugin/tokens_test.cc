#include "plugin/tokens.h"

#include <barrier>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace tasker::plugin {
namespace {

// Counts what the slab says of its tokens.
class Counts final : public TokenOwner {
 public:
  void Ended(const StepInput& input, workflow::Outcome&& outcome, Steady) override {
    ended.fetch_add(1);
    MutexLock lock(mu_);
    last_claim_ = input.claim;
    last_ = std::move(outcome);
  }
  void Released() override { released.fetch_add(1); }
  Status Checkpoint(const StepInput&, std::string) override { return Ok(); }
  const Limits& limits() const override { return limits_; }

  std::string LastFailure() {
    MutexLock lock(mu_);
    const auto* failed = std::get_if<workflow::Failed>(&last_);
    return failed == nullptr ? "" : failed->type;
  }

  std::atomic<int> ended{0};
  std::atomic<int> released{0};

 private:
  Limits limits_;
  Mutex mu_;
  std::int64_t last_claim_ GUARDED_BY(mu_) = 0;
  workflow::Outcome last_ GUARDED_BY(mu_);
};

class TokenSlabTest : public ::testing::Test {
 protected:
  tasker_call* Make(std::int64_t claim = 1) {
    auto input = std::make_unique<StepInput>();
    input->claim = claim;
    input->handler = "h";
    return slab_.Make(owner_, nullptr, input, std::chrono::steady_clock::now()).call;
  }

  Counts owner_;
  TokenSlab slab_;
};

TEST_F(TokenSlabTest, TheFirstEndWins) {
  tasker_call* const call = Make();
  TokenSlab::Pin pin = slab_.Find(call);
  ASSERT_TRUE(pin);
  EXPECT_TRUE(pin.End(workflow::Succeeded{}));
  EXPECT_FALSE(pin.End(workflow::Failed{}));
  EXPECT_TRUE(pin.ended());
  EXPECT_EQ(owner_.ended, 1);
  EXPECT_EQ(owner_.LastFailure(), "");
}

TEST_F(TokenSlabTest, AReleasedTokenIsStaleAlsoWhenItsSlotIsUsedAgain) {
  tasker_call* const old = Make(1);
  slab_.Find(old).End(workflow::Succeeded{});
  slab_.Release(old);
  EXPECT_FALSE(slab_.Find(old));
  std::vector<tasker_call*> calls;
  for (std::size_t i = 0; i < TokenSlab::kChunkSlots; ++i) calls.push_back(Make(2));
  EXPECT_FALSE(slab_.Find(old));
  slab_.Release(old);
  slab_.Retain(old);
  for (tasker_call* const call : calls) EXPECT_TRUE(slab_.Find(call));
}

TEST_F(TokenSlabTest, HandlesThatNeverExistedAreStale) {
  EXPECT_FALSE(slab_.Find(nullptr));
  EXPECT_FALSE(slab_.Find(reinterpret_cast<tasker_call*>(~std::uintptr_t{0})));
  slab_.Release(reinterpret_cast<tasker_call*>(std::uintptr_t{12345}));
}

TEST_F(TokenSlabTest, TheLastReleaseOfAnUnendedTokenDropsIt) {
  tasker_call* const call = Make();
  slab_.Retain(call);
  slab_.Release(call);
  EXPECT_EQ(owner_.ended, 0);
  slab_.Release(call);
  EXPECT_EQ(owner_.ended, 1);
  EXPECT_EQ(owner_.LastFailure(), "tasker.dropped");
  EXPECT_EQ(owner_.released, 1);
}

TEST_F(TokenSlabTest, AnEndedTokenIsNotDropped) {
  tasker_call* const call = Make();
  slab_.Find(call).End(workflow::Succeeded{});
  EXPECT_EQ(owner_.released, 0);
  slab_.Release(call);
  EXPECT_EQ(owner_.ended, 1);
  EXPECT_EQ(owner_.released, 1);
}

TEST_F(TokenSlabTest, APinKeepsTheInputThroughTheLastRelease) {
  tasker_call* const call = Make(7);
  {
    TokenSlab::Pin pin = slab_.Find(call);
    slab_.Release(call);
    EXPECT_EQ(pin.input().claim, 7);
    EXPECT_EQ(owner_.ended, 0);
  }
  EXPECT_EQ(owner_.LastFailure(), "tasker.dropped");
  EXPECT_EQ(owner_.released, 1);
}

TEST_F(TokenSlabTest, AReleaseTooManyTakesNothingFromThePinsOfTheHost) {
  tasker_call* const call = Make(7);
  TokenSlab::Pin pin = slab_.Find(call);
  slab_.Release(call);
  slab_.Release(call);
  slab_.Release(call);
  EXPECT_EQ(pin.input().claim, 7);
  EXPECT_EQ(owner_.released, 0);
}

TEST_F(TokenSlabTest, ForEachVisitsTheOwnersTokensOnly) {
  Counts other;
  Make(1);
  auto input = std::make_unique<StepInput>();
  input->claim = 2;
  slab_.Make(other, nullptr, input, std::chrono::steady_clock::now());
  std::vector<std::int64_t> claims;
  slab_.ForEach(owner_, [&](TokenSlab::Pin& pin) { claims.push_back(pin.input().claim); });
  EXPECT_EQ(claims, std::vector<std::int64_t>{1});
}

TEST_F(TokenSlabTest, ProgressAndNoteStayUntilTheyAreReplaced) {
  tasker_call* const call = Make();
  TokenSlab::Pin pin = slab_.Find(call);
  pin.SetProgress(0.5, "half");
  pin.SetProgress(-1, "");
  EXPECT_EQ(pin.Describe().progress, 0.5);
  EXPECT_EQ(pin.Describe().note, "half");
  pin.SetProgress(7, "");
  EXPECT_EQ(pin.Describe().progress, 1.0);
}

TEST_F(TokenSlabTest, OfManyThreadsThatEndATokenOneWins) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 200;
  std::atomic<tasker_call*> call{nullptr};
  std::atomic<int> won{0};
  std::barrier turn(kThreads + 1);
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        turn.arrive_and_wait();
        TokenSlab::Pin pin = slab_.Find(call);
        if (pin && pin.End(workflow::Succeeded{})) won.fetch_add(1);
        turn.arrive_and_wait();
      }
    });
  }
  for (int round = 0; round < kRounds; ++round) {
    call = Make(round);
    turn.arrive_and_wait();
    turn.arrive_and_wait();
    slab_.Release(call);
  }
  threads.clear();
  EXPECT_EQ(won, kRounds);
  EXPECT_EQ(owner_.ended, kRounds);
  EXPECT_EQ(owner_.released, kRounds);
}

// The release races the uses of the same handle: each use is either of that token, or stale.
TEST_F(TokenSlabTest, AReleaseRacesUsesOfTheSameHandle) {
  constexpr int kThreads = 3;
  constexpr int kRounds = 300;
  std::atomic<tasker_call*> call{nullptr};
  std::atomic<std::int64_t> expected{0};
  std::atomic<int> wrong{0};
  std::barrier turn(kThreads + 1);
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < kRounds; ++round) {
        turn.arrive_and_wait();
        TokenSlab::Pin pin = slab_.Find(call);
        if (pin && pin.input().claim != expected) wrong.fetch_add(1);
        if (pin && i == 0) pin.SetProgress(0.1, "note");
        if (i == 1) slab_.Release(call);
        if (i == 2) slab_.ForEach(owner_, [](TokenSlab::Pin& each) { each.Cancel(); });
        turn.arrive_and_wait();
      }
    });
  }
  for (int round = 0; round < kRounds; ++round) {
    expected = round;
    call = Make(round);
    turn.arrive_and_wait();
    turn.arrive_and_wait();
  }
  threads.clear();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(owner_.ended, kRounds);
  EXPECT_EQ(owner_.released, kRounds);
}

TEST_F(TokenSlabTest, ThreadsThatMakeAndReleaseShareTheSlots) {
  constexpr int kThreads = 4;
  constexpr int kEach = 2000;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < kEach; ++n) slab_.Release(Make(n));
      });
    }
  }
  EXPECT_EQ(owner_.ended, kThreads * kEach);
  EXPECT_EQ(owner_.released, kThreads * kEach);
}

}  // namespace
}  // namespace tasker::plugin
