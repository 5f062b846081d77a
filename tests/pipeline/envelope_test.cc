#include "pipeline/envelope.h"

#include <gtest/gtest.h>

#include "pipeline/timestamps.h"

namespace tasker::pipeline {
namespace {

const Uuid kOrder = *Uuid::Parse("01920000-0000-7000-8000-000000000001");
const Uuid kCart = *Uuid::Parse("01920000-0000-7000-8000-000000000002");

TEST(Envelope, OfAnOrdinaryRequestHoldsWhoAndWhy) {
  Envelope envelope;
  envelope.initiator = "ann \"x\"";
  const std::string json = ToJson(envelope);
  EXPECT_EQ(json, R"({"initiator":"ann \"x\"","source_system":"","reason":""})");
  const EnvelopeRow row = RowOf(json);
  EXPECT_EQ(row.who, R"("initiator":"ann \"x\"","source_system":"","reason":"")");
  EXPECT_EQ(row.tags, "null");
  EXPECT_EQ(row.requested_at, "");
  EXPECT_FALSE(row.correlation);
  EXPECT_FALSE(row.parent_correlation);
}

TEST(Envelope, GivesTheRowAllThatWasSaid) {
  Envelope envelope;
  envelope.reason = "a sale";
  envelope.tags = {"eu", "\"parent_correlation_id\":\"x\""};
  envelope.options = R"({"correlation_id":1})";
  envelope.correlation = kOrder;
  envelope.requested = *ParseTimestamp("2025-08-29T00:00:01.5");
  EnvelopeRow row = RowOf(ToJson(envelope));
  EXPECT_EQ(row.who, R"("initiator":"","source_system":"","reason":"a sale")");
  EXPECT_EQ(row.tags, R"(["eu","\"parent_correlation_id\":\"x\""])");
  EXPECT_EQ(row.requested_at, "2025-08-29T00:00:01.500000");
  EXPECT_EQ(row.correlation, kOrder);
  EXPECT_FALSE(row.parent_correlation);
  envelope = {};
  envelope.parent_correlation = kCart;
  row = RowOf(ToJson(envelope));
  EXPECT_EQ(row.tags, "null");
  EXPECT_FALSE(row.correlation);
  EXPECT_EQ(row.parent_correlation, kCart);
}

TEST(Envelope, KeepsWhoAndWhyBesideOptionsAsDeepAsTheLimitsLet) {
  Envelope envelope;
  envelope.reason = "a sale";
  envelope.correlation = kOrder;
  envelope.options = "{\"a\":" + std::string(500, '[') + std::string(500, ']') + "}";
  const EnvelopeRow row = RowOf(ToJson(envelope));
  EXPECT_EQ(row.who, R"("initiator":"","source_system":"","reason":"a sale")");
  EXPECT_EQ(row.correlation, kOrder);
}

TEST(Envelope, ThatIsEmptySaysNothing) {
  const EnvelopeRow row = RowOf("{}");
  EXPECT_EQ(row.who, R"("initiator":null,"source_system":null,"reason":null)");
  EXPECT_EQ(row.tags, "null");
}

}  // namespace
}  // namespace tasker::pipeline
