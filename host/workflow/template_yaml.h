#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "workflow/template.h"

namespace tasker::workflow {

// One value of a YAML text. An alias is the same node as its anchor, so that a text that expands to
// much stays small.
struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  struct Entry {
    std::string key;
    int line;
    const YamlNode* value;
  };

  Kind kind = Kind::kNull;
  int line = 1;        // 1-based
  bool plain = false;  // a scalar without quotes: its text says what type it has
  std::string text;
  std::vector<const YamlNode*> items;
  std::vector<Entry> entries;  // in the order of the text; no key twice
  int height = 1;              // levels from here down
  std::size_t weight = 1;      // bytes when every alias is written out, roughly
};

// The tree of one YAML document, within the limits: its depth, its size, and its size with every
// alias written out.
class YamlDocument final {
 public:
  // Errors: "SOURCE:LINE: ...", one sentence.
  static Result<YamlDocument> Parse(std::string_view text, std::string_view source,
                                    const TemplateLimits& limits);

  const YamlNode& root() const { return *root_; }

 private:
  friend class YamlBuilder;

  std::deque<YamlNode> nodes_;  // a deque: nodes point at each other
  const YamlNode* root_ = nullptr;
};

// A text for a message: in single quotes, shortened, without control characters.
std::string Quoted(std::string_view text);

}  // namespace tasker::workflow
