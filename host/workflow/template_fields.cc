#include "workflow/template_fields.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "workflow/template_json.h"

namespace tasker::workflow {
namespace {

constexpr std::size_t kNameMax = 255;

// Keys of older templates that Tasker itself reads over, and what says the same now.
struct OldKey {
  std::string_view key, advice;
};
constexpr std::array<OldKey, 4> kOldKeys = {{
    {"limit", "write max_attempts"},
    {"default_retry_limit", "write max_attempts"},
    {"handler_class", "write handler: {callable: NAME}"},
    {"<<", "merge keys are no part of YAML 1.2: write the keys out"},
}};

std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({replace, row[j] + 1, row[j - 1] + 1}));
    }
  }
  return row.back();
}

std::string Joined(std::initializer_list<std::string_view> words) {
  std::string out;
  for (const std::string_view word : words) {
    if (!out.empty()) out += ", ";
    out += word;
  }
  return out;
}

// What stands there, as a person sees it.
std::string Described(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "empty";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a mapping";
    case YamlNode::Kind::kScalar:
      return node.text.empty() ? "empty"
                               : (node.plain ? Quoted(node.text) : "the text " + Quoted(node.text));
  }
  return "unreadable";
}

}  // namespace

Error Reading::At(int line, std::string_view message) const {
  return Invalid(source + ":" + std::to_string(line) + ": " + std::string(message));
}

Status Reading::Warn(int line, std::string_view message) {
  if (strict) return At(line, message);
  warnings.push_back({line, std::string(message)});
  return Ok();
}

