#include "cli/context_argument.h"

#include <gtest/gtest.h>

#include "tests/support/scoped_temp_dir.h"

namespace tasker::cli {
namespace {

constexpr std::int64_t kMax = 1024;

TEST(ReadContext, TakesTheArgumentItself) {
  EXPECT_EQ(*ReadContext(R"({"a":1})", kMax), R"({"a":1})");
}

TEST(ReadContext, ReadsAFile) {
  const testing::ScopedTempDir dir;
  EXPECT_EQ(*ReadContext("@" + dir.Write("context.json", R"({"a":2})"), kMax), R"({"a":2})");
}

TEST(ReadContext, NamesAFileThatIsNotThere) {
  const auto context = ReadContext("@/nowhere/context.json", kMax);
  ASSERT_FALSE(context);
  EXPECT_EQ(context.error().code, ErrorCode::kNotFound);
  EXPECT_NE(context.error().message.find("/nowhere/context.json"), std::string::npos);
}

TEST(ReadContext, NamesTheLimitOfALargeFile) {
  const testing::ScopedTempDir dir;
  const auto context =
      ReadContext("@" + dir.Write("context.json", std::string(kMax + 1, ' ')), kMax);
  ASSERT_FALSE(context);
  EXPECT_EQ(context.error().code, ErrorCode::kInvalid);
  EXPECT_NE(context.error().message.find("limits.context_max_bytes"), std::string::npos);
}

}  // namespace
}  // namespace tasker::cli
