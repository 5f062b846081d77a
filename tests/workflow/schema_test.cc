#include "workflow/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tasker::workflow {
namespace {

using ::testing::HasSubstr;

std::string CompileProblem(std::string_view schema) {
  const auto compiled = JsonSchema::Compile(schema);
  return compiled ? "" : compiled.error().message;
}

// Empty if the document is right.
std::string Problem(std::string_view schema, std::string_view document) {
  const auto compiled = JsonSchema::Compile(schema);
  if (!compiled) return "no schema: " + compiled.error().message;
  const Status status = (*compiled)->Check(document);
  return status ? "" : status.error().message;
}

constexpr std::string_view kOrder = R"({
  "type": "object", "required": ["id", "items"], "additionalProperties": false,
  "properties": {
    "id": {"type": "integer", "minimum": 1},
    "day": {"type": ["string", "null"], "format": "date"},
    "items": {"type": "array", "minItems": 1, "items": {
      "type": "object", "required": ["sku"], "properties": {"sku": {"type": "string", "pattern": "^[A-Z]+$"}}}},
    "speed": {"enum": ["slow", "fast"]}}})";

TEST(JsonSchema, AcceptsWhatFits) {
  EXPECT_EQ(Problem(kOrder,
                    R"({"id": 1, "items": [{"sku": "AB"}], "day": "2026-02-28", "speed": "fast"})"),
            "");
  EXPECT_EQ(Problem(kOrder, R"({"id": 1, "items": [{"sku": "AB", "more": 1}], "day": null})"), "");
}

TEST(JsonSchema, ListsEveryViolationWithItsPlace) {
  EXPECT_EQ(
      Problem(
          kOrder,
          R"({"id": 0, "items": [{"sku": "A"}, {"sku": "b"}, {}], "day": "2026-13-01", "speed": 3})"),
      "at /day: is no date; at /id: expected number greater than or equal to 1; "
      "at /items/1/sku: does not match the pattern '^[A-Z]+$'; at /items/2: the property 'sku' is "
      "missing; "
      "at /speed: is none of the allowed values [\"slow\",\"fast\"]");
  EXPECT_EQ(
      Problem(kOrder, "{}"),
      "at the top: the property 'id' is missing; at the top: the property 'items' is missing");
  EXPECT_EQ(Problem(kOrder, "[]"), "at the top: is an array; write object");
  EXPECT_EQ(Problem(kOrder, R"({"id": 1, "items": [{"sku": "A"}], "idd": 2})"),
            "at the top: the property 'idd' is not allowed");
  EXPECT_EQ(Problem(R"({"properties": {"a/b~c": {"type": "null"}}})", R"({"a/b~c": 1})"),
            "at /a~1b~0c: is an integer; write null");
}

TEST(JsonSchema, BoundsTheListOfViolations) {
  std::string document = "[";
  for (int i = 0; i < 200; ++i) document += (i == 0 ? "" : ",") + std::to_string(i);
  const std::string problem = Problem(R"({"items": {"type": "string"}})", document + "]");
  EXPECT_THAT(problem, HasSubstr("at /49: is an integer; write string; and 150 more"));
  EXPECT_EQ(problem.find("/50:"), std::string::npos);
}

TEST(JsonSchema, RefusesWhatIsNotJson) {
  EXPECT_EQ(Problem(kOrder, "{bad"), "this is not JSON: syntax error");
  EXPECT_EQ(Problem("true", std::string(65, '[') + std::string(65, ']')),
            "this JSON is nested deeper than 64 levels");
  EXPECT_EQ(CompileProblem("{bad"), "it is not JSON: syntax error");
}

struct KeywordCase {
  std::string_view schema, good, bad, problem;
};

