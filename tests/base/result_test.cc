#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace tasker {
namespace {

Result<int> Half(int n) {
  if (n % 2 != 0) return Invalid("halve " + std::to_string(n) + ": it is odd");
  return n / 2;
}

Result<int> Quarter(int n) {
  TRY(const int half, Half(n));
  TRY(const int quarter, Half(half));
  return quarter;
}

Status CheckedQuarter(int n) {
  TRY_OK(Half(n));
  return Ok();
}

TEST(Result, CarriesValueOrError) {
  EXPECT_EQ(*Half(4), 2);
  EXPECT_EQ(Half(3).error(), Invalid("halve 3: it is odd"));
}

TEST(Result, TryReturnsTheFirstError) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Quarter(6).error().message, "halve 3: it is odd");
  EXPECT_TRUE(CheckedQuarter(2));
  EXPECT_EQ(CheckedQuarter(1).error().code, ErrorCode::kInvalid);
}

TEST(Result, MovesWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> made = std::make_unique<int>(7);
  const std::unique_ptr<int> taken = *std::move(made);
  EXPECT_EQ(*taken, 7);
}

TEST(ResultDeathTest, TakingTheValueOfAnErrorIsABug) {
  EXPECT_DEATH(static_cast<void>(*Half(3)), "CHECK\\(has_value\\(\\)\\) failed");
}

}  // namespace
}  // namespace tasker
