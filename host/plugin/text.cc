#include "plugin/text.h"

#include <algorithm>
#include <cstdint>

#include <boost/json/basic_parser_impl.hpp>

#include <tasker/json_scanner.hpp>

namespace tasker::plugin {
namespace {

namespace json = boost::json;

// Takes every event and keeps nothing.
struct Ignore {
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  using Text = json::string_view;
  using Code = json::error_code;
  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return true; }
  bool on_object_end(std::size_t, Code&) { return true; }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t, Code&) { return true; }
  bool on_key_part(Text, std::size_t, Code&) { return true; }
  bool on_key(Text, std::size_t, Code&) { return true; }
  bool on_string_part(Text, std::size_t, Code&) { return true; }
  bool on_string(Text, std::size_t, Code&) { return true; }
  bool on_number_part(Text, Code&) { return true; }
  bool on_int64(std::int64_t, Text, Code&) { return true; }
  bool on_uint64(std::uint64_t, Text, Code&) { return true; }
  bool on_double(double, Text, Code&) { return true; }
  bool on_bool(bool, Code&) { return true; }
  bool on_null(Code&) { return true; }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }
};

}  // namespace

std::string CleanText(std::string_view text, std::size_t bytes_max) {
  std::string out;
  out.reserve(std::min(text.size(), bytes_max));
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t length = detail::utf8_length(rest);
    const std::string_view next = length == 0 ? "\xef\xbf\xbd" : rest.substr(0, length);
    if (out.size() + next.size() > bytes_max) {
      out += "... [cut: " + std::to_string(text.size()) + " bytes, the limit is " +
             std::to_string(bytes_max) + "]";
      return out;
    }
    out += next;
    rest.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

Status CheckJsonText(std::string_view text, std::size_t depth_max) {
  json::parse_options options;
  options.max_depth = depth_max;
  json::basic_parser<Ignore> parser(options);
  json::error_code code;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), code);
  if (!code && read < text.size()) code = json::error::extra_data;
  if (!code) return Ok();
  return Invalid(code.message() + " at byte " + std::to_string(read));
}

}  // namespace tasker::plugin
