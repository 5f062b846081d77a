#include "config/substitute.h"

#include <algorithm>

#include "config/value.h"

namespace tasker::config {
namespace {

bool IsName(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && std::ranges::all_of(text, fits) &&
         !(text.front() >= '0' && text.front() <= '9');
}

// What stands between "${" and "}".
Result<std::string> Expand(std::string_view reference, const Environment& env) {
  const std::size_t colon = reference.find(":-");
  const std::string_view name = reference.substr(0, colon);
  if (!IsName(name)) {
    return Invalid("${" + std::string(reference.substr(0, 80)) +
                   "} names no environment variable; write ${NAME} or ${NAME:-default}, and $${ "
                   "for a plain ${");
  }
  const auto variable = env.find(name);
  if (colon != std::string_view::npos) {
    const bool use = variable != env.end() && !variable->second.empty();
    return use ? variable->second : std::string(reference.substr(colon + 2));
  }
  if (variable != env.end()) return variable->second;
  return Invalid("the environment variable " + std::string(name) +
                 " is not set; set it, or write ${" + std::string(name) + ":-default}");
}

}  // namespace

Result<std::string> Substitute(std::string_view text, const Environment& env) {
  std::string result;
  for (std::size_t at = 0;;) {
    const std::size_t open = text.find("${", at);
    result += text.substr(at, open - at);
    if (open == std::string_view::npos) return result;
    if (open > at && text[open - 1] == '$') {
      result += '{';
      at = open + 2;
      continue;
    }
    const std::size_t close = text.find('}', open);
    if (close == std::string_view::npos) {
      return Invalid("the ${ in " + Quoted(text) +
                     " has no }; write ${NAME} or ${NAME:-default}, and $${ for a plain ${");
    }
    TRY(const std::string value, Expand(text.substr(open + 2, close - open - 2), env));
    result += value;
    at = close + 1;
  }
}

}  // namespace tasker::config
