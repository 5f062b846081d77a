#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "config/keys.h"
#include "config/load.h"
#include "tests/support/scoped_temp_dir.h"

namespace tasker::config {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kText = R"([worker]
id = "wörker"
drain = "90s"
[limits]
result_max_bytes = 65536
context_max_bytes = 1500
[log.modules]
store = "debug"
[plugin.mail]
host = "localhost"
Api_Token = "abc123"
[plugin.mail.login]
user = "u"
password = "hunter2"
[plugin.mail.keys]
first = "k1"
[[plugin.mail.accounts]]
name = "a"
client_secret = "s3cret"
[plugin.empty]
)";

class ShowTest : public ::testing::Test {
 protected:
  std::string Shown(bool json) const {
    const Result<Config> config = Load(dir_.Write("worker.toml", kText), {});
    EXPECT_TRUE(config) << config.error().message;
    return config ? Show(*config, json) : "";
  }
  tasker::testing::ScopedTempDir dir_;
};

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

TEST_F(ShowTest, PrintsEachKeyWithItsValueAndOrigin) {
  const std::vector<std::string> lines = Lines(Shown(false));
  const auto line = [&](const std::string& key) {
    for (const std::string& text : lines) {
      if (text.starts_with(key + " ")) return text;
    }
    return std::string();
  };
  for (const Key& key : Keys()) {
    if (key.name == "log.modules" || key.name == "worker.handler_limits") continue;  // tables
    EXPECT_NE(line(std::string(key.name)), "") << key.name;
  }
  const std::string file = (dir_.path() / "worker.toml").string();
  EXPECT_THAT(line("worker.drain"),
              ::testing::MatchesRegex("worker.drain +\"90s\" +" + file + ":3"));
  EXPECT_THAT(line("worker.threads"), ::testing::MatchesRegex("worker.threads +0 +default"));
  EXPECT_THAT(line("limits.result_max_bytes"), HasSubstr(" \"64KiB\" "));
  EXPECT_THAT(line("limits.context_max_bytes"), HasSubstr(" 1500 "));
  EXPECT_THAT(line("log.modules.store"), HasSubstr(" \"debug\" "));
  EXPECT_THAT(line("plugin.mail.host"), HasSubstr(" \"localhost\" "));
  EXPECT_THAT(line("plugin.empty"), HasSubstr(" {} "));
}

TEST_F(ShowTest, AlignsItsColumns) {
  const std::vector<std::string> lines = Lines(Shown(false));
  const auto column = [](std::string line, const std::string& of) {
    for (std::size_t at; (at = line.find("ö")) != std::string::npos;)
      line.replace(at, std::string("ö").size(), "o");
    return line.find(of);
  };
  EXPECT_EQ(column(lines[0], "\"worker"), column(lines[2], "0 "));
  EXPECT_EQ(column(lines[0], dir_.path().string()), column(lines[2], "default"));
  EXPECT_LT(column(lines[2], "default"), 80)
      << "one long value must not push all origins off the screen";
}

TEST_F(ShowTest, PrintsJsonForScripts) {
  const boost::json::value shown = boost::json::parse(Shown(true));
  EXPECT_EQ(shown.at("worker.id").at("value"), "wörker");
  EXPECT_EQ(shown.at("limits.result_max_bytes").at("value"), 65536);
  EXPECT_EQ(shown.at("log.modules.store").at("value"), "debug");
  EXPECT_EQ(shown.at("worker.threads").at("origin"), "default");
}

TEST_F(ShowTest, HidesTheSecretsOfPlugins) {
  for (const bool json : {false, true}) {
    const std::string shown = Shown(json);
    for (const char* secret : {"abc123", "hunter2", "k1", "s3cret"})
      EXPECT_THAT(shown, Not(HasSubstr(secret)));
    EXPECT_THAT(shown, HasSubstr(R"({"password":"***","user":"u"})"));
    EXPECT_THAT(shown, HasSubstr(R"([{"client_secret":"***","name":"a"}])"));
  }
  const boost::json::value shown = boost::json::parse(Shown(true));
  EXPECT_EQ(shown.at("plugin.mail.Api_Token").at("value"), "***");
  EXPECT_EQ(shown.at("plugin.mail.host").at("value"), "localhost");
}

}  // namespace
}  // namespace tasker::config
