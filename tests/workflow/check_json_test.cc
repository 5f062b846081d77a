#include <gtest/gtest.h>

#include <string>

#include "workflow/schema.h"

namespace tasker::workflow {
namespace {

std::string Problem(std::string_view text, std::size_t depth_max = 4) {
  const Status status = CheckJson(text, depth_max);
  return status ? "" : status.error().message;
}

TEST(CheckJson, AcceptsOneValue) {
  for (const std::string_view text :
       {"null", " true ", "-0.5e3", "\"a\\u00e9\"", "[]", "{\"a\": [1, {\"b\": null}]}",
        "18446744073709551615", "1e400", "\n[1]\n"}) {
    EXPECT_EQ(Problem(text), "") << text;
  }
}

TEST(CheckJson, SaysWhereItIsNotJson) {
  EXPECT_EQ(Problem("{'a':1}"), "this is not JSON: syntax error at byte 1 of 7");
  EXPECT_EQ(Problem("{\"a\":"), "this is not JSON: incomplete JSON at byte 5 of 5");
  EXPECT_EQ(Problem(""), "this is not JSON: incomplete JSON at byte 0 of 0");
  EXPECT_EQ(Problem("{} {}"), "this is not JSON: a second value follows the first at byte 3 of 5");
  EXPECT_NE(Problem("NaN"), "");
  EXPECT_NE(Problem("[1,]"), "");
  EXPECT_NE(Problem("{\"a\":1 // no comments\n}"), "");
  EXPECT_NE(Problem("\"\xff\""), "") << "invalid UTF-8";
}

TEST(CheckJson, BoundsTheDepth) {
  EXPECT_EQ(Problem("[[[[1]]]]"), "");
  EXPECT_EQ(Problem("[[[[[1]]]]]"), "this JSON is nested deeper than 4 levels, at byte 4");
  EXPECT_EQ(Problem(std::string(100'000, '[')),
            "this JSON is nested deeper than 4 levels, at byte 4");
}

}  // namespace
}  // namespace tasker::workflow
