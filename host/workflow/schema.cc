#include "workflow/schema.h"

// Without it valijson prints and aborts where it should throw.
#define VALIJSON_USE_EXCEPTIONS 1

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/regex.hpp>
#include <cmath>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/constraints/concrete_constraints.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#include <vector>

#include "workflow/schema_prepare.h"
#include "workflow/schema_report.h"

namespace tasker::workflow {
namespace {

namespace json = boost::json;
using valijson::adapters::Adapter;
using valijson::adapters::BoostJsonAdapter;

constexpr std::size_t kDepthMax = 64;
// std::regex, which valijson matches member names with, needs stack for each character.
constexpr std::size_t kMatchedNameMax = 1024;

// Says what is wrong with a value, or nothing.
using ValueCheck = std::function<std::optional<std::string>(const Adapter&)>;

// A keyword that this project checks itself.
class Keyword final : public valijson::constraints::PolyConstraint {
 public:
  explicit Keyword(ValueCheck check) : check_(std::move(check)) {}

  bool validate(const Adapter& target, const std::vector<std::string>& context,
                valijson::ValidationResults* results) const override {
    const std::optional<std::string> wrong = check_(target);
    if (wrong && results != nullptr) results->pushError(context, *wrong);
    return !wrong;
  }

 private:
  valijson::constraints::Constraint* cloneInto(void* place) const override {
    return ::new (place) Keyword(*this);
  }
  std::size_t sizeOf() const override { return sizeof(Keyword); }

  ValueCheck check_;
};

// Makes a keyword from its value, which PrepareSchema checked and left as JSON text. Throws
// std::runtime_error for a pattern that is no regular expression.
class KeywordBuilder final : public valijson::ConstraintBuilder {
 public:
  using Make = ValueCheck (*)(const json::value&);
  explicit KeywordBuilder(Make maker) : make_(maker) {}

  valijson::constraints::Constraint* make(const Adapter& value) const override {
    return std::make_unique<Keyword>(make_(json::parse(value.asString()))).release();
  }