TEST(JsonSchema, ChecksEachKeyword) {
  const KeywordCase cases[] = {
      {R"({"const": {"a": 1}})", R"({"a": 1})", R"({"a": 2})",
       "at the top: failed to match expected value set by 'const' constraint"},
      {R"({"multipleOf": 3})", "9", "10", "at the top: value should be a multiple of 3"},
      {R"({"maximum": 5})", "5", "6", "at the top: expected number less than or equal to 5"},
      {R"({"exclusiveMaximum": 5})", "4.5", "5", "at the top: expected number less than 5"},
      {R"({"minLength": 2})", "\"\xc3\xa9\xc3\xa9\"", "\"\xc3\xa9\"",
       "at the top: string should be no fewer than 2 characters in length"},
      {R"({"maxLength": 2})", "\"\xc3\xa9\xc3\xa9\"", "\"abc\"",
       "at the top: string should be no more than 2 characters in length"},
      {R"({"uniqueItems": true})", "[1, 2]", "[1, 1]",
       "at the top: elements at indexes #0 and #1 violate uniqueness constraint"},
      {R"({"maxItems": 1})", "[1]", "[1, 2]",
       "at the top: array should contain no more than 1 elements"},
      {R"({"minProperties": 1})", R"({"a": 1})", "{}",
       "at the top: object should have no fewer than 1 properties"},
      {R"({"dependencies": {"a": ["b"]}})", R"({"a": 1, "b": 2})", R"({"a": 1})",
       "at the top: missing dependency 'b'"},
      {R"({"contains": {"type": "string"}})", R"([1, "a"])", "[1]",
       "at the top: failed to any values against subschema in 'contains' constraint"},
      {R"({"patternProperties": {"^n": {"type": "number"}}})", R"({"n1": 1, "x": "y"})",
       R"({"n1": "y"})", "at /n1: is a string; write number"},
      {R"({"additionalProperties": {"type": "string"}})", R"({"x": "y"})", R"({"x": 1})",
       "at /x: is an integer; write string"},
      {R"({"properties": {"x": false}})", R"({"y": 1})", R"({"x": 1})",
       "at the top: the schema does not allow the property 'x'"},
      {R"({"not": {"type": "string"}})", "1", "\"x\"",
       "at the top: target should not validate against schema specified in 'not' constraint"},
      {R"({"allOf": [{"minimum": 1}, {"maximum": 3}]})", "2", "4",
       "at the top: expected number less than or equal to 3"},
      {R"({"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"minimum": 2}})", "2", "1",
       "at the top: expected number greater than or equal to 2"},
      {R"({"type": "integer"})", "3.0", "3.5", "at the top: is a number; write integer"},
      {R"({"type": ["boolean", "null"]})", "null", "0",
       "at the top: is an integer; write boolean or null"},
      {R"({"type": "integer"})", "99999999999999999999", "\"1\"",
       "at the top: is a string; write integer"},
      {R"({"format": "date-time"})", "\"2026-01-31T23:59:60Z\"", "\"2026-01-31 10:00\"",
       "at the top: is no date-time"},
      {R"({"format": "uuid"})", "\"0190a6e0-0000-7000-8000-00000000000A\"", "\"0190\"",
       "at the top: is no uuid"},
      {R"({"format": "email"})", "\"a@b\"", "\"a\"", "at the top: is no email"},
      {R"({"format": "time"})", "\"10:00:00+01:00\"", "\"10:00\"", "at the top: is no time"},
      {"true", "1", "", "this is not JSON: incomplete JSON"},
      {"false", "", "1", "the schema does not allow this value"},
  };
  for (const KeywordCase& c : cases) {
    if (!c.good.empty()) {
      EXPECT_EQ(Problem(c.schema, c.good), "") << c.schema << " on " << c.good;
    }
    EXPECT_EQ(Problem(c.schema, c.bad), c.problem) << c.schema << " on " << c.bad;
  }
}

TEST(JsonSchema, ChecksAKeywordOnlyOnItsOwnKindOfValue) {
  for (const std::string_view schema :
       {R"({"pattern": "^a$"})", R"({"format": "date"})", R"({"minLength": 5})",
        R"({"minimum": 5})", R"({"required": ["x"]})", R"({"items": {"type": "string"}})",
        R"({"format": "hostname"})"}) {
    EXPECT_EQ(Problem(schema, "null"), "") << schema;
    EXPECT_EQ(Problem(schema, "true"), "") << schema;
  }
}

TEST(JsonSchema, NamesTheAlternativesThatFailed) {
  EXPECT_EQ(Problem(R"({"anyOf": [{"type": "string"}, {"minimum": 5}]})", "3"),
            "at the top: is an integer; write string; at the top: expected number greater than or "
            "equal to 5; "
            "at the top: failed to validate against any schemas allowed by anyOf constraint");
  EXPECT_EQ(Problem(R"({"oneOf": [{"type": "number"}, {"minimum": 5}]})", "7"),
            "at the top: failed to validate against exactly one child schema");
}

