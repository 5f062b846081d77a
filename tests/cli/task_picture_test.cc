#include "cli/task_picture.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/task_views.h"

namespace tasker::cli {
namespace {

using testing::AuditView;
using testing::StepOf;
using testing::ViewedAt;
using workflow::StepState;

std::string Joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

TEST(TaskPicture, DrawsTheGraphBesideTheSteps) {
  EXPECT_EQ(Joined(TaskPicture(AuditView(), ViewedAt(), {.utf8 = true})),
            "       STEP    STATE              TRY  TIME    NOTE\n"
            "✓      parse   complete           1/3  85 ms\n"
            "├─┬─╮\n"
            "✓ │ │  sizes   complete           1/3  12 ms\n"
            "│ ● │  graph   in_progress        1/3  340 ms\n"
            "│ │ ↻  names   waiting_for_retry  1/3          again in 2.1 s; Timeout: no answer\n"
            "├─┴─╯\n"
            "○      report  pending\n");
}

TEST(TaskPicture, NeedsNoUtf8) {
  EXPECT_EQ(Joined(TaskPicture(AuditView(), ViewedAt(), {})),
            "       STEP    STATE              TRY  TIME    NOTE\n"
            "*      parse   complete           1/3  85 ms\n"
            "+-+-.\n"
            "* | |  sizes   complete           1/3  12 ms\n"
            "| @ |  graph   in_progress        1/3  340 ms\n"
            "| | ~  names   waiting_for_retry  1/3          again in 2.1 s; Timeout: no answer\n"
            "+-+-'\n"
            ".      report  pending\n");
}

TEST(TaskPicture, KeepsToTheWidth) {
  for (const std::string& line : TaskPicture(AuditView(), ViewedAt(), {.width = 60}))
    EXPECT_LE(line.size(), 60U) << line;
}

TEST(TaskPicture, SaysWhichHandlerIsMissing) {
  store::TaskView view;
  view.steps = {StepOf(0, "pay", StepState::kEnqueued, {})};
  view.steps[0].served = false;
  EXPECT_NE(
      Joined(TaskPicture(view, ViewedAt(), {})).find("no running host has handler 'test.pay'"),
      std::string::npos);
}

TEST(TaskPicture, CountsTheStepsOfALargeTaskByState) {
  store::TaskView view;
  for (std::int32_t n = 0; n < 41; ++n) {
    view.steps.push_back(StepOf(n, "s" + std::to_string(n),
                                n == 0 ? StepState::kComplete : StepState::kPending, {}));
  }
  view.steps[40].row.state = StepState::kInProgress;
  view.steps[40].row.claimed = ViewedAt(std::chrono::seconds(2));
  EXPECT_EQ(Joined(TaskPicture(view, ViewedAt(), {})),
            "STATE        STEPS\n"
            "pending      39\n"
            "in_progress  1\n"
            "complete     1\n"
            "\n"
            "STEP  STATE        TRY  TIME\n"
            "s40   in_progress  1/3  2.0 s\n");
}

TEST(TaskPicture, DrawsOneStepOfTheTaskAlone) {
  store::TaskView view = AuditView();
  view.steps = {view.steps[4]};
  EXPECT_EQ(TaskPicture(view, ViewedAt(), {}).size(), 2U);
}

TEST(TaskPicture, ShowsATemplatesHandlers) {
  workflow::TaskTemplate definition;
  definition.steps.resize(2);
  definition.steps[0].name = "greet";
  definition.steps[0].handler.callable = "hello.greet";
  definition.steps[1].name = "shout";
  definition.steps[1].handler.callable = "hello.shout";
  definition.steps[1].dependencies = {"greet"};
  EXPECT_EQ(Joined(TemplatePicture(definition, {})),
            "   STEP   HANDLER      TRIES  AFTER\n"
            ".  greet  hello.greet  3\n"
            ".  shout  hello.shout  3      greet\n");
}

TEST(TaskHeadline, TellsHowFarTheTaskHasCome) {
  EXPECT_EQ(TaskHeadline(AuditView().summary, ViewedAt(), {}),
            "examples/audit@1.0.0  steps_in_process  2 of 5 steps  1.2 s");
}

TEST(ErrorText, IsTypeAndMessage) {
  store::AttemptView attempt;
  EXPECT_EQ(ErrorText(attempt), "");
  attempt.error = R"({"type":"","message":"gone"})";
  EXPECT_EQ(ErrorText(attempt), "gone");
  attempt.error = R"({"type":"IOError","message":"gone"})";
  EXPECT_EQ(ErrorText(attempt), "IOError: gone");
}

}  // namespace
}  // namespace tasker::cli
