#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <string>

#include "workflow/template.h"

namespace tasker::workflow {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kTop =
    "name: t\nnamespace_name: ns\nversion: 1.0.0\nsteps:\n  - name: a\n    handler:\n";

std::string Problem(std::string_view text, const TemplateLimits& limits = {}) {
  const auto parsed = ParseTemplate(text, "t.yaml", false, limits);
  return parsed ? "" : parsed.error().message;
}

// What a YAML value is as JSON; the error if it cannot be.
std::string AsJson(std::string_view yaml) {
  const std::string text =
      std::string(kTop) +
      "      callable: h\n      initialization:\n        v: " + std::string(yaml) + "\n";
  const auto parsed = ParseTemplate(text, "t.yaml", false);
  if (!parsed) return parsed.error().message;
  const std::string json = parsed->task_template.steps[0].handler.initialization;
  EXPECT_NO_THROW(boost::json::parse(json)) << json;
  EXPECT_THAT(json, StartsWith("{\"v\":"));
  return json.substr(5, json.size() - 6);
}

TEST(Yaml, BecomesJsonByTheCoreSchema) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "null"},
      {"~", "null"},
      {"null", "null"},
      {"NULL", "null"},
      {"nULL", R"("nULL")"},
      {"\"null\"", R"("null")"},
      {"''", R"("")"},
      {"true", "true"},
      {"False", "false"},
      {"tRUE", R"("tRUE")"},
      {"yes", R"("yes")"},
      {"off", R"("off")"},
      {"y", R"("y")"},
      {"'true'", R"("true")"},
      {"1", "1"},
      {"-17", "-17"},
      {"+5", "5"},
      {"0", "0"},
      {"\"1\"", R"("1")"},
      {"0o17", "15"},
      {"0x1F", "31"},
      {"0b11", R"("0b11")"},
      {"1_000", R"("1_000")"},
      {"12:30", R"("12:30")"},
      {"9223372036854775807", "9223372036854775807"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"18446744073709551615", "18446744073709551615"},
      {"18446744073709551616", "18446744073709551616.0"},
      {"1.5", "1.5"},
      {"1.0", "1.0"},
      {"1.", "1.0"},
      {".5", "0.5"},
      {"-.5e1", "-5.0"},
      {"+1.25", "1.25"},
      {"1e3", "1000.0"},
      {"1e300", "1e+300"},
      {"0.1", "0.1"},
      {"1.2.3", R"("1.2.3")"},
      {"1e", R"("1e")"},
      {".", R"(".")"},
      {"2026-01-31", R"("2026-01-31")"},
      // As upstream reads it: a postal code is no number.
      {"01234", R"("01234")"},
      {"[1, a, {b: [c]}]", R"([1,"a",{"b":["c"]}])"},
      {"{}", "{}"},
      {"[]", "[]"},
      {"{1: a, true: b}", R"({"1":"a","true":"b"})"},
      {"|\n          two\n          lines", R"("two\nlines\n")"},
      {"\"a\\tb \\u00e9 \\\" \"", "\"a\\tb \xc3\xa9 \\\" \""},
      {"!!str 5", R"("5")"},
      {"&x [1]", "[1]"},
      {".inf",
       "t.yaml:9: '.inf' is a number that JSON cannot hold; write it in quotes, or a smaller one"},
      {"-.INF",
       "t.yaml:9: '-.INF' is a number that JSON cannot hold; write it in quotes, or a smaller one"},
      {".nan",
       "t.yaml:9: '.nan' is a number that JSON cannot hold; write it in quotes, or a smaller one"},
      {"1e999",
       "t.yaml:9: '1e999' is a number that JSON cannot hold; write it in quotes, or a smaller one"},
      {"!!binary aGk=",
       "t.yaml:9: the tag 'tag:yaml.org,2002:binary' means nothing here; write the value without "
       "it"},
      {"!mine {}", "t.yaml:9: the tag '!mine' means nothing here; write the value without it"},
  };
  for (const auto& [yaml, json] : cases) EXPECT_EQ(AsJson(yaml), json) << yaml;
}

TEST(Yaml, ErrorsNameTheirLine) {
  const std::string hint = "; check the indentation, the colons and the quotes up to here";
  EXPECT_EQ(Problem("name: t\nx: [1, 2\n"),
            "t.yaml:3: this is not YAML: end of sequence flow not found" + hint);
  EXPECT_EQ(Problem("name: t\na: b: c\n"), "t.yaml:2: this is not YAML: illegal map value" + hint);
  EXPECT_EQ(Problem("name: t\nx: *none\n"),
            "t.yaml:2: this is not YAML: the referenced anchor is not defined" + hint);
  EXPECT_THAT(Problem(""),
              StartsWith("t.yaml:1: the template is empty; write keys with values: name, "));
  EXPECT_THAT(Problem("[]"), StartsWith("t.yaml:1: the template is a list; "));
  EXPECT_EQ(Problem("name: a\nname: b\n"),
            "t.yaml:2: the key 'name' stands twice in one mapping; remove one of them");
  EXPECT_EQ(
      Problem("a: 1\n[b]: 2\n"),
      "t.yaml:2: a list or a mapping stands where a key is expected; write a name and a colon");
}

