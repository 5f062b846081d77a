#include "pipeline/timestamps.h"

#include <gtest/gtest.h>

namespace tasker::pipeline {
namespace {

std::string Again(std::string_view text) {
  const auto time = ParseTimestamp(text);
  if (!time) return time.error().message;
  std::string out;
  AppendTimestamp(*time, out);
  return out;
}

TEST(Timestamps, AreReadWithAndWithoutDecimalsAndZone) {
  EXPECT_EQ(Again("2025-08-29T00:00:01.123456"), "2025-08-29T00:00:01.123456");
  EXPECT_EQ(Again("2025-08-29T23:59:59"), "2025-08-29T23:59:59.000000");
  EXPECT_EQ(Again("2025-08-29T23:59:59.5Z"), "2025-08-29T23:59:59.500000");
  EXPECT_EQ(Again("2025-08-29T23:59:59+00:00"), "2025-08-29T23:59:59.000000");
}

TEST(Timestamps, AreRefusedWhereTheyAreNone) {
  for (const char* const text :
       {"", "now", "2025-08-29", "2025-08-29 00:00:01", "2025-02-29T00:00:00",
        "2025-08-29T24:00:00", "2025-08-29T00:60:00", "2025-08-29T00:00:60", "2025-08-29T00:00:00.",
        "2025-08-29T00:00:00+01:00", "2025-08-29T00:00:00.1234567", "2025-08-29T00:00:00 ",
        "-025-08-29T00:00:00"}) {
    const auto time = ParseTimestamp(text);
    ASSERT_FALSE(time) << text;
    EXPECT_EQ(time.error().code, ErrorCode::kInvalid);
  }
}

}  // namespace
}  // namespace tasker::pipeline
