#include "cli/json_out.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/task_views.h"

namespace tasker::cli {
namespace {

TEST(JsonOut, ShowsATaskWithItsStepsByName) {
  const boost::json::object task = ToJson(testing::AuditView());
  EXPECT_EQ(task.at("task").as_string(), "0198c0de-0000-7000-8000-000000000001");
  EXPECT_EQ(task.at("state").as_string(), "steps_in_process");
  EXPECT_EQ(task.at("context").at("package").as_string(), "libc6");
  EXPECT_EQ(task.at("request").at("tags").at(0).as_string(), "eu");
  const boost::json::object& report = task.at("steps").as_array().at(4).as_object();
  EXPECT_EQ(JsonLine(report.at("parents")), "[\"sizes\",\"graph\",\"names\"]\n");
  EXPECT_TRUE(report.at("claimed").is_null());
  const boost::json::object& failed = task.at("attempts").as_array().at(2).as_object();
  EXPECT_EQ(failed.at("step").as_string(), "names");
  EXPECT_EQ(failed.at("worker").as_int64(), 7);
  EXPECT_EQ(failed.at("error").at("type").as_string(), "Timeout");
}

TEST(JsonOut, CountsTheStepsOfASummary) {
  const boost::json::object task = ToJson(testing::AuditView().summary);
  EXPECT_EQ(task.at("steps").at("total").as_int64(), 5);
  EXPECT_EQ(task.at("steps").at("open").as_int64(), 3);
  EXPECT_TRUE(task.at("ended").is_null());
}

TEST(JsonOut, EmbedsJsonTextsDeeplyNested) {
  const std::string deep = std::string(500, '[') + std::string(500, ']');
  EXPECT_EQ(JsonLine(Embedded(deep)), deep + "\n");
  EXPECT_TRUE(Embedded("").is_null());
}

}  // namespace
}  // namespace tasker::cli
