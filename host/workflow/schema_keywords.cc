#include "workflow/schema_keywords.h"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <utility>

namespace tasker::workflow {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 7> kTypes = {"array",  "boolean", "integer", "null",
                                                    "number", "object",  "string"};

bool IsNonEmptyArray(const json::value& value) {
  return value.is_array() && !value.get_array().empty();
}

bool IsType(const json::value& name) {
  return name.is_string() && std::ranges::any_of(kTypes, [&](std::string_view type) {
           return name.get_string() == type;
         });
}

bool IsTypeOrTypes(const json::value& value) {
  return value.is_array() ? IsNonEmptyArray(value) && std::ranges::all_of(value.get_array(), IsType)
                          : IsType(value);
}

bool IsCount(const json::value& value) { return value.is_int64() && value.get_int64() >= 0; }

bool IsPositive(const json::value& value) {
  return value.is_number() && value.to_number<double>() > 0;
}

bool IsNameList(const json::value& value) {
  return value.is_array() && std::ranges::all_of(value.get_array(), [](const json::value& name) {
           return name.is_string();
         });
}

struct Shape {
  std::string_view key;
  bool (*fits)(const json::value&);
  std::string_view expected;
};
constexpr std::string_view kSchemaList = "a list of schemas, at least one";
constexpr std::string_view kSchemaMap = "an object that holds schemas";
constexpr std::string_view kCount = "a whole number, 0 or more";
const auto kIsObject = [](const json::value& value) { return value.is_object(); };
const auto kIsNumber = [](const json::value& value) { return value.is_number(); };
const auto kIsBoolean = [](const json::value& value) { return value.is_bool(); };
const auto kIsString = [](const json::value& value) { return value.is_string(); };

const std::array<Shape, 22> kShapes = {{
    {"type", IsTypeOrTypes,
     "array, boolean, integer, null, number, object or string, or a list of these"},
    {"enum", IsNonEmptyArray, "a list of the values allowed, at least one"},
    {"allOf", IsNonEmptyArray, kSchemaList},
    {"anyOf", IsNonEmptyArray, kSchemaList},
    {"oneOf", IsNonEmptyArray, kSchemaList},
    {"properties", kIsObject, kSchemaMap},
    {"patternProperties", kIsObject, kSchemaMap},
    {"definitions", kIsObject, kSchemaMap},
    {"dependencies", kIsObject, "an object that holds schemas or lists of property names"},
    {"required", IsNameList, "a list of property names"},
    {"maxLength", IsCount, kCount},
    {"minLength", IsCount, kCount},
    {"maxItems", IsCount, kCount},
    {"minItems", IsCount, kCount},
    {"maxProperties", IsCount, kCount},
    {"minProperties", IsCount, kCount},
    {"maximum", kIsNumber, "a number"},
    {"minimum", kIsNumber, "a number"},
    {"multipleOf", IsPositive, "a number above 0"},
    {"uniqueItems", kIsBoolean, "true or false"},
    {"pattern", kIsString, "a regular expression"},
    {"format", kIsString, "the name of a format"},
}};

Error Wrong(const std::string& path, const json::value& value, std::string_view expected) {
  std::string shown = json::serialize(value);
  if (shown.size() > 60)
    shown = value.is_object()  ? "an object"
            : value.is_array() ? "a list"
                               : shown.substr(0, 60) + "...";
  return Invalid("at " + path + ": " + shown + " is wrong here; write " + std::string(expected));
}

}  // namespace

Status CheckKeyword(std::string_view key, const json::value& value, bool draft4,
                    const std::string& path) {
  if (key == "exclusiveMaximum" || key == "exclusiveMinimum") {
    if (draft4 ? value.is_bool() : value.is_number()) return Ok();
    return Wrong(path, value, draft4 ? "true or false" : "a number");
  }
  const auto shape = std::ranges::find(kShapes, key, &Shape::key);
  if (shape == kShapes.end() || shape->fits(value)) return Ok();
  return Wrong(path, value, shape->expected);
}

}  // namespace tasker::workflow
