#include "workflow/template_json.h"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <boost/json/string_view.hpp>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

namespace tasker::workflow {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool AllDigits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, IsDigit);
}

std::string_view WithoutSign(std::string_view text) {
  return !text.empty() && (text[0] == '-' || text[0] == '+') ? text.substr(1) : text;
}

bool IsInteger(std::string_view text) {
  if (text.starts_with("0o")) {
    text.remove_prefix(2);
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '7'; });
  }
  if (text.starts_with("0x")) {
    text.remove_prefix(2);
    return !text.empty() && text.find_first_not_of("0123456789abcdefABCDEF") == text.npos;
  }
  const std::string_view digits = WithoutSign(text);
  return AllDigits(digits) && (digits.size() == 1 || digits[0] != '0');
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool IsFinite(std::string_view text) {
  text = WithoutSign(text);
  const std::size_t exponent = text.find_first_of("eE");
  if (exponent != text.npos) {
    if (!AllDigits(WithoutSign(text.substr(exponent + 1)))) return false;
    text = text.substr(0, exponent);
  }
  const std::size_t point = text.find('.');
  if (point == text.npos) return AllDigits(text) && (text.size() == 1 || text[0] != '0');
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = text.substr(point + 1);
  if (whole.empty()) return AllDigits(fraction);
  return AllDigits(whole) && (fraction.empty() || AllDigits(fraction));
}

template <std::size_t N>
bool IsOneOf(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::ranges::find(words, text) != words.end();
}

constexpr std::array<std::string_view, 5> kNulls = {"", "~", "null", "Null", "NULL"};
constexpr std::array<std::string_view, 3> kTrue = {"true", "True", "TRUE"};
constexpr std::array<std::string_view, 3> kFalse = {"false", "False", "FALSE"};
constexpr std::array<std::string_view, 3> kInfinities = {".inf", ".Inf", ".INF"};
constexpr std::array<std::string_view, 3> kNans = {".nan", ".NaN", ".NAN"};

bool IsInfinite(std::string_view text) {
  return IsOneOf(WithoutSign(text), kInfinities) || IsOneOf(text, kNans);
}

// Shortest text that reads back as the same number, and as no integer.
std::string FloatToJson(double number) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  std::string out(digits.data(), end);
  if (out.find_first_of(".e") == out.npos) out += ".0";
  return out;
}

// std::from_chars knows neither a plus sign nor a bare point behind the digits at all places;
// strtod reads the locale.
std::optional<double> FloatOf(std::string_view text) {
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

template <typename Integer>
std::optional<Integer> ParseInteger(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0o")) {
    base = text[1] == 'x' ? 16 : 8;
    text.remove_prefix(2);
  } else if (text.starts_with("+")) {
    text.remove_prefix(1);
  }
  Integer number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<std::string> ScalarToJson(const YamlNode& node, std::string_view source) {
  const std::string& text = node.text;
  switch (TypeOf(node)) {
    case ScalarType::kNull:
      return std::string("null");
    case ScalarType::kBoolean:
      return std::string(IsOneOf(text, kTrue) ? "true" : "false");
    case ScalarType::kText:
      return JsonString(text);
    case ScalarType::kInteger:
      if (const auto number = ParseInteger<std::int64_t>(text)) return std::to_string(*number);
      if (const auto number = ParseInteger<std::uint64_t>(text)) return std::to_string(*number);
      break;
    case ScalarType::kFloat:
      break;
  }
  if (const auto number = FloatOf(text); number && std::isfinite(*number))
    return FloatToJson(*number);
  return Invalid(std::string(source) + ":" + std::to_string(node.line) + ": " + Quoted(text) +
                 " is a number that JSON cannot hold; write it in quotes, or a smaller one");
}

Status Append(const YamlNode& node, std::string_view source, std::string& out) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      out += "null";
      return Ok();
    case YamlNode::Kind::kScalar: {
      TRY(const std::string text, ScalarToJson(node, source));
      out += text;
      return Ok();
    }
    case YamlNode::Kind::kList:
      out += '[';
      for (const YamlNode* item : node.items) {
        if (item != node.items.front()) out += ',';
        TRY_OK(Append(*item, source, out));
      }
      out += ']';
      return Ok();
    case YamlNode::Kind::kMap:
      out += '{';
      for (const YamlNode::Entry& entry : node.entries) {
        if (&entry != &node.entries.front()) out += ',';
        out += JsonString(entry.key);
        out += ':';
        TRY_OK(Append(*entry.value, source, out));
      }
      out += '}';
      return Ok();
  }
  return Ok();
}

}  // namespace

ScalarType TypeOf(const YamlNode& scalar) {
  if (scalar.kind == YamlNode::Kind::kNull) return ScalarType::kNull;
  if (!scalar.plain) return ScalarType::kText;
  const std::string_view text = scalar.text;
  if (IsOneOf(text, kNulls)) return ScalarType::kNull;
  if (IsOneOf(text, kTrue) || IsOneOf(text, kFalse)) return ScalarType::kBoolean;
  if (IsInteger(text)) return ScalarType::kInteger;
  if (IsFinite(text) || IsInfinite(text)) return ScalarType::kFloat;
  return ScalarType::kText;
}

std::optional<std::int64_t> IntegerOf(const YamlNode& scalar) {
  if (scalar.kind != YamlNode::Kind::kScalar || TypeOf(scalar) != ScalarType::kInteger)
    return std::nullopt;
  return ParseInteger<std::int64_t>(scalar.text);
}

Result<std::string> YamlToJson(const YamlNode& node, std::string_view source) {
  std::string out;
  TRY_OK(Append(node, source, out));
  return out;
}

std::string JsonString(std::string_view text) {
  return boost::json::serialize(boost::json::string_view(text.data(), text.size()));
}

std::string JsonOrNull(const std::optional<std::string>& text) {
  return text ? JsonString(*text) : "null";
}

std::string JsonOrNull(const std::optional<std::int64_t>& number) {
  return number ? std::to_string(*number) : "null";
}

JsonObject& JsonObject::Add(std::string_view key, std::string_view json) {
  if (text_.size() > 1) text_ += ',';
  text_.append(JsonString(key)).append(":").append(json);
  return *this;
}

JsonArray& JsonArray::Add(std::string_view json) {
  if (text_.size() > 1) text_ += ',';
  text_ += json;
  return *this;
}

}  // namespace tasker::workflow
