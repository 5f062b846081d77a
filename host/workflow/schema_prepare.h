#pragma once

#include <boost/json/value.hpp>
#include <string_view>

#include "base/result.h"

namespace tasker::workflow {

// Keywords that this project checks itself, under names that no schema uses. Their values are JSON
// texts.
inline constexpr std::string_view kTypeKeyword = "tasker:type";
inline constexpr std::string_view kEnumKeyword = "tasker:enum";
inline constexpr std::string_view kFormatKeyword = "tasker:format";
inline constexpr std::string_view kPatternKeyword = "tasker:pattern";

// A schema that valijson can be given without harm.
struct PreparedSchema {
  boost::json::value schema;
  bool draft4 = false;
  bool pattern_properties = false;
};

// Refuses what valijson would follow, loop on or overlook: other drafts, references out of the
// schema, references that lead back to themselves, unknown types, and schemas whose check would
// cost too much. Drops ids, which only serve such references.
Result<PreparedSchema> PrepareSchema(std::string_view text);

}  // namespace tasker::workflow
