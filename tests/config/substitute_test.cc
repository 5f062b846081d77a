#include "config/substitute.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tasker::config {
namespace {

using ::testing::HasSubstr;

const Environment kEnv = {{"A", "1"}, {"EMPTY", ""}, {"REF", "${A}"}};

std::string Replaced(std::string_view text) {
  const Result<std::string> result = Substitute(text, kEnv);
  EXPECT_TRUE(result) << result.error().message;
  return result ? *result : "";
}

std::string Refused(std::string_view text) {
  const Result<std::string> result = Substitute(text, kEnv);
  EXPECT_FALSE(result) << text << " became " << *result;
  return result ? "" : result.error().message;
}

TEST(Substitute, ReplacesVariables) {
  EXPECT_EQ(Replaced(""), "");
  EXPECT_EQ(Replaced("no variables, $A and {A}"), "no variables, $A and {A}");
  EXPECT_EQ(Replaced("${A}${A}-${A}"), "11-1");
  EXPECT_EQ(Replaced("<${EMPTY}>"), "<>");
}

TEST(Substitute, TakesTheDefaultOfWhatIsUnsetOrEmpty) {
  EXPECT_EQ(Replaced("${A:-2}"), "1");
  EXPECT_EQ(Replaced("${B:-2}"), "2");
  EXPECT_EQ(Replaced("${EMPTY:-2}"), "2");
  EXPECT_EQ(Replaced("<${B:-}>"), "<>");
  EXPECT_EQ(Replaced("${B:-http://x:-y}"), "http://x:-y");
}

TEST(Substitute, ReplacesOnlyOnce) { EXPECT_EQ(Replaced("${REF} ${B:-$A}"), "${A} $A"); }

TEST(Substitute, LeavesDoubledDollarsAlone) {
  EXPECT_EQ(Replaced("$${A}"), "${A}");
  EXPECT_EQ(Replaced("$$ and $"), "$$ and $");
}

TEST(Substitute, RefusesWhatItCannotReplace) {
  EXPECT_THAT(Refused("${B}"), HasSubstr("variable B is not set"));
  EXPECT_THAT(Refused("x${A"), HasSubstr("has no }"));
  EXPECT_THAT(Refused("${}"), HasSubstr("names no environment variable"));
  EXPECT_THAT(Refused("${A B}"), HasSubstr("names no environment variable"));
  EXPECT_THAT(Refused("${1A:-x}"), HasSubstr("names no environment variable"));
}

}  // namespace
}  // namespace tasker::config
