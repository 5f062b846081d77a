#include "event_json.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "json_text.h"

namespace tasker::python {
namespace {

namespace json = boost::json;

constexpr char kEvent[] = "00000000-0000-0000-0000-000000000001";

tasker_step Step() {
  tasker_step step{};
  step.size = sizeof step;
  step.attempt = 2;
  step.handler = Str("app.noop");
  step.task_name = Str("two");
  step.idempotency_key = Str("key");
  return step;
}

json::value Parsed(const tasker_step& step) {
  return json::parse(WithDeadline(EventJson(step, kEvent), step.deadline_ns));
}

TEST(EventJsonTest, IsJsonWithNothingGiven) {
  const json::value event = Parsed(Step());
  EXPECT_EQ(event.at("event_id"), kEvent);
  EXPECT_EQ(event.at("_attempt"), 2);
  EXPECT_EQ(event.at("_handler"), "app.noop");
  EXPECT_TRUE(event.at("_method").is_null());
  EXPECT_TRUE(event.at("_deadline_s").is_null());
  EXPECT_FALSE(event.as_object().contains("trace_id"));
  const json::value& step = event.at("task_sequence_step");
  EXPECT_TRUE(step.at("task").at("task").at("context").is_null());
  EXPECT_TRUE(step.at("workflow_step").at("checkpoint").is_null());
  EXPECT_TRUE(step.at("step_definition").is_null());
  EXPECT_EQ(step.at("dependency_results"), json::object());
}

TEST(EventJsonTest, PutsTheRowsOfTheHostBesideItsOwnKeys) {
  tasker_step step = Step();
  step.task_row = Borrowed(R"( { "task_uuid": "t" } )");
  step.step_row = Borrowed("{}");
  step.context = Borrowed(R"({"n":[1,{"a":"}"}]})");
  step.dependencies = Borrowed(R"({"a":{"result":1}})");
  const json::value event = Parsed(step).at("task_sequence_step");
  EXPECT_EQ(event.at("task").at("task").at("task_uuid"), "t");
  EXPECT_EQ(event.at("task").at("task").at("context").at("n").at(1).at("a"), "}");
  EXPECT_EQ(event.at("dependency_results").at("a").at("result"), 1);
}

TEST(EventJsonTest, NamesTheParentWhereTheRowHasOne) {
  tasker_step step = Step();
  step.task_row = Borrowed(R"({"task_uuid":"t","parent_correlation_id":null})");
  EXPECT_FALSE(Parsed(step).as_object().contains("parent_correlation_id"));
  step.task_row = Borrowed(
      R"({"task_uuid":"t","parent_correlation_id":"00000000-0000-0000-0000-000000000002"})");
  EXPECT_EQ(Parsed(step).at("parent_correlation_id"), "00000000-0000-0000-0000-000000000002");
}

TEST(EventJsonTest, EscapesNamesAndTakesTheTraceApart) {
  tasker_step step = Step();
  step.handler = Str("a\"b\\c\n");
  step.traceparent = Str("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  const json::value event = Parsed(step);
  EXPECT_EQ(event.at("_handler"), "a\"b\\c\n");
  EXPECT_EQ(event.at("trace_id"), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(event.at("span_id"), "b7ad6b7169203331");
}

TEST(JsonTextTest, KnowsUuids) {
  EXPECT_TRUE(IsUuid(kEvent));
  for (const char* const odd :
       {"", "0", "00000000-0000-0000-0000-00000000000g", "00000000x0000-0000-0000-000000000001",
        "00000000-0000-0000-0000-0000000000011"}) {
    EXPECT_FALSE(IsUuid(odd)) << odd;
  }
}

}  // namespace
}  // namespace tasker::python
