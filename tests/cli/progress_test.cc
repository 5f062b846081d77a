#include "cli/progress.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>

#include "base/check.h"
#include "base/unique_fd.h"
#include "tests/support/task_views.h"

namespace tasker::cli {
namespace {

using testing::AuditView;
using testing::ViewedAt;
using workflow::StepState;

// A terminal whose text can be read.
class Pipe {
 public:
  Pipe() {
    std::array<int, 2> fds{};
    CHECK(::pipe2(fds.data(), O_NONBLOCK) == 0);
    read_ = UniqueFd(fds[0]);
    write_ = UniqueFd(fds[1]);
  }
  int end() const { return write_.get(); }
  std::string Read() {
    std::array<char, 65536> text{};
    const ssize_t size = ::read(read_.get(), text.data(), text.size());
    return {text.data(), size < 0 ? 0 : static_cast<std::size_t>(size)};
  }

 private:
  UniqueFd read_, write_;
};

class ProgressTest : public ::testing::Test {
 protected:
  Pipe out_pipe_, err_pipe_;
  Terminal out_{out_pipe_.end(), {}};
  Terminal err_{err_pipe_.end(), {}};
};

TEST_F(ProgressTest, PrintsALineForEachStepThatChanged) {
  Progress progress(Progress::ModeFor(out_), out_, err_);
  store::TaskView view = AuditView();
  progress.Show(view, {}, ViewedAt());
  const std::string first = out_pipe_.Read();
  EXPECT_NE(first.find("parse: complete in 85 ms\n"), std::string::npos) << first;
  EXPECT_NE(first.find("graph: in_progress, attempt 1 of 3\n"), std::string::npos) << first;
  EXPECT_NE(
      first.find(
          "names: waiting_for_retry, again in 2.1 s, attempt 1 of 3 failed: Timeout: no answer\n"),
      std::string::npos)
      << first;
  EXPECT_EQ(first.find("report"), std::string::npos) << first;

  progress.Show(view, {}, ViewedAt());
  EXPECT_EQ(out_pipe_.Read(), "");

  view.steps[3].row.state = StepState::kInProgress;
  progress.Show(view, {}, ViewedAt());
  EXPECT_EQ(out_pipe_.Read(), "names: in_progress, attempt 2 of 3\n");
}

TEST_F(ProgressTest, TellsAHintOnce) {
  Progress progress(Progress::Mode::kSilent, out_, err_);
  progress.Show(AuditView(), {"start a host"}, ViewedAt());
  progress.Show(AuditView(), {"start a host"}, ViewedAt());
  EXPECT_EQ(out_pipe_.Read(), "");
  EXPECT_EQ(err_pipe_.Read(), "note: start a host\n");
}

TEST_F(ProgressTest, RedrawsThePictureInPlace) {
  Progress progress(Progress::Mode::kPicture, out_, err_);
  store::TaskView view = AuditView();
  view.steps.resize(2);
  progress.Show(view, {}, ViewedAt());
  const std::string first = out_pipe_.Read();
  EXPECT_EQ(first.find("\x1b[4A"), std::string::npos);
  progress.Show(view, {}, ViewedAt());
  const std::string second = out_pipe_.Read();
  // The headline, the table's header and the two steps are drawn over.
  EXPECT_NE(second.find("\x1b[4A\r"), std::string::npos);
  EXPECT_EQ(second.size(), first.size() + std::string("\x1b[4A\r").size());
}

}  // namespace
}  // namespace tasker::cli
