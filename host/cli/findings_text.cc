#include "cli/findings_text.h"

#include <boost/json/array.hpp>
#include <string_view>
#include <utility>

namespace tasker::cli {
namespace {

using Severity = Finding::Severity;

std::string_view NameOf(Severity severity) {
  switch (severity) {
    case Severity::kOk:
      return "ok";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
  }
  return "";
}

Colour ColourOf(Severity severity) {
  switch (severity) {
    case Severity::kOk:
      return Colour::kGreen;
    case Severity::kWarning:
      return Colour::kYellow;
    case Severity::kError:
      return Colour::kRed;
  }
  return Colour::kNone;
}

}  // namespace

boost::json::object ToJson(const Findings& findings) {
  boost::json::array list;
  for (const Finding& finding : findings.list()) {
    list.push_back({{"name", finding.name},
                    {"severity", NameOf(finding.severity)},
                    {"found", finding.found},
                    {"mend", finding.mend}});
  }
  return {{"findings", std::move(list)}};
}

std::string ToText(const Findings& findings, const Style& style) {
  std::string text;
  for (const Finding& finding : findings.list()) {
    std::string word(NameOf(finding.severity));
    word.resize(8, ' ');
    text += Paint(style, ColourOf(finding.severity), word) + " " + Printable(style, finding.found) +
            "\n";
    if (!finding.mend.empty()) text += "         " + Printable(style, finding.mend) + "\n";
  }
  return text;
}

}  // namespace tasker::cli
