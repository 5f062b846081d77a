#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "workflow/template_yaml.h"

namespace tasker::workflow {

// What a scalar is by the YAML 1.2 core schema: `yes` and "1" are text, 1 and 0x1F numbers. One
// departure, which is upstream's: a decimal with a leading zero (a postal code) stays text.
enum class ScalarType { kNull, kBoolean, kInteger, kFloat, kText };
ScalarType TypeOf(const YamlNode& scalar);
// Nothing if it is no whole number, or too large.
std::optional<std::int64_t> IntegerOf(const YamlNode& scalar);

// The value as JSON text. Fails, naming SOURCE:LINE, for what JSON cannot say: infinities and NaN.
Result<std::string> YamlToJson(const YamlNode& node, std::string_view source);

std::string JsonString(std::string_view text);
// null if there is none.
std::string JsonOrNull(const std::optional<std::string>& text);
std::string JsonOrNull(const std::optional<std::int64_t>& number);

// Builds the text of a JSON object, member by member.
class JsonObject final {
 public:
  // `json` is JSON text.
  JsonObject& Add(std::string_view key, std::string_view json);
  JsonObject& AddText(std::string_view key, std::string_view text) {
    return Add(key, JsonString(text));
  }
  std::string Take() { return std::move(text_) + "}"; }

 private:
  std::string text_ = "{";
};

// Builds the text of a JSON array.
class JsonArray final {
 public:
  JsonArray& Add(std::string_view json);
  std::string Take() { return std::move(text_) + "]"; }

 private:
  std::string text_ = "[";
};

}  // namespace tasker::workflow