std::string_view NearestOf(std::string_view word, const std::vector<std::string_view>& known) {
  std::string_view nearest;
  std::size_t best = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string_view candidate : known) {
    const std::size_t apart = candidate.size() > word.size() ? candidate.size() - word.size()
                                                             : word.size() - candidate.size();
    if (apart >= best || word.size() > kNameMax) continue;
    if (const std::size_t distance = EditDistance(word, candidate);
        distance < best && distance < candidate.size()) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

Result<Fields> Fields::Of(Reading& reading, const YamlNode& node, std::string what,
                          std::initializer_list<std::string_view> known) {
  if (node.kind != YamlNode::Kind::kMap) {
    return reading.At(
        node.line, what + " is " + Described(node) + "; write keys with values: " + Joined(known));
  }
  Fields fields(reading, node, std::move(what));
  TRY_OK(fields.CheckKeys(known));
  return fields;
}

Status Fields::CheckKeys(std::initializer_list<std::string_view> known) const {
  for (const YamlNode::Entry& entry : node_->entries) {
    if (std::ranges::find(known, entry.key) != known.end()) continue;
    std::string advice;
    const auto old = std::ranges::find(kOldKeys, entry.key, &OldKey::key);
    if (old != kOldKeys.end()) {
      advice = old->advice;
    } else if (const std::string_view nearest = NearestOf(entry.key, known); !nearest.empty()) {
      advice = "did you mean " + std::string(nearest) + "?";
    } else {
      advice = "remove it, or write one of: " + Joined(known);
    }
    TRY_OK(reading_->Warn(entry.line, what_ + " has no key " + Quoted(entry.key) +
                                          (reading_->strict ? "; " : ", so it is ignored; ") +
                                          advice));
  }
  return Ok();
}

std::string Fields::Named(std::string_view key) const { return std::string(key) + " of " + what_; }

const YamlNode* Fields::Find(std::string_view key) const {
  const auto found = std::ranges::find(node_->entries, key, &YamlNode::Entry::key);
  if (found == node_->entries.end()) return nullptr;
  const YamlNode& value = *found->value;
  const bool null = value.kind == YamlNode::Kind::kNull ||
                    (value.kind == YamlNode::Kind::kScalar && TypeOf(value) == ScalarType::kNull);
  return null ? nullptr : &value;
}

Result<const YamlNode*> Fields::FindAlias(std::string_view key, std::string_view alias) const {
  const YamlNode* by_key = Find(key);
  const YamlNode* by_alias = Find(alias);
  if (by_key != nullptr && by_alias != nullptr) {
    return reading_->At(by_alias->line, what_ + " has both " + std::string(key) + " and " +
                                            std::string(alias) + ", which mean the same; keep " +
                                            std::string(key));
  }
  return by_key != nullptr ? by_key : by_alias;
}

Error Fields::Wrong(const YamlNode& value, std::string_view key, std::string_view expected) const {
  return reading_->At(value.line,
                      Named(key) + " is " + Described(value) + "; write " + std::string(expected));
}

Error Fields::Missing(std::string_view key, std::string_view expected) const {
  return reading_->At(node_->line, what_ + " has no " + std::string(key) + "; write " +
                                       std::string(key) + ": " + std::string(expected));
}

Result<std::optional<std::string>> Fields::Text(std::string_view key, std::size_t size_max) const {
  const YamlNode* value = Find(key);
  if (value == nullptr) return std::optional<std::string>();
  if (value->kind != YamlNode::Kind::kScalar) return Wrong(*value, key, "a text");
  if (value->text.empty() || value->text.size() > size_max) {
    return reading_->At(value->line, Named(key) + " is " + std::to_string(value->text.size()) +
                                         " bytes long; write 1 to " + std::to_string(size_max));
  }
  return std::optional(value->text);
}

Result<std::string> Fields::RequiredText(std::string_view key, std::size_t size_max) const {
  TRY(std::optional<std::string> text, Text(key, size_max));
  if (!text) return Missing(key, "TEXT");
  return *std::move(text);
}

Result<std::optional<std::int64_t>> Fields::Integer(std::string_view key, std::int64_t min,
                                                    std::int64_t max) const {
  const YamlNode* value = Find(key);
  if (value == nullptr) return std::optional<std::int64_t>();
  const std::optional<std::int64_t> number = IntegerOf(*value);
  if (!number || *number < min || *number > max) {
    return Wrong(*value, key,
                 "a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  }
  return number;
}

Result<std::optional<bool>> Fields::Boolean(std::string_view key) const {
  const YamlNode* value = Find(key);
  if (value == nullptr) return std::optional<bool>();
  if (value->kind != YamlNode::Kind::kScalar || TypeOf(*value) != ScalarType::kBoolean) {
    return Wrong(*value, key, "true or false");
  }
  return std::optional(value->text[0] == 't' || value->text[0] == 'T');
}

Result<std::string> Fields::OneOf(std::string_view key,
                                  std::initializer_list<std::string_view> words) const {
  const YamlNode* value = Find(key);
  if (value == nullptr) return std::string(*words.begin());
  if (value->kind != YamlNode::Kind::kScalar ||
      std::ranges::find(words, value->text) == words.end()) {
    return Wrong(*value, key, "one of: " + Joined(words));
  }
  return value->text;
}

Result<const YamlNode*> Fields::List(std::string_view key) const {
  const YamlNode* value = Find(key);
  if (value != nullptr && value->kind != YamlNode::Kind::kList) return Wrong(*value, key, "a list");
  return value;
}

Result<const YamlNode*> Fields::Map(std::string_view key) const {
  const YamlNode* value = Find(key);
  if (value != nullptr && value->kind != YamlNode::Kind::kMap)
    return Wrong(*value, key, "a mapping");
  return value;
}

Result<std::vector<std::string>> Fields::Texts(std::string_view key) const {
  const YamlNode* value = Find(key);
  if (value == nullptr) return std::vector<std::string>();
  return TextsOf(*this, *value, key);
}

Result<std::optional<std::string>> Fields::Json(std::string_view key) const {
  const YamlNode* value = Find(key);
  if (value == nullptr) return std::optional<std::string>();
  TRY(std::string json, YamlToJson(*value, reading_->source));
  return std::optional(std::move(json));
}

Result<std::vector<std::string>> TextsOf(const Fields& fields, const YamlNode& list,
                                         std::string_view key) {
  if (list.kind != YamlNode::Kind::kList) return fields.Wrong(list, key, "a list of names");
  std::vector<std::string> texts;
  for (const YamlNode* item : list.items) {
    if (item->kind != YamlNode::Kind::kScalar || item->text.empty() ||
        item->text.size() > kNameMax) {
      return fields.Wrong(*item, key,
                          "a list of names of 1 to " + std::to_string(kNameMax) + " bytes");
    }
    texts.push_back(item->text);
  }
  return texts;
}

}  // namespace tasker::workflow
