#include "cli/exit_code.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "cli/outcome_text.h"

namespace tasker::cli {
namespace {

TEST(ExitCode, MapsEveryErrorCode) {
  const std::vector<std::pair<ErrorCode, int>> table = {
      {ErrorCode::kInvalid, 65},     {ErrorCode::kNotFound, 66}, {ErrorCode::kConflict, 69},
      {ErrorCode::kUnavailable, 69}, {ErrorCode::kTimeout, 69},  {ErrorCode::kIncompatible, 69},
      {ErrorCode::kNotApplied, 69},  {ErrorCode::kUnknown, 69},  {ErrorCode::kInternal, 70},
  };
  for (const auto& [code, exit] : table) {
    EXPECT_EQ(static_cast<int>(ExitCodeOf(code)), exit) << static_cast<int>(code);
  }
}

TEST(ExitCode, IsExplainedInTheHelp) {
  const std::string help = kExitCodesHelp;
  for (const ExitCode code :
       {ExitCode::kOk, ExitCode::kFailed, ExitCode::kCancelled, ExitCode::kRefused,
        ExitCode::kUsage, ExitCode::kBadInput, ExitCode::kNotFound, ExitCode::kUnavailable,
        ExitCode::kInternal, ExitCode::kAbandoned, ExitCode::kInterrupted}) {
    EXPECT_NE(help.find("\n  " + std::to_string(static_cast<int>(code)) + " "), std::string::npos)
        << static_cast<int>(code);
  }
}

TEST(ExitCode, TellsHowATaskEnded) {
  using workflow::TaskState;
  EXPECT_EQ(ExitOf(TaskState::kComplete), ExitCode::kOk);
  EXPECT_EQ(ExitOf(TaskState::kResolvedManually), ExitCode::kOk);
  EXPECT_EQ(ExitOf(TaskState::kBlockedByFailures), ExitCode::kFailed);
  EXPECT_EQ(ExitOf(TaskState::kError), ExitCode::kFailed);
  EXPECT_EQ(ExitOf(TaskState::kCancelled), ExitCode::kCancelled);
}

}  // namespace
}  // namespace tasker::cli
