#include "log/format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <boost/json.hpp>
#include <ctime>
#include <string>

namespace tasker::log {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::chrono::system_clock::time_point kAt{std::chrono::milliseconds(1'766'000'000'123)};

std::string Json(std::string_view message, const Fields& fields = {}, std::uint64_t repeated = 0) {
  return FormatJson({kAt, Level::kInfo, "pipeline", message, fields, repeated});
}
std::string Text(std::string_view message, const Fields& fields = {}, std::uint64_t repeated = 0) {
  return FormatText({kAt, Level::kInfo, "pipeline", message, fields, repeated});
}

TEST(FormatJson, WritesOneObject) {
  EXPECT_EQ(
      Json("step claimed", {{"task", "t1"}, {"attempt", 2}}),
      R"({"ts":"2025-12-17T19:33:20.123Z","level":"info","module":"pipeline","message":"step claimed",)"
      R"("task":"t1","attempt":2})");
}

TEST(FormatJson, NamesEachLevel) {
  const Fields none;
  for (const auto& [level, word] :
       {std::pair(Level::kTrace, "trace"), std::pair(Level::kDebug, "debug"),
        std::pair(Level::kWarning, "warning"), std::pair(Level::kError, "error")}) {
    EXPECT_THAT(FormatJson({kAt, level, "m", "x", none, 0}),
                HasSubstr("\"level\":\"" + std::string(word) + "\""));
    EXPECT_THAT(FormatText({kAt, level, "m", "x", none, 0}),
                HasSubstr(" " + std::string(word) + " "));
  }
}

TEST(FormatJson, StaysOneValidLineWhateverItHolds) {
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  const std::string line = Json(every, {{every, every}});
  EXPECT_THAT(line, Not(HasSubstr("\n")));
  const boost::json::object parsed = boost::json::parse(line).as_object();
  EXPECT_THAT(std::string(parsed.at("message").as_string()),
              AllOf(StartsWith(every.substr(0, 128)), HasSubstr("\xef\xbf\xbd")));
}

TEST(FormatJson, KeepsValidUtf8AndReplacesTheRest) {
  const auto message = [](std::string_view text) {
    return std::string(boost::json::parse(Json(text)).at("message").as_string());
  };
  EXPECT_EQ(message("ä€😀"), "ä€😀");
  EXPECT_EQ(message("a\x80z"), "a\xef\xbf\xbdz");
  EXPECT_EQ(message("\xc0\xafz"), "\xef\xbf\xbd\xef\xbf\xbdz") << "an overlong form";
  EXPECT_EQ(message("\xed\xa0\x80z"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz") << "a surrogate";
  EXPECT_EQ(message("z\xf0\x9f\x98"), "z\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd")
      << "an unfinished character";
  EXPECT_EQ(message("\xf4\x90\x80\x80").substr(0, 3), "\xef\xbf\xbd") << "above U+10FFFF";
}

TEST(FormatJson, RenamesFieldsWithTheNameOfAnother) {
  const boost::json::object parsed =
      boost::json::parse(Json("m", {{"level", "9"}, {"ts", 1}})).as_object();
  EXPECT_EQ(parsed.at("level"), "info");
  EXPECT_EQ(parsed.at("level_"), "9");
  EXPECT_EQ(parsed.at("ts_"), 1);
}

TEST(FormatJson, CountsRepetitions) {
  EXPECT_THAT(Json("m", {}, 7), EndsWith(R"("message":"m","repeated":7})"));
}

TEST(FormatJson, CutsALongMessageAndKeepsTheFields) {
  const std::string line = Json(std::string(100'000, 'x'), {{"task", "t1"}}, 3);
  EXPECT_LE(line.size(), kLineMax);
  const boost::json::object parsed = boost::json::parse(line).as_object();
  EXPECT_GT(parsed.at("message").as_string().size(), 2000U);
  EXPECT_EQ(parsed.at("task"), "t1");
  EXPECT_EQ(parsed.at("repeated"), 3);
  EXPECT_EQ(parsed.at("cut"), true);
}

TEST(FormatJson, CutsLongFieldsAndStaysValid) {
  Fields fields = {{"big", std::string(100'000, '\n')}};
  for (int i = 0; i < 3000; ++i) fields.emplace_back("field" + std::to_string(i), i);
  const std::string line = Json(std::string(100'000, '\x01'), fields);
  EXPECT_LE(line.size(), kLineMax);
  EXPECT_EQ(boost::json::parse(line).at("cut"), true);
}

TEST(FormatJson, DoesNotCutWhatFits) {
  EXPECT_THAT(Json(std::string(8000, 'x')), Not(HasSubstr("\"cut\"")));
  EXPECT_THAT(Json(std::string(2000, 'x'), {{"a", std::string(5900, 'y')}}),
              Not(HasSubstr("\"cut\"")));
}

TEST(FormatText, WritesALineForPeople) {
  EXPECT_THAT(
      Text("step claimed", {{"task", "t1"}, {"attempt", 2}}),
      MatchesRegex(
          "[0-2][0-9]:[0-5][0-9]:20\\.123 info    pipeline: step claimed task=t1 attempt=2"));
}

TEST(FormatText, UsesLocalTime) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(kAt);
  std::tm local{};
  ASSERT_NE(::localtime_r(&seconds, &local), nullptr);
  std::array<char, 16> clock{};
  ASSERT_GT(std::strftime(clock.data(), clock.size(), "%H:%M:%S", &local), 0U);
  EXPECT_THAT(Text("m"), StartsWith(clock.data()));
}

TEST(FormatText, QuotesValuesThatWouldBeAmbiguous) {
  EXPECT_THAT(
      Text("m", {{"a", "x y"}, {"b", ""}, {"c", "k=v"}, {"d", "say \"hi\""}, {"e", "/tmp/x"}}),
      EndsWith(R"(: m a="x y" b="" c="k=v" d="say \"hi\"" e=/tmp/x)"));
}

TEST(FormatText, EscapesWhatSteersATerminal) {
  EXPECT_THAT(Text("a\nb\x1b[31m\r\x7f\xc2\x9b", {{"k", "v\x07"}, {"l", "1\n2"}}),
              EndsWith(R"(: a\nb\x1b[31m\r\x7f\x9b k=v\x07 l="1\n2")"));
}

TEST(FormatText, SaysThatItWasCutAndRepeated) {
  const std::string line = Text(std::string(100'000, 'x'), {{"task", "t1"}}, 4);
  EXPECT_LE(line.size(), kLineMax);
  EXPECT_THAT(line, EndsWith("x task=t1 repeated=4 (cut)"));
}

}  // namespace
}  // namespace tasker::log