TEST(Yaml, HoldsOneDocument) {
  const std::string text = std::string(kTop) + "      callable: h\n";
  EXPECT_EQ(Problem("---\n" + text), "");
  EXPECT_EQ(Problem("# a comment\n---\n" + text + "...\n"), "");
  EXPECT_EQ(Problem(text + "---\n"), "");
  EXPECT_EQ(Problem(text + "---\na: 1\n"),
            "t.yaml:9: a second document starts here; write one template a file");
}

TEST(Yaml, ControlCharactersAreRefused) {
  // yaml-cpp takes 0x04 for the end of the text.
  EXPECT_EQ(
      Problem(std::string("name: t\nversion: \x04 1\n")),
      "t.yaml:2: the text holds the control character 4; remove it, and save the file as UTF-8");
  EXPECT_EQ(
      Problem(std::string("n\0a", 3)),
      "t.yaml:1: the text holds the control character 0; remove it, and save the file as UTF-8");
}

TEST(Yaml, AliasesAreFollowed) {
  const std::string text =
      "name: t\nnamespace_name: ns\nversion: 1\nsteps:\n"
      "  - {name: a, handler: {callable: h, initialization: &init {x: [1, 2]}}, retry: &retry "
      "{max_attempts: 7}}\n"
      "  - {name: b, handler: {callable: h, initialization: *init}, retry: *retry}\n";
  const auto parsed = ParseTemplate(text, "t.yaml", true);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->task_template.steps[1].handler.initialization, R"({"x":[1,2]})");
  EXPECT_EQ(parsed->task_template.steps[1].retry.max_attempts, 7);
}

TEST(Yaml, AliasBombsAreRefused) {
  std::string bomb = "a0: &a0 [xxxxxxxxxxxxxxxxxxxx, xxxxxxxxxxxxxxxxxxxx]\n";
  for (int i = 1; i < 60; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before + ", " + before +
            ", " + before + "]\n";
  }
  EXPECT_THAT(Problem(bomb),
              HasSubstr("with its aliases written out this text is longer than 4194304 bytes"));
  TemplateLimits limits;
  limits.text_max_bytes = 100;
  EXPECT_EQ(
      Problem("a: &a [xxxxxxxxxxxxxxxxxxxx]\nb: &b [*a, *a, *a, *a, *a]\nc: [*b, *b, *b, *b]\n",
              limits),
      "t.yaml:3: with its aliases written out this text is longer than 400 bytes; repeat less "
      "through aliases");
}

TEST(Yaml, AnAliasWithinItsOwnAnchorIsRefused) {
  EXPECT_EQ(Problem("a: &a [1, *a]\n"),
            "t.yaml:1: this alias stands inside its own anchor; write the value out");
}

TEST(Yaml, DepthIsLimited) {
  for (const std::string& text :
       {std::string("a: ") + std::string(1000, '[') + std::string(1000, ']'),
        std::string(100'000, '['), [] {
          std::string dashes;
          for (int i = 0; i < 10'000; ++i) dashes += "- ";
          return dashes;
        }()}) {
    EXPECT_EQ(Problem(text), "t.yaml:1: this is nested deeper than 64 levels; flatten it");
  }
  // Through aliases it grows without the text being deep.
  std::string text = "a0: &a0 [1]\n";
  for (int i = 1; i < 100; ++i)
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) +
            "]\n";
  EXPECT_EQ(Problem(text), "t.yaml:63: this is nested deeper than 64 levels; flatten it");
  TemplateLimits limits;
  limits.depth_max = 3;
  EXPECT_EQ(Problem("a:\n  b:\n    c:\n      d: 1\n", limits),
            "t.yaml:4: this is nested deeper than 3 levels; flatten it");
}

TEST(Yaml, LengthIsLimited) {
  TemplateLimits limits;
  limits.text_max_bytes = 10;
  EXPECT_EQ(Problem("name: long text", limits),
            "t.yaml:1: the template is 15 bytes long; at most 10 are read");
  EXPECT_EQ(Problem(std::string((1u << 20) + 1, 'x')),
            "t.yaml:1: the template is 1048577 bytes long; at most 1048576 are read");
}

}  // namespace
}  // namespace tasker::workflow
