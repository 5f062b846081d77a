#include "log/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "tests/support/scoped_temp_dir.h"

namespace tasker::log {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// The process's stderr goes to a file while it lives.
class StderrTest : public ::testing::Test {
 protected:
  StderrTest() : before_(::dup(STDERR_FILENO)), file_(dir_.Write("stderr", "")) {
    const UniqueFd fd(::open(file_.c_str(), O_WRONLY | O_APPEND));
    ::dup2(fd.get(), STDERR_FILENO);
  }
  ~StderrTest() override {
    Stop();  // The filter of repeated lines is the process's: each test starts with an empty one.
    ::dup2(before_.get(), STDERR_FILENO);
  }

  std::vector<std::string> Lines() const {
    std::ifstream file(file_);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }

  static config::Log Settings(config::LogFormat format, Level level) {
    config::Log log;
    log.format = format;
    log.level = level;
    return log;
  }

  tasker::testing::ScopedTempDir dir_;
  UniqueFd before_;
  std::string file_;
};

// Runs first in its process: gtest keeps the order, and ctest starts a process for each test.
TEST_F(StderrTest, WritesWarningsAsTextBeforeItIsStarted) {
  if (Enabled("m", Level::kInfo)) GTEST_SKIP() << "the log of this process is already started";
  Info("m", "not yet");
  Warning("m", "look out", {{"n", 1}});
  EXPECT_THAT(Lines(), ElementsAre(HasSubstr("warning m: look out n=1")));
}

TEST_F(StderrTest, WritesJsonLinesToWhatIsNoTerminal) {
  Start(Settings(config::LogFormat::kAuto, Level::kInfo));
  Info("pipeline", "step claimed", {{"task", "t1"}, {"attempt", 2}});
  const std::vector<std::string> lines = Lines();
  ASSERT_THAT(lines, SizeIs(1));
  const boost::json::value line = boost::json::parse(lines.front());
  EXPECT_EQ(line.at("message"), "step claimed");
  EXPECT_EQ(line.at("task"), "t1");
  EXPECT_EQ(line.at("attempt"), 2);
}

TEST_F(StderrTest, WritesTextWhenTold) {
  Start(Settings(config::LogFormat::kText, Level::kInfo));
  Info("cli", "hello");
  EXPECT_THAT(Lines(), ElementsAre(HasSubstr(" info    cli: hello")));
}

TEST_F(StderrTest, FollowsTheLevelOfTheModuleOrTheDefault) {
  config::Log settings = Settings(config::LogFormat::kText, Level::kInfo);
  settings.modules = {{"store", Level::kDebug}, {"plugin", Level::kError}};
  Start(settings);
  EXPECT_TRUE(Enabled("store", Level::kDebug));
  EXPECT_FALSE(Enabled("store", Level::kTrace));
  EXPECT_FALSE(Enabled("plugin", Level::kWarning));
  EXPECT_TRUE(Enabled("plugin", Level::kError));
  EXPECT_TRUE(Enabled("pipeline", Level::kInfo));
  EXPECT_FALSE(Enabled("pipeline", Level::kDebug));
  Debug("pipeline", "no");
  Debug("store", "yes");
  Warning("plugin", "no");
  EXPECT_THAT(Lines(), ElementsAre(HasSubstr("debug   store: yes")));
}

TEST_F(StderrTest, WritesARepeatedErrorOnceAndItsCountAtTheEnd) {
  Start(Settings(config::LogFormat::kJson, Level::kInfo));
  for (int i = 0; i < 10; ++i) Error("store", "disk full");
  for (int i = 0; i < 3; ++i) Info("store", "a turn");
  ASSERT_THAT(Lines(), SizeIs(4)) << "infos are never left out";
  Stop();
  ASSERT_THAT(Lines(), SizeIs(5));
  const boost::json::value last = boost::json::parse(Lines().back());
  EXPECT_EQ(last.at("message"), "disk full");
  EXPECT_EQ(last.at("repeated"), 9);
  Stop();
  EXPECT_THAT(Lines(), SizeIs(5)) << "a second Stop adds nothing";
}

TEST_F(StderrTest, KeepsTheLinesOfThreadsWhole) {
  Start(Settings(config::LogFormat::kJson, Level::kInfo));
  constexpr int kThreads = 4;
  constexpr int kEach = 200;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([t] {
        for (int i = 0; i < kEach; ++i) {
          Info("m", "line", {{"id", t * kEach + i}});
          Warning("m", "again");
        }
      });
    }
  }
  std::set<std::int64_t> ids;
  int warnings = 0;
  for (const std::string& text : Lines()) {
    const boost::json::object line = boost::json::parse(text).as_object();
    if (line.at("message") == "again") {
      ++warnings;
    } else {
      ids.insert(line.at("id").as_int64());
    }
  }
  EXPECT_EQ(ids.size(), kThreads * kEach);
  EXPECT_EQ(warnings, 1);
}

}  // namespace
}  // namespace tasker::log
