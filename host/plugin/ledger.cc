#include "plugin/ledger.h"

namespace tasker::plugin {
namespace {

std::string Count(std::size_t n, const std::string& noun) {
  return std::to_string(n) + " " + noun + (n == 1 ? "" : "s");
}

}  // namespace

std::string Ledger::ToString() const {
  std::string text;
  const auto add = [&](const std::string& part) {
    text.append(text.empty() ? "" : ", ").append(part);
  };
  for (const auto& [handler, held] : tokens) {
    std::string part;
    if (held.running > 0) part = Count(held.running, "unfinished attempt");
    if (held.ended > 0) {
      part.append(part.empty() ? "" : " and ").append(Count(held.ended, "unreleased token"));
    }
    add(part + " of handler '" + handler + "'");
  }
  if (buffers > 0) add(Count(buffers, "unreleased buffer"));
  return text;
}

}  // namespace tasker::plugin