TEST(JsonSchema, FollowsReferencesWithinTheSchema) {
  constexpr std::string_view kTree =
      R"({"required": ["v"], "properties": {"left": {"$ref": "#"}, "note": {"$ref": "#/definitions/a%20note~1s"}},
          "definitions": {"a note/s": {"type": "string"}}})";
  EXPECT_EQ(Problem(kTree, R"({"v": 1, "left": {"v": 2, "left": {"v": 3, "note": "x"}}})"), "");
  EXPECT_EQ(Problem(kTree, R"({"v": 1, "left": {"v": 2, "left": {"note": 5}}})"),
            "at /left/left/note: is an integer; write string; at /left/left: the property 'v' is "
            "missing");
  // An id only serves references to elsewhere.
  EXPECT_EQ(
      Problem(
          R"({"$id": "http://example.com/a.json", "properties": {"a": {"$ref": "#/definitions/s"}},
                        "definitions": {"s": {"type": "string"}}})",
          R"({"a": 1})"),
      "at /a: is an integer; write string");
}

TEST(JsonSchema, KnowsItsDrafts) {
  for (const std::string_view address :
       {"http://json-schema.org/draft-06/schema#", "https://json-schema.org/draft-07/schema"}) {
    const std::string schema =
        R"({"$schema": ")" + std::string(address) + R"(", "exclusiveMinimum": 5})";
    EXPECT_EQ(Problem(schema, "5"), "at the top: expected number greater than 5") << address;
  }
  EXPECT_EQ(
      Problem(
          R"({"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 5, "exclusiveMinimum": true})",
          "5"),
      "at the top: expected number greater than 5");
  EXPECT_EQ(CompileProblem(R"({"$schema": "https://json-schema.org/draft/2020-12/schema"})"),
            "its $schema is 'https://json-schema.org/draft/2020-12/schema', and only drafts 4, 6 "
            "and 7 are known here; "
            "write http://json-schema.org/draft-07/schema#");
  EXPECT_THAT(CompileProblem(R"({"$schema": 7})"), HasSubstr("its $schema is '7'"));
}