 private:
  Make make_;
};

std::string TypeNameOf(const Adapter& value) {
  if (value.isNull()) return "null";
  if (value.isBool()) return "a boolean";
  if (value.isString()) return "a string";
  if (value.isArray()) return "an array";
  if (value.isObject()) return "an object";
  return value.isInteger() ? "an integer" : "a number";
}

bool HasType(const Adapter& value, std::string_view type) {
  if (type == "null") return value.isNull();
  if (type == "boolean") return value.isBool();
  if (type == "string") return value.isString();
  if (type == "array") return value.isArray();
  if (type == "object") return value.isObject();
  if (type == "number") return value.isNumber();
  // 3.0 is an integer too.
  return value.isInteger() ||
         (value.isDouble() && std::floor(value.getDouble()) == value.getDouble());
}

ValueCheck MakeType(const json::value& value) {
  std::vector<std::string> types;
  if (value.is_string()) {
    types.emplace_back(value.get_string());
  } else {
    for (const json::value& type : value.as_array()) types.emplace_back(type.as_string());
  }
  std::string wanted;
  for (const std::string& type : types) wanted += (wanted.empty() ? "" : " or ") + type;
  return [types, wanted](const Adapter& target) -> std::optional<std::string> {
    if (std::ranges::any_of(types, [&](const std::string& type) { return HasType(target, type); }))
      return std::nullopt;
    return "is " + TypeNameOf(target) + "; write " + wanted;
  };
}

ValueCheck MakeEnum(const json::value& value) {
  return [value](const Adapter& target) -> std::optional<std::string> {
    for (const json::value& allowed : value.as_array()) {
      if (BoostJsonAdapter(allowed).equalTo(target, true)) return std::nullopt;
    }
    return "is none of the allowed values " + json::serialize(value);
  };
}

boost::regex Compiled(const std::string& pattern) {
  try {
    return boost::regex(pattern, boost::regex::ECMAScript);
  } catch (const boost::regex_error&) {
    throw std::runtime_error("the pattern '" + pattern + "' is no regular expression");
  }
}

ValueCheck MakePattern(const json::value& value) {
  const std::string pattern(value.as_string());
  return [pattern, regex = Compiled(pattern)](const Adapter& target) -> std::optional<std::string> {
    if (!target.isString()) return std::nullopt;
    try {
      if (boost::regex_search(target.getString(), regex)) return std::nullopt;
    } catch (const std::runtime_error&) {
      return "cannot be checked: the pattern '" + pattern + "' is too costly for this text";
    }
    return "does not match the pattern '" + pattern + "'";
  };
}

struct Format {
  const char *name, *pattern;
};
// The other formats are notes for people, as the drafts allow.
constexpr std::array<Format, 5> kFormats = {{
    {"date", R"(\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01]))"},
    {"time", R"(([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d))"},
    {"date-time",
     R"(\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?)"
     R"(([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d))"},
    {"uuid", R"([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"},
    {"email", R"([^@\s]+@[^@\s]+)"},
}};

ValueCheck MakeFormat(const json::value& value) {
  const std::string name(value.as_string());
  const auto format =
      std::ranges::find_if(kFormats, [&](const Format& f) { return name == f.name; });
  if (format == kFormats.end())
    return [](const Adapter&) -> std::optional<std::string> { return std::nullopt; };
  return [name,
          regex = Compiled(format->pattern)](const Adapter& target) -> std::optional<std::string> {
    if (!target.isString() || boost::regex_match(target.getString(), regex)) return std::nullopt;
    return "is no " + name;
  };
}

void AddKeyword(valijson::SchemaParser& parser, std::string_view name, KeywordBuilder::Make make) {
  parser.addConstraintBuilder(std::string(name), std::make_unique<KeywordBuilder>(make).release());
}

// valijson compiles these only when it needs them, in the middle of a check.
void CheckPatternNames(const json::value& value) {
  if (value.is_array()) {
    for (const json::value& item : value.get_array()) CheckPatternNames(item);
  } else if (value.is_object()) {
    for (const auto& [key, member] : value.get_object()) {
      if (key == "patternProperties" && member.is_object()) {
        for (const auto& [pattern, schema] : member.get_object()) {
          try {
            std::regex compiled{std::string(pattern)};
          } catch (const std::regex_error&) {
            throw std::runtime_error("the pattern '" + std::string(pattern) +
                                     "' is no regular expression");
          }
        }
      }
      CheckPatternNames(member);
    }
  }
}

// What valijson cannot take: numbers beyond int64, which it would not call numbers, and long names
// for std::regex.
Status Normalize(json::value& value, bool pattern_properties) {
  if (value.is_uint64()) {
    value = static_cast<double>(value.get_uint64());
  } else if (value.is_array()) {
    for (json::value& item : value.get_array()) TRY_OK(Normalize(item, pattern_properties));
  } else if (value.is_object()) {
    for (auto& [key, member] : value.get_object()) {
      if (pattern_properties && key.size() > kMatchedNameMax) {
        return Invalid("a property name is " + std::to_string(key.size()) +
                       " bytes long; this schema allows at most " +
                       std::to_string(kMatchedNameMax));
      }
      TRY_OK(Normalize(member, pattern_properties));
    }
  }
  return Ok();
}

}  // namespace

struct JsonSchema::State {
  valijson::Schema schema;
  bool pattern_properties = false;
};

JsonSchema::JsonSchema(std::unique_ptr<State> state) : state_(std::move(state)) {}
JsonSchema::~JsonSchema() = default;

Result<std::unique_ptr<JsonSchema>> JsonSchema::Compile(std::string_view schema) {
  TRY(const PreparedSchema prepared, PrepareSchema(schema));
  auto state = std::make_unique<State>();
  state->pattern_properties = prepared.pattern_properties;
  try {
    if (prepared.pattern_properties) CheckPatternNames(prepared.schema);
    valijson::SchemaParser parser(prepared.draft4 ? valijson::SchemaParser::kDraft4
                                                  : valijson::SchemaParser::kDraft7);
    AddKeyword(parser, kTypeKeyword, MakeType);
    AddKeyword(parser, kEnumKeyword, MakeEnum);
    AddKeyword(parser, kFormatKeyword, MakeFormat);
    AddKeyword(parser, kPatternKeyword, MakePattern);
    parser.populateSchema(BoostJsonAdapter(prepared.schema), state->schema);
  } catch (const std::exception& e) {
    return Invalid(e.what());
  }
  return std::make_unique<JsonSchema>(std::move(state));
}

Status JsonSchema::Check(std::string_view document) const {
  json::parse_options options;
  options.max_depth = kDepthMax;
  json::error_code code;
  json::value value =
      json::parse(json::string_view(document.data(), document.size()), code, {}, options);
  if (code == json::error::too_deep) {
    return Invalid("this JSON is nested deeper than " + std::to_string(kDepthMax) + " levels");
  }
  if (code) return Invalid("this is not JSON: " + code.message());
  TRY_OK(Normalize(value, state_->pattern_properties));
  try {
    valijson::ValidationResults results;
    valijson::Validator validator;
    if (validator.validate(state_->schema, BoostJsonAdapter(value), &results)) return Ok();
    std::vector<Violation> violations;
    for (const auto& error : results) violations.push_back({error.context, error.description});
    return Invalid(ViolationText(std::move(violations)));
  } catch (const std::exception& e) {
    return Invalid(std::string("this JSON cannot be checked against its schema: ") + e.what());
  }
}

}  // namespace tasker::workflow
