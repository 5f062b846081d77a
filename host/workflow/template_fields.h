#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "workflow/template_yaml.h"

namespace tasker::workflow {

// One template while it is read: where its text comes from, and what there is to tell its author.
struct Reading {
  std::string source;
  bool strict = false;
  std::vector<TemplateWarning> warnings;
  std::set<std::string> no_effect;

  Error At(int line, std::string_view message) const;
  // Tells the author; under `strict` it is an error.
  Status Warn(int line, std::string_view message);
};

// The nearest of `known` to a misspelt word; empty if none is near.
std::string_view NearestOf(std::string_view word, const std::vector<std::string_view>& known);

// One mapping of the template. A key whose value is null counts as absent. Errors name the line,
// what stands there, and what to write instead.
class Fields final {
 public:
  // `what` names the mapping in messages: "step 'pay'". Keys not in `known` are warned about.
  static Result<Fields> Of(Reading& reading, const YamlNode& node, std::string what,
                           std::initializer_list<std::string_view> known);

  int line() const { return node_->line; }
  const std::string& what() const { return what_; }
  // Null if absent.
  const YamlNode* Find(std::string_view key) const;
  // One value under two names; both at once are an error.
  Result<const YamlNode*> FindAlias(std::string_view key, std::string_view alias) const;
  Error Wrong(const YamlNode& value, std::string_view key, std::string_view expected) const;
  Error Missing(std::string_view key, std::string_view expected) const;

  // Text of 1 to `size_max` bytes.
  Result<std::optional<std::string>> Text(std::string_view key, std::size_t size_max) const;
  Result<std::string> RequiredText(std::string_view key, std::size_t size_max) const;
  Result<std::optional<std::int64_t>> Integer(std::string_view key, std::int64_t min,
                                              std::int64_t max) const;
  Result<std::optional<bool>> Boolean(std::string_view key) const;
  // One of `words`; the first if absent.
  Result<std::string> OneOf(std::string_view key,
                            std::initializer_list<std::string_view> words) const;
  // Null if absent.
  Result<const YamlNode*> List(std::string_view key) const;
  Result<const YamlNode*> Map(std::string_view key) const;
  // Each item a text of 1 to 255 bytes; empty if absent.
  Result<std::vector<std::string>> Texts(std::string_view key) const;
  // Any value, as JSON text; nothing if absent.
  Result<std::optional<std::string>> Json(std::string_view key) const;

 private:
  Fields(Reading& reading, const YamlNode& node, std::string what)
      : reading_(&reading), node_(&node), what_(std::move(what)) {}

  Status CheckKeys(std::initializer_list<std::string_view> known) const;
  std::string Named(std::string_view key) const;

  Reading* reading_;
  const YamlNode* node_;
  std::string what_;
};

// The items of a list of texts, for keys with an alias.
Result<std::vector<std::string>> TextsOf(const Fields& fields, const YamlNode& list,
                                         std::string_view key);

}  // namespace tasker::workflow
