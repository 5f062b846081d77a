#include "pipeline/submission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "workflow/identity.h"

namespace tasker::pipeline {
namespace {

using ::testing::HasSubstr;

class SubmissionTest : public ::testing::Test {
 protected:
  SubmissionTest() {
    template_.name = "order";
    template_.namespace_name = "shop";
    template_.version = "1.0.0";
  }
  Result<store::Submit> Prepare() { return PrepareSubmit(submission_, template_, 17, limits_); }
  void ExpectRefused(const char* part) {
    const auto prepared = Prepare();
    ASSERT_FALSE(prepared);
    EXPECT_EQ(prepared.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(prepared.error().message, HasSubstr(part));
  }

  workflow::TaskTemplate template_;
  Submission submission_;
  config::Limits limits_;
};

TEST_F(SubmissionTest, CarriesWhatWasAskedFor) {
  submission_.context = R"({"a": 1})";
  submission_.priority = 9;
  submission_.start_at = FromMicros(5);
  submission_.envelope.initiator = "ann \"x\"";
  const auto prepared = Prepare();
  ASSERT_TRUE(prepared) << prepared.error().message;
  EXPECT_EQ(prepared->template_id, 17);
  EXPECT_EQ(prepared->context, R"({"a": 1})");
  EXPECT_EQ(prepared->priority, 9);
  EXPECT_EQ(prepared->start_at, FromMicros(5));
  EXPECT_FALSE(prepared->identity);
  EXPECT_EQ(prepared->envelope, R"({"initiator":"ann \"x\"","source_system":"","reason":""})");
}

TEST_F(SubmissionTest, MakesANewTaskEachTime) { EXPECT_NE(Prepare()->task, Prepare()->task); }

TEST_F(SubmissionTest, MakesTheSameKeyTheSameIdentity) {
  submission_.key = "k1";
  EXPECT_EQ(Prepare()->identity, workflow::Identity("shop", "order", "1.0.0", "k1"));
  EXPECT_EQ(Prepare()->identity, Prepare()->identity);
}

TEST_F(SubmissionTest, RefusesAnEmptyKey) {
  submission_.key = "";
  ExpectRefused("key is empty");
}

TEST_F(SubmissionTest, RefusesAContextThatIsNoJson) {
  submission_.context = "{";
  ExpectRefused("the task's context");
}

TEST_F(SubmissionTest, RefusesAContextThatIsNoObject) {
  submission_.context = " [1]";
  ExpectRefused("no JSON object");
}

TEST_F(SubmissionTest, RefusesAContextBeyondTheLimit) {
  limits_.context_max_bytes = 1024;
  submission_.context = "{\"a\":\"" + std::string(2000, 'x') + "\"}";
  ExpectRefused("limits.context_max_bytes = 1024");
}

TEST_F(SubmissionTest, RefusesAContextThatIsTooDeep) {
  limits_.json_depth_max = 4;
  submission_.context = R"({"a":[[[[[1]]]]]})";
  ExpectRefused("the task's context");
}

TEST_F(SubmissionTest, RefusesAContextThatBreaksTheSchema) {
  template_.input_schema = R"({"type":"object","required":["order_id"]})";
  submission_.context = R"({"a":1})";
  ExpectRefused("input_schema of template shop/order");
  submission_.context = R"({"order_id":1})";
  EXPECT_TRUE(Prepare());
}

TEST_F(SubmissionTest, RefusesAnOverlongInitiator) {
  submission_.envelope.initiator = std::string(2000, 'x');
  ExpectRefused("initiator");
}

TEST_F(SubmissionTest, RefusesTagsBeyondTheLimits) {
  submission_.envelope.tags = {"a", std::string(2000, 'x')};
  ExpectRefused("tag has 2000 bytes");
  submission_.envelope.tags.assign(1001, "a");
  ExpectRefused("1001 tags");
}

TEST_F(SubmissionTest, RefusesOptionsThatAreNoObjectOrBeyondTheLimit) {
  submission_.envelope.options = "[1]";
  ExpectRefused("options is no JSON object");
  limits_.context_max_bytes = 1024;
  submission_.envelope.options = "{\"a\":\"" + std::string(2000, 'x') + "\"}";
  ExpectRefused("limits.context_max_bytes = 1024");
}

}  // namespace
}  // namespace tasker::pipeline
