#include "config/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <string>

#include "config/load.h"
#include "tests/support/scoped_temp_dir.h"

namespace tasker::config {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// What a key must do: inputs in TOML, results in JSON as Show has them. "$DIR" is the file's
// folder, "$HOST" the host's name. Empty: not shown, or no such case.
struct KeyCase {
  const char* key;
  const char* default_value;
  const char* valid;
  const char* valid_value;
  const char* wrong_type;
  const char* too_low;
  const char* too_high;
  const char* expected;  // part of the message
};

std::ostream& operator<<(std::ostream& out, const KeyCase& c) { return out << c.key; }

const KeyCase kCases[] = {
    {"worker.id", R"("worker-$HOST")", R"("w7")", R"("w7")", "7", "", "", "expected a string"},
    {"worker.namespaces", "[]", R"(["a", "b"])", R"(["a","b"])", R"("a")", R"([""])", "",
     "expected a list of non-empty strings"},
    {"worker.threads", "0", "1024", "1024", R"("8")", "-1", "1025",
     "expected an integer from 0 to 1024"},
    {"worker.in_flight_max", "256", "1", "1", "1.5", "0", "65537",
     "expected an integer from 1 to 65536"},
    {"worker.drain", R"("30s")", R"("1500ms")", R"("1500ms")", "30", R"("-1s")", R"("25h")",
     "expected a duration from 0s to 24h"},
    {"worker.handler_limits", "", R"({ "app.charge" = 4 })", "", "4", "", "",
     "expected a table of names"},
    {"store.path", R"("$DIR/.tasker/tasker.db")", R"("sub/../t.db")", R"("$DIR/t.db")", "true",
     R"("")", "", "expected a path"},
    {"store.synchronous", R"("full")", R"("normal")", R"("normal")", "true", R"("off")", "",
     R"(expected one of "full", "normal")"},
    {"store.group", R"("")", R"("tasker")", R"("tasker")", "[]", "", "", "expected a string"},
    {"store.allow_network_fs", "false", "true", "true", R"("true")", "1", "",
     "expected true or false"},
    {"store.turn_max_items", "4096", "100000", "100000", "[1]", "0", "100001",
     "expected an integer from 1 to 100000"},
    {"store.turn_max_bytes", "67108864", R"("1GiB")", "1073741824", "1.0", "1048575", R"("2GiB")",
     "expected a size from 1MiB to 1GiB"},
    {"store.crash_max", "3", "100", "100", "1979-05-27", "0", "101",
     "expected an integer from 1 to 100"},
    {"store.keep_finished", R"("0s")", R"("30d")", R"("30d")", "30", R"("-1s")", R"("3651d")",
     "expected a duration from 0s to 3650d"},
    {"templates.paths", "[]", R"(["t/", "/abs", "/"])", R"(["$DIR/t","/abs","/"])", "[1]",
     R"(["t", ""])", "", "expected a list of paths"},
    {"templates.strict", "false", "true", "true", "0", "", "", "expected true or false"},
    {"plugins.dirs",
     R"(["$DIR/.tasker/plugins","/usr/local/lib/tasker/plugins","/usr/lib/tasker/plugins"])",
     R"(["p"])", R"(["$DIR/p"])", "{}", R"([""])", "", "expected a list of paths"},
    {"limits.context_max_bytes", "1048576", "1024", "1024", "true", "1023", R"("257MiB")",
     "expected a size from 1KiB to 256MiB"},
    {"limits.result_max_bytes", "4194304", R"("64KiB")", "65536", R"("64")", "0", "268435457",
     "expected a size from 1KiB to 256MiB"},
    {"limits.checkpoint_max_bytes", "1048576", R"("256MiB")", "268435456", R"("1MB")", R"("0KiB")",
     R"("1GiB")", "expected a size from 1KiB to 256MiB"},
    {"limits.hydrated_max_bytes", "16777216", R"("1GiB")", "1073741824", R"("x")", "-5",
     R"("99999999999999GiB")", "expected a size from 1KiB to 1GiB"},
    {"limits.template_max_bytes", "1048576", R"("16MiB")", "16777216", R"(["1MiB"])", "1",
     R"("17MiB")", "expected a size from 1KiB to 16MiB"},
    {"limits.json_depth_max", "64", "4", "4", "10:00:00", "3", "513",
     "expected an integer from 4 to 512"},
    {"limits.steps_max", "100000", "1000000", "1000000", "inf", "0", "1000001",
     "expected an integer from 1 to 1000000"},
    {"log.format", R"("auto")", R"("json")", R"("json")", "1", R"("xml")", "",
     R"("auto", "text", "json")"},
    {"log.level", R"("info")", R"("WARN")", R"("warning")", "3", R"("loud")", "",
     R"("trace", "debug", "info")"},
    {"log.modules", "", R"({ store = "debug" })", "", R"("debug")", "", "",
     "expected a table of module names"},
};

void ReplaceAll(std::string_view from, std::string_view to, std::string& text) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

class KeyTest : public ::testing::TestWithParam<KeyCase> {
 protected:
  // The key stands in line 4.
  std::string Document(std::string_view value) const {
    const std::string_view name = GetParam().key;
    const std::size_t dot = name.find('.');
    std::string text = "# A comment.\n\n[" + std::string(name.substr(0, dot)) + "]\n";
    return text.append(name.substr(dot + 1)).append(" = ").append(value).append("\n");
  }
  Result<Config> LoadValue(std::string_view value) const {
    return Load(dir_.Write("worker.toml", Document(value)), Environment());
  }
  // Value and origin as Show has them, against the case's.
  void ExpectShown(const Config& config, std::string value, const std::string& origin) const {
    const boost::json::object all = boost::json::parse(Show(config, true)).as_object();
    ASSERT_EQ(all.contains(GetParam().key), !value.empty());
    if (value.empty()) return;
    std::array<char, 256> host{};
    ASSERT_EQ(::gethostname(host.data(), host.size() - 1), 0);
    ReplaceAll("$HOST", host.data(), value);
    ReplaceAll("$DIR", dir_.path().string(), value);
    EXPECT_EQ(all.at(GetParam().key).at("value"), boost::json::parse(value));
    EXPECT_EQ(all.at(GetParam().key).at("origin"), boost::json::string(origin));
  }
  void ExpectRejected(const char* input) const {
    if (*input == '\0') return;
    const Result<Config> config = LoadValue(input);
    ASSERT_FALSE(config) << input << " was accepted";
    EXPECT_EQ(config.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(config.error().message, AllOf(StartsWith(File() + ":4: " + GetParam().key + " is "),
                                              HasSubstr(GetParam().expected)));
  }
  std::string File() const { return (dir_.path() / "worker.toml").string(); }

  tasker::testing::ScopedTempDir dir_;
};

TEST_P(KeyTest, HasItsDefaultWhenAbsent) {
  const Result<Config> config = Load(dir_.Write("worker.toml", ""), Environment());
  ASSERT_TRUE(config) << config.error().message;
  ExpectShown(*config, GetParam().default_value, "default");
}

TEST_P(KeyTest, TakesAValidValueAndItsPlace) {
  const Result<Config> config = LoadValue(GetParam().valid);
  ASSERT_TRUE(config) << config.error().message;
  ExpectShown(*config, GetParam().valid_value, File() + ":4");
}

TEST_P(KeyTest, RefusesWrongTypesAndValuesOutOfRange) {
  ASSERT_STRNE(GetParam().wrong_type, "");
  for (const char* input : {GetParam().wrong_type, GetParam().too_low, GetParam().too_high})
    ExpectRejected(input);
}

INSTANTIATE_TEST_SUITE_P(Keys, KeyTest, ::testing::ValuesIn(kCases), [](const auto& instance) {
  std::string name = instance.param.key;
  std::ranges::replace(name, '.', '_');
  return name;
});

TEST(Keys, AreAllTested) {
  ASSERT_EQ(std::size(kCases), Keys().size());
  for (std::size_t i = 0; i < Keys().size(); ++i) EXPECT_EQ(kCases[i].key, Keys()[i].name);
}

TEST(Keys, FindTheNearestOfAMisspelling) {
  EXPECT_EQ(NearestKey("worker.thread"), "worker.threads");
  EXPECT_EQ(NearestKey("store.pth"), "store.path");
  EXPECT_EQ(NearestKey("worker.level"), "log.level");
  EXPECT_EQ(NearestKey("threads"), "worker.threads");
  EXPECT_EQ(NearestSection("limit"), "limits");
  EXPECT_EQ(NearestSection("plugn"), "plugin");
}

}  // namespace
}  // namespace tasker::config
