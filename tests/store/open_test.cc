#include <chrono>

#include "store/sqlite/turnstile.h"
#include "tests/support/child_process.h"
#include "tests/support/store_fixture.h"

namespace tasker::store {
namespace {

using testing::Channel;
using testing::ChildProcess;
using testing::StoreTest;

class OpenTest : public StoreTest {
 protected:
  void SetUp() override {}
  Error Refusal(bool create = true) {
    auto opened = Store::Open({.path = path(), .create = create, .group = {}});
    EXPECT_FALSE(opened);
    return opened ? Error{} : opened.error();
  }
};

TEST_F(OpenTest, MakesAStoreOnlyWhereItMay) {
  const Error missing = Refusal(false);
  EXPECT_EQ(missing.code, ErrorCode::kNotFound);
  EXPECT_NE(missing.message.find("x.db"), std::string::npos) << missing.message;
  Open();
  store_.reset();
  EXPECT_TRUE(Store::Open({.path = path(), .create = false, .group = {}}));
}

TEST_F(OpenTest, NamesTheProcessThatHoldsTheStoreWhenItMayWaitNoLonger) {
  Open();
  store_.reset();
  ChildProcess child([&](Channel& parent) {
    const auto turnstile = sqlite::Turnstile::Open(path() + ".d");
    CHECK(turnstile && (*turnstile)->Enter());
    parent.Say("inside");
    parent.Hear();
    (*turnstile)->Leave();
    parent.Say("left");
  });
  ASSERT_EQ(child.Hear(), "inside");
  const auto held = Store::Open({.path = path(), .group = {}, .wait_max = std::chrono::seconds(1)});
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().code, ErrorCode::kUnavailable);
  const std::string holder = "held by pid " + std::to_string(child.pid());
  EXPECT_NE(held.error().message.find(holder), std::string::npos) << held.error().message;
  // Who creates nothing can look all the same.
  EXPECT_TRUE(Store::Open({.path = path(), .create = false, .group = {}}));
  child.Say("leave");
  ASSERT_EQ(child.Hear(), "left");
  Open();
}

TEST_F(OpenTest, LeavesAForeignDatabaseAlone) {
  dir_.Write("x.db", "");
  Sql("CREATE TABLE mine(a)");
  const Error error = Refusal();
  EXPECT_EQ(error.code, ErrorCode::kIncompatible);
  EXPECT_NE(error.message.find("no store of Tasker Host"), std::string::npos) << error.message;
  EXPECT_EQ(Number("SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'delete'"), 1);
}

TEST_F(OpenTest, RefusesAFileThatIsNoDatabase) {
  dir_.Write("x.db", std::string(4096, 'x'));
  EXPECT_EQ(Refusal().code, ErrorCode::kIncompatible);
}

TEST_F(OpenTest, RefusesANewerAndAnOlderSchemaInWords) {
  Open();
  store_.reset();
  Sql("PRAGMA user_version = 99");
  EXPECT_NE(Refusal().message.find("newer tasker-host"), std::string::npos);
  Sql("PRAGMA user_version = 0");
  EXPECT_NE(Refusal().message.find("older schema"), std::string::npos);
}

TEST_F(OpenTest, TurnsWalOnAgain) {
  Open();
  store_.reset();
  Sql("PRAGMA journal_mode = DELETE");
  Open();
  EXPECT_EQ(Number("SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'"), 1);
}

TEST_F(OpenTest, ASecondOpeningInThisProcessIsRefused) {
  Open();
  const Error error = Refusal();
  EXPECT_EQ(error.code, ErrorCode::kConflict);
}

TEST_F(OpenTest, RegistersATextOnceAndARevisionInItsPlace) {
  Open();
  const NewTemplate first{"tests", "one", "1.0.0", workflow::Sha256Hex(kOne), std::string(kOne)};
  const std::string other_text = std::string(kOne) + "description: changed\n";
  const NewTemplate second{"tests", "one", "1.0.0", workflow::Sha256Hex(other_text), other_text};
  auto registered = store_->Register(std::span(&first, 1));
  ASSERT_TRUE(registered);
  EXPECT_TRUE(registered->front().added);
  EXPECT_EQ(registered->front().replaced, "");
  const std::int64_t id = registered->front().id;
  registered = store_->Register(std::span(&first, 1));
  EXPECT_FALSE(registered->front().added);
  EXPECT_EQ(registered->front().id, id);
  registered = store_->Register(std::span(&second, 1));
  EXPECT_TRUE(registered->front().added);
  EXPECT_EQ(registered->front().replaced, first.sha256);
  registered = store_->Register(std::span(&first, 1));
  EXPECT_FALSE(registered->front().added);
  EXPECT_EQ(registered->front().id, id);
  EXPECT_EQ(registered->front().replaced, second.sha256);
  EXPECT_EQ(Number("SELECT count(*) FROM template WHERE is_current = 1"), 1);
}

}  // namespace
}  // namespace tasker::store
