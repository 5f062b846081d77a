#include "workflow/schema_report.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string_view>
#include <utility>

namespace tasker::workflow {
namespace {

constexpr std::size_t kListedMax = 50;

std::string Between(const std::string& text, std::string_view before, char after) {
  const std::size_t begin = text.find(before);
  if (begin == text.npos) return {};
  const std::size_t end = text.find(after, begin + before.size());
  return text.substr(begin + before.size(),
                     end == text.npos ? text.npos : end - begin - before.size());
}

// For "Failed to validate ... item #3 ..." the context of what failed; for others their own.
std::vector<std::string> CauseContext(const Violation& violation) {
  std::vector<std::string> context = violation.context;
  const std::string& text = violation.description;
  if (const std::string name = Between(text, "associated with property name '", '\'');
      !name.empty()) {
    context.push_back("[" + name + "]");
  } else if (text.ends_with(" in array.")) {
    context.push_back("[" + Between(text, "item #", ' ') + "]");
  }
  return context;
}

bool IsPrefix(const std::vector<std::string>& prefix, const std::vector<std::string>& of) {
  return prefix.size() <= of.size() && std::equal(prefix.begin(), prefix.end(), of.begin());
}

// Only repeats that something below failed.
bool IsEcho(const Violation& violation) {
  const std::string& text = violation.description;
  return text.starts_with("Failed to validate") &&
         !text.starts_with("Failed to validate against any") &&
         !text.starts_with("Failed to validate against exactly");
}

std::string Pointer(const std::vector<std::string>& context) {
  std::string out;
  for (const std::string& part : context) {
    if (part == "<root>") continue;
    out += '/';
    for (const char c : part.size() >= 2 && part.front() == '['
                            ? std::string_view(part).substr(1, part.size() - 2)
                            : std::string_view(part)) {
      out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    }
  }
  return out.empty() ? "the top" : out;
}

std::string Worded(const std::string& description) {
  if (const std::string name = Between(description, "Missing required property '", '\'');
      !name.empty()) {
    return "the property '" + name + "' is missing";
  }
  if (const std::string name = Between(description, "'additionalProperties' constraints: '", '\'');
      !name.empty()) {
    return "the property '" + name + "' is not allowed";
  }
  if (const std::string name = Between(description, "associated with property name '", '\'');
      !name.empty()) {
    return "the schema does not allow the property '" + name + "'";
  }
  std::string text = description;
  if (text.ends_with('.')) text.pop_back();
  // std::to_string's zeros.
  if (const std::size_t point = text.rfind('.');
      point != text.npos && text.find_first_not_of("0123456789", point + 1) == text.npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
  }
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z')
    text[0] = static_cast<char>(text[0] + ('a' - 'A'));
  return text;
}

}  // namespace

std::string ViolationText(std::vector<Violation> violations) {
  const auto echoed = [&violations](const Violation& violation) {
    const std::vector<std::string> cause = CauseContext(violation);
    return IsEcho(violation) && std::ranges::any_of(violations, [&](const Violation& other) {
             return !IsEcho(other) && IsPrefix(cause, other.context);
           });
  };
  std::string out;
  std::size_t listed = 0;
  std::size_t left = 0;
  std::set<std::string> said;
  for (const Violation& violation : violations) {
    if (echoed(violation)) continue;
    std::string line = "at " + Pointer(violation.context) + ": " + Worded(violation.description);
    if (!said.insert(line).second) continue;
    if (listed == kListedMax) {
      ++left;
      continue;
    }
    out += (listed++ == 0 ? "" : "; ") + line;
  }
  if (left > 0) out += "; and " + std::to_string(left) + " more";
  return out.empty() ? "the schema does not allow this value" : out;
}

}  // namespace tasker::workflow
