#pragma once

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string_view>
#include <utility>

namespace tasker::pipeline {

// A text that the store keeps as JSON; nothing when it is none.
inline std::optional<boost::json::value> ParseStored(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = 1024;  // Deeper than anything that the limits let into a store.
  boost::json::error_code error;
  boost::json::value value = boost::json::parse(text, error, {}, options);
  if (error) return std::nullopt;
  return value;
}

}  // namespace tasker::pipeline