TEST(JsonSchema, RefusesReferencesThatLeadElsewhereOrNowhere) {
  EXPECT_EQ(CompileProblem(R"({"properties": {"a": {"$ref": "http://example.com/x.json#/a"}}})"),
            "at /properties/a: the reference 'http://example.com/x.json#/a' leads out of this "
            "schema; copy what "
            "it means "
            "into definitions, and write #/definitions/name");
  EXPECT_THAT(CompileProblem(R"({"$ref": "other.json"})"), HasSubstr("leads out of this schema"));
  EXPECT_THAT(CompileProblem(R"({"$ref": "#named"})"), HasSubstr("leads out of this schema"));
  EXPECT_EQ(CompileProblem(R"({"items": {"$ref": "#/definitions/none"}})"),
            "at /items: the reference '#/definitions/none' leads nowhere; define that schema, or "
            "correct it");
  EXPECT_THAT(CompileProblem(R"({"$ref": 5})"), HasSubstr("$ref is no text"));
}

TEST(JsonSchema, RefusesChecksThatWouldNotEnd) {
  for (const std::string_view schema :
       {R"({"$ref": "#"})", R"({"allOf": [{"$ref": "#"}]})", R"({"if": {"$ref": "#"}})",
        R"({"properties": {"x": {"$ref": "#/definitions/a"}},
            "definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"anyOf": [{"$ref": "#/definitions/a"}]}}})"}) {
    EXPECT_THAT(CompileProblem(schema), HasSubstr("refers to itself for the same value")) << schema;
  }
}

TEST(JsonSchema, RefusesSchemasThatWouldCostTooMuch) {
  // Each definition doubles the checks of the one before.
  std::string schema = R"({"$ref": "#/definitions/d30", "definitions": {"d0": {"type": "string"})";
  for (int i = 1; i <= 30; ++i) {
    const std::string before = R"({"$ref": "#/definitions/d)" + std::to_string(i - 1) + "\"}";
    schema += ", \"d" + std::to_string(i) + R"(": {"allOf": [)" + before + ", " + before + "]}";
  }
  EXPECT_THAT(CompileProblem(schema + "}}"), HasSubstr("more than 10000 schemas for one value"));

  std::string deep = "{}";
  for (int i = 0; i < 40; ++i) deep = R"({"not": )" + deep + "}";
  EXPECT_EQ(CompileProblem(deep), "");
  for (int i = 0; i < 40; ++i) deep = R"({"not": )" + deep + "}";
  EXPECT_THAT(CompileProblem(deep), HasSubstr("nested deeper than 64 levels"));
}

TEST(JsonSchema, SurvivesCostlyPatterns) {
  // std::regex would overflow the stack on the first, and run for ever on the second.
  EXPECT_THAT(Problem(R"({"pattern": "^(a|b)*$"})", "\"" + std::string(1'000'000, 'a') + "c\""),
              ::testing::AnyOf(HasSubstr("does not match"), HasSubstr("too costly")));
  EXPECT_THAT(Problem(R"({"pattern": "^(a+)+$"})", "\"" + std::string(60, 'a') + "b\""),
              ::testing::AnyOf(HasSubstr("does not match"), HasSubstr("too costly")));
  EXPECT_EQ(Problem(R"({"patternProperties": {"^(a|b)*$": {}}})",
                    "{\"" + std::string(100'000, 'a') + "\": 1}"),
            "a property name is 100000 bytes long; this schema allows at most 1024");
}

TEST(JsonSchema, SaysWhereASchemaIsWrong) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {R"({"type": "int"})",
       "at /type: \"int\" is wrong here; write array, boolean, integer, null, number, object or "
       "string, or a list "
       "of these"},
      {R"({"properties": {"a": {"type": []}}})",
       "at /properties/a/type: [] is wrong here; write array, boolean, integer, null, number, "
       "object or string, "
       "or a list of "
       "these"},
      {R"({"items": 5})", "at /items: 5 is no schema; write an object, or true or false"},
      {"5", "5 is no schema; write an object, or true or false"},
      {R"({"required": "x"})", "at /required: \"x\" is wrong here; write a list of property names"},
      {R"({"minimum": "x"})", "at /minimum: \"x\" is wrong here; write a number"},
      {R"({"multipleOf": 0})", "at /multipleOf: 0 is wrong here; write a number above 0"},
      {R"({"maxLength": -1})", "at /maxLength: -1 is wrong here; write a whole number, 0 or more"},
      {R"({"enum": []})",
       "at /enum: [] is wrong here; write a list of the values allowed, at least one"},
      {R"({"anyOf": []})", "at /anyOf: [] is wrong here; write a list of schemas, at least one"},
      {R"({"properties": [1]})",
       "at /properties: [1] is wrong here; write an object that holds schemas"},
      {R"({"uniqueItems": 1})", "at /uniqueItems: 1 is wrong here; write true or false"},
      {R"({"exclusiveMinimum": true})", "at /exclusiveMinimum: true is wrong here; write a number"},
      {R"({"pattern": "("})", "the pattern '(' is no regular expression"},
      {R"({"patternProperties": {"(": {}}})", "the pattern '(' is no regular expression"},
  };
  for (const auto& [schema, problem] : cases) EXPECT_EQ(CompileProblem(schema), problem) << schema;
}

TEST(JsonSchema, LeavesDataAlone) {
  // What looks like a keyword is data within const, enum and the names of properties.
  EXPECT_EQ(
      Problem(R"({"const": {"type": "integer", "id": "x"}})", R"({"type": "integer", "id": "x"})"),
      "");
  EXPECT_EQ(Problem(R"({"enum": [{"$ref": "#/nowhere"}]})", R"({"$ref": "#/nowhere"})"), "");
  EXPECT_EQ(
      Problem(
          R"({"properties": {"type": {"type": "string"}, "id": {"type": "string"}, "enum": {"type": "string"}}})",
          R"({"type": "a", "id": "b", "enum": 1})"),
      "at /enum: is an integer; write string");
}

}  // namespace
}  // namespace tasker::workflow
