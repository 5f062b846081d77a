#include "workflow/schema_prepare.h"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "workflow/schema_keywords.h"

namespace tasker::workflow {
namespace {

namespace json = boost::json;

constexpr std::size_t kDepthMax =
    64;  // of the text, and of schemas within schemas through references
constexpr std::size_t kSchemasMax = 10'000;
constexpr std::int64_t kChecksMax = 10'000;  // of schemas on one and the same value

constexpr std::array<std::string_view, 9> kSingle = {"additionalItems",
                                                     "additionalProperties",
                                                     "contains",
                                                     "else",
                                                     "if",
                                                     "items",
                                                     "not",
                                                     "propertyNames",
                                                     "then"};
constexpr std::array<std::string_view, 4> kLists = {"allOf", "anyOf", "items", "oneOf"};
constexpr std::array<std::string_view, 4> kMaps = {"definitions", "dependencies",
                                                   "patternProperties", "properties"};
// Those that look at the same value as the schema that they stand in.
constexpr std::array<std::string_view, 8> kSameValue = {"allOf", "anyOf", "dependencies", "else",
                                                        "if",    "not",   "oneOf",        "then"};

template <std::size_t N>
bool IsOneOf(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::ranges::find(words, word) != words.end();
}

std::string_view View(json::string_view text) { return {text.data(), text.size()}; }

std::string Escaped(std::string_view token) {
  std::string out = "/";
  for (const char c : token) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

// "#/definitions/a%20b" -> "/definitions/a b"; nothing for references to elsewhere.
std::optional<std::string> LocalPointer(std::string_view reference) {
  if (!reference.starts_with("#") || (reference.size() > 1 && reference[1] != '/'))
    return std::nullopt;
  std::string out;
  for (std::size_t i = 1; i < reference.size(); ++i) {
    if (reference[i] == '%' && i + 2 < reference.size()) {
      const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
      out += static_cast<char>(digit(reference[i + 1]) * 16 + digit(reference[i + 2]));
      i += 2;
    } else {
      out += reference[i];
    }
  }
  return out;
}

class Walk final {
 public:
  Walk(const json::value& root, bool draft4) : root_(root), draft4_(draft4) {}

  // Finds every schema in the text, and all that its references lead to.
  Status Visit(const json::value& schema, const std::string& path, std::size_t depth);
  // Fails if a check of one value would never end, or run through too many schemas.
  Status CheckCosts();
  // The copy for valijson.
  json::value Rewrite(const json::value& value) const;

  bool pattern_properties() const { return pattern_properties_; }

 private:
  struct Node {
    std::string path;
    std::vector<const json::value*> same;  // schemas checked on the same value
    std::int64_t cost = 0;                 // -1: being computed
  };

  Status VisitReference(const json::value& schema, const json::value& reference,
                        const std::string& path, std::size_t depth);
  Status VisitKeyword(const json::value& schema, std::string_view key, const json::value& value,
                      const std::string& path, std::size_t depth);
  Status VisitChild(const json::value& schema, std::string_view key, const json::value& child,
                    const std::string& path, std::size_t depth);
  // How many schemas a check of one value by this one runs through.
  Result<std::int64_t> Cost(const json::value& schema, std::size_t depth);

  const json::value& root_;
  const bool draft4_;
  std::vector<const json::value*> found_;  // the keys of nodes_, in the order of the text
  std::unordered_map<const json::value*, Node> nodes_;
  bool pattern_properties_ = false;
};

std::string At(const std::string& path) { return path.empty() ? "" : "at " + path + ": "; }

Status Walk::Visit(const json::value& schema, const std::string& path, std::size_t depth) {
  if (!schema.is_object() && !schema.is_bool()) {
    return Invalid(At(path) + json::serialize(schema).substr(0, 60) +
                   " is no schema; write an object, or true or false");
  }
  if (!nodes_.try_emplace(&schema, Node{path, {}, 0}).second) return Ok();
  found_.push_back(&schema);
  if (nodes_.size() > kSchemasMax) {
    return Invalid("it consists of more than " + std::to_string(kSchemasMax) +
                   " schemas; make it smaller");
  }
  if (depth > kDepthMax) {
    return Invalid(At(path) + "schemas are nested deeper than " + std::to_string(kDepthMax) +
                   " levels; flatten them");
  }
  if (!schema.is_object()) return Ok();
  const json::object& object = schema.get_object();
  // Up to draft 7, what stands beside a reference is ignored.
  if (const json::value* reference = object.if_contains("$ref"))
    return VisitReference(schema, *reference, path, depth);
  for (const auto& [key, value] : object) {
    TRY_OK(VisitKeyword(schema, View(key), value, path, depth));
  }
  return Ok();
}

Status Walk::VisitReference(const json::value& schema, const json::value& reference,
                            const std::string& path, std::size_t depth) {
  if (!reference.is_string())
    return Invalid(At(path) + "$ref is no text; write a reference like #/definitions/name");
  const std::string_view text = View(reference.get_string());
  const std::optional<std::string> pointer = LocalPointer(text);
  if (!pointer) {
    return Invalid(At(path) + "the reference '" + std::string(text) +
                   "' leads out of this schema; copy what it means into definitions, and write "
                   "#/definitions/name");
  }
  json::error_code code;
  const json::value* target = root_.find_pointer(*pointer, code);
  if (target == nullptr) {
    return Invalid(At(path) + "the reference '" + std::string(text) +
                   "' leads nowhere; define that schema, or correct it");
  }
  nodes_[&schema].same.push_back(target);
  return Visit(*target, *pointer, depth + 1);
}

Status Walk::VisitKeyword(const json::value& schema, std::string_view key, const json::value& value,
                          const std::string& path, std::size_t depth) {
  const std::string here = path + Escaped(key);
  TRY_OK(CheckKeyword(key, value, draft4_, here));
  if (key == "patternProperties") pattern_properties_ = true;
  if (IsOneOf(key, kSingle) && !value.is_array())
    return VisitChild(schema, key, value, here, depth);
  if (IsOneOf(key, kLists) && value.is_array()) {
    std::size_t n = 0;
    for (const json::value& item : value.get_array()) {
      TRY_OK(VisitChild(schema, key, item, here + "/" + std::to_string(n++), depth));
    }
  }
  if (IsOneOf(key, kMaps) && value.is_object()) {
    for (const auto& [name, child] : value.get_object()) {
      if (key == "dependencies" && child.is_array()) continue;
      TRY_OK(VisitChild(schema, key, child, here + Escaped(View(name)), depth));
    }
  }
  return Ok();
}

Status Walk::VisitChild(const json::value& schema, std::string_view key, const json::value& child,
                        const std::string& path, std::size_t depth) {
  if (IsOneOf(key, kSameValue)) nodes_[&schema].same.push_back(&child);
  return Visit(child, path, depth + 1);
}

Status Walk::CheckCosts() {
  for (const json::value* schema : found_) TRY_OK(Cost(*schema, 0));
  return Ok();
}

Result<std::int64_t> Walk::Cost(const json::value& schema, std::size_t depth) {
  Node& node = nodes_[&schema];
  if (node.cost > 0) return node.cost;
  if (node.cost < 0) {
    return Invalid(
        At(node.path) +
        "this schema refers to itself for the same value, so that a check would never end; "
        "let it refer to itself below properties or items");
  }
  if (depth > kDepthMax) {
    return Invalid(At(node.path) + "more than " + std::to_string(kDepthMax) +
                   " schemas refer to one another for the same value; combine fewer");
  }
  node.cost = -1;
  std::int64_t cost = 1;
  for (const json::value* same : node.same) {
    TRY(const std::int64_t part, Cost(*same, depth + 1));
    cost += part;
    if (cost > kChecksMax) {
      return Invalid(At(node.path) + "a check would run through more than " +
                     std::to_string(kChecksMax) + " schemas for one value; combine fewer");
    }
  }
  node.cost = cost;
  return cost;
}

json::value Walk::Rewrite(const json::value& value) const {
  if (value.is_array()) {
    json::array out;
    for (const json::value& item : value.get_array()) out.push_back(Rewrite(item));
    return out;
  }
  if (!value.is_object()) return value;
  const bool schema = nodes_.contains(&value);
  json::object out;
  for (const auto& [key, member] : value.get_object()) {
    if (schema && (key == "$id" || key == "id" || key == "$schema")) {
      if (!member.is_object()) continue;
    }
    if (schema && key == "type") {
      out[kTypeKeyword] = json::serialize(member);
    } else if (schema && key == "enum") {
      out[kEnumKeyword] = json::serialize(member);
    } else if (schema && key == "format") {
      out[kFormatKeyword] = json::serialize(member);
    } else if (schema && key == "pattern") {
      out[kPatternKeyword] = json::serialize(member);
    } else {
      out[key] = Rewrite(member);
    }
  }
  return out;
}

// Draft 4, 6 or 7 by its address; 7 if none is named.
Result<int> DraftOf(const json::value& root) {
  const json::value* named = root.is_object() ? root.get_object().if_contains("$schema") : nullptr;
  if (named == nullptr) return 7;
  const std::string text =
      named->is_string() ? std::string(View(named->get_string())) : json::serialize(*named);
  std::string_view address = text;
  for (const std::string_view prefix : {"http://", "https://"}) {
    if (address.starts_with(prefix)) address.remove_prefix(prefix.size());
  }
  if (address.ends_with("#")) address.remove_suffix(1);
  if (address == "json-schema.org/draft-04/schema") return 4;
  if (address == "json-schema.org/draft-06/schema") return 6;
  if (address == "json-schema.org/draft-07/schema") return 7;
  return Invalid("its $schema is '" + text +
                 "', and only drafts 4, 6 and 7 are known here; write "
                 "http://json-schema.org/draft-07/schema#");
}

}  // namespace

Result<PreparedSchema> PrepareSchema(std::string_view text) {
  json::parse_options options;
  options.max_depth = kDepthMax;
  json::error_code code;
  const json::value root =
      json::parse(json::string_view(text.data(), text.size()), code, {}, options);
  if (code == json::error::too_deep) {
    return Invalid("it is nested deeper than " + std::to_string(kDepthMax) + " levels; flatten it");
  }
  if (code) return Invalid("it is not JSON: " + code.message());
  TRY(const int draft, DraftOf(root));
  Walk walk(root, draft == 4);
  TRY_OK(walk.Visit(root, "", 0));
  TRY_OK(walk.CheckCosts());
  return PreparedSchema{walk.Rewrite(root), draft == 4, walk.pattern_properties()};
}

}  // namespace tasker::workflow
