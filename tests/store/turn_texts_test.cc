#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/store_fixture.h"

namespace tasker::store {
namespace {

class TurnTextsTest : public testing::StoreTest {
 protected:
  // What memory has of a claim is what the store has: the store is asked.
  void ExpectAsStored(const Claimed& claimed, const std::vector<std::int32_t>& ancestors) {
    ASSERT_NE(claimed.texts, nullptr);
    auto reader = store_->NewReader();
    ASSERT_TRUE(reader) << reader.error().message;
    const auto stored = (*reader)->Hydrate(claimed.step, ancestors, 1 << 20);
    ASSERT_TRUE(stored) << stored.error().message;
    EXPECT_EQ(claimed.texts->input->context, stored->input.context);
    EXPECT_EQ(claimed.texts->input->envelope, stored->input.envelope);
    ASSERT_EQ(claimed.texts->results.size(), stored->dependencies.size());
    for (std::size_t i = 0; i < stored->dependencies.size(); ++i) {
      EXPECT_EQ(claimed.texts->results[i]->n, stored->dependencies[i].n);
      EXPECT_EQ(claimed.texts->results[i]->result, stored->dependencies[i].result);
      EXPECT_EQ(claimed.texts->results[i]->metadata, stored->dependencies[i].metadata);
      EXPECT_EQ(claimed.texts->results[i]->ended, stored->dependencies[i].ended);
    }
    EXPECT_EQ(stored->checkpoint, "");
  }

  // Another process commits.
  void Forget() {
    Sql("UPDATE handler SET idempotent = 1");
    ASSERT_TRUE(store_->Changed());
  }
};

TEST_F(TurnTextsTest, AClaimCarriesWhatTheStoreHas) {
  const std::int64_t linear = Register(kLinear, "linear");
  Join();
  WantAll(4);
  Submit submit = NewSubmit(linear);
  submit.context = R"({"order":7})";
  submit.envelope = R"({"tags":["eu"]})";
  TurnOutput out = Turn({submit});
  ASSERT_EQ(out.claimed.size(), 1U);
  ExpectAsStored(out.claimed[0], {});
  const Claimed first = out.claimed[0];
  out = Turn({NewEnd(
      first, workflow::Succeeded{.result = R"({"a":1})", .metadata = R"({"m":2})", .events = {}})});
  ASSERT_EQ(out.claimed.size(), 1U);
  ExpectAsStored(out.claimed[0], {0});
  const Claimed second = out.claimed[0];
  out = Turn({NewEnd(second, Success(R"({"b":3})"))});
  ASSERT_EQ(out.claimed.size(), 1U);
  ExpectAsStored(out.claimed[0], {0, 1});
  // What an attempt was given before stays as it was.
  EXPECT_TRUE(first.texts->results.empty());
  EXPECT_EQ(second.texts->results.size(), 1U);
}

TEST_F(TurnTextsTest, AStepWithACheckpointIsRead) {
  const std::int64_t linear = Register(kLinear, "linear");
  Join();
  WantAll(4);
  TurnOutput out = Turn({NewSubmit(linear)});
  const Claimed claimed = out.claimed[0];
  Turn({Checkpoint{
      .ticket = Ticket{99}, .step = claimed.step, .claim = claimed.claim, .body = "[1]"}});
  out = Turn({NewEnd(claimed, workflow::HandedBack{.started = true})});
  ASSERT_EQ(out.claimed.size(), 1U);
  EXPECT_EQ(out.claimed[0].texts, nullptr);
}

TEST_F(TurnTextsTest, ARetriedStepIsNotGivenItsFailure) {
  const std::int64_t linear = Register(kLinear, "linear");
  Join();
  WantAll(4);
  TurnOutput out = Turn({NewSubmit(linear)});
  out = Turn({NewEnd(out.claimed[0], workflow::HandedBack{.started = false})});
  ASSERT_EQ(out.claimed.size(), 1U);
  ExpectAsStored(out.claimed[0], {});
}

TEST_F(TurnTextsTest, NothingIsRememberedAcrossAnothersCommit) {
  const std::int64_t linear = Register(kLinear, "linear");
  Join();
  WantAll(4);
  TurnOutput out = Turn({NewSubmit(linear)});
  Forget();
  out = Turn({NewEnd(out.claimed[0], Success())});
  ASSERT_EQ(out.claimed.size(), 1U);
  EXPECT_EQ(out.claimed[0].texts, nullptr);
}

// As a worker that did not submit it sees it.
TEST_F(TurnTextsTest, AClaimOfATaskThatWasThereCarriesItsContext) {
  const std::int64_t linear = Register(kLinear, "linear");
  Join();
  Submit submit = NewSubmit(linear);
  submit.context = R"({"order":7})";
  submit.envelope = R"({"tags":["eu"]})";
  Turn({submit});
  Forget();
  WantAll(4);
  TurnOutput out = Turn({});
  ASSERT_EQ(out.claimed.size(), 1U);
  ExpectAsStored(out.claimed[0], {});
  out = Turn({NewEnd(out.claimed[0], Success(R"({"b":3})"))});
  ASSERT_EQ(out.claimed.size(), 1U);
  ExpectAsStored(out.claimed[0], {0});
}

TEST_F(TurnTextsTest, ATaskOfWhichSomethingHasRunIsRead) {
  const std::int64_t linear = Register(kLinear, "linear");
  Join();
  WantAll(4);
  TurnOutput out = Turn({NewSubmit(linear)});
  WantAll(0);
  Turn({Checkpoint{.ticket = Ticket{99},
                   .step = out.claimed[0].step,
                   .claim = out.claimed[0].claim,
                   .body = "[1]"}});
  Turn({NewEnd(out.claimed[0], workflow::HandedBack{.started = true})});
  Forget();
  WantAll(4);
  out = Turn({});
  ASSERT_EQ(out.claimed.size(), 1U);
  EXPECT_EQ(out.claimed[0].texts, nullptr);
}

TEST_F(TurnTextsTest, ALargeContextIsReadByWhoNeedsIt) {
  const std::int64_t linear = Register(kLinear, "linear");
  Join();
  Submit large = NewSubmit(linear);
  large.context = "\"" + std::string(4096, 'x') + "\"";
  Turn({large, NewSubmit(linear)});
  Forget();
  WantAll(4);
  const TurnOutput out = Turn({});
  ASSERT_EQ(out.claimed.size(), 2U);
  EXPECT_EQ(out.claimed[0].texts, nullptr);
}

TEST_F(TurnTextsTest, TextsThatTakeTooMuchMemoryAreRead) {
  const std::int64_t linear = Register(kLinear, "linear");
  Join();
  WantAll(64);
  std::vector<Event> events;
  for (int i = 0; i < 20; ++i) {
    Submit submit = NewSubmit(linear);
    submit.context = "\"" + std::string(1 << 20, 'x') + "\"";
    events.emplace_back(std::move(submit));
  }
  const TurnOutput out = Turn(std::move(events));
  ASSERT_EQ(out.claimed.size(), 20U);
  const auto kept = std::ranges::count_if(
      out.claimed, [](const Claimed& claimed) { return claimed.texts != nullptr; });
  EXPECT_GT(kept, 0);
  EXPECT_LT(kept, 20);
}

}  // namespace
}  // namespace tasker::store
