#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "config/keys.h"
#include "config/load.h"
#include "config/value.h"
#include "tests/support/scoped_temp_dir.h"

namespace tasker::config {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path kFile =
    std::filesystem::path(TASKER_SOURCE_DIR) / "config" / "worker.toml";

// Dotted key -> the comment above it, in one line.
std::map<std::string, std::string> CommentsOfKeys() {
  std::ifstream file(kFile);
  std::map<std::string, std::string> comments;
  std::string section;
  std::string comment;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#")) {
      comment += line.substr(1);
    } else if (line.starts_with("[")) {
      section = line.substr(1, line.find(']') - 1);
      comments[section] = std::exchange(comment, "");
    } else if (const std::size_t equals = line.find(" = "); equals != std::string::npos) {
      comments[section + "." + line.substr(0, equals)] = std::exchange(comment, "");
    } else {
      comment.clear();
    }
  }
  return comments;
}

TEST(WorkerToml, ExplainsEveryKeyAsTheTableOfKeysDoes) {
  const std::map<std::string, std::string> comments = CommentsOfKeys();
  for (const Key& key : Keys()) {
    const auto comment = comments.find(std::string(key.name));
    ASSERT_NE(comment, comments.end()) << key.name << " does not stand in " << kFile;
    EXPECT_THAT(comment->second, HasSubstr(std::string(key.meaning))) << key.name;
    EXPECT_THAT(comment->second, HasSubstr("Takes " + Expected(key) + ".")) << key.name;
    if (key.env.empty()) continue;
    EXPECT_THAT(comment->second, HasSubstr("Environment: " + std::string(key.env) + "."));
  }
}

TEST(WorkerToml, ChangesNoDefault) {
  const tasker::testing::ScopedTempDir dir;
  const std::string copy = (dir.path() / "worker.toml").string();
  ASSERT_TRUE(std::filesystem::copy_file(kFile, copy));
  const Result<Config> explained = Load(copy, {});
  const Result<Config> empty = Load(dir.Write("empty.toml", ""), {});
  ASSERT_TRUE(explained) << explained.error().message;
  ASSERT_TRUE(empty) << empty.error().message;
  for (const Key& key : Keys()) EXPECT_EQ(Read(key, *explained), Read(key, *empty)) << key.name;
  EXPECT_EQ(explained->log.modules, empty->log.modules);
  EXPECT_EQ(explained->plugins.configs, empty->plugins.configs);
}

}  // namespace
}  // namespace tasker::config
