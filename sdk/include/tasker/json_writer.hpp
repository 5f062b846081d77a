// SPDX-License-Identifier: MIT
//
// JSON texts for what a step returns:
//
//   return tasker::JsonObject().set("total", 12.5).set("tags", tasker::JsonArray().add("new"));
#ifndef TASKER_JSON_WRITER_HPP
#define TASKER_JSON_WRITER_HPP

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "tasker/json.hpp"

namespace tasker {
inline namespace abi1 {

class JsonObject;
class JsonArray;

namespace detail {

// Appends the text in quotes, escaped. JsonError: it is no UTF-8, so that JSON has no words for it.
inline void append_json_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const std::size_t length = utf8_length(text.substr(i, 4));
    if (length == 0) throw JsonError("a text is no UTF-8 at its byte " + std::to_string(i));
    const std::size_t known = std::string_view("\b\f\n\r\t\"\\").find(c);
    if (known != std::string_view::npos) {
      out += {'\\', "bfnrt\"\\"[known]};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += {'\\', 'u', '0', '0', kHex[c >> 4], kHex[c & 15]};
    } else {
      out += text.substr(i, length);
    }
    i += length;
  }
  out += '"';
}

template <typename T>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type {};

// Appends a bool, a number, a text, nullptr, an optional of these, a Json, JsonObject or JsonArray.
template <typename T>
void append_json(std::string& out, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    out += value ? "true" : "false";
  } else if constexpr (std::is_same_v<T, std::nullptr_t>) {
    out += "null";
  } else if constexpr (std::is_arithmetic_v<T>) {
    if constexpr (std::is_floating_point_v<T>) {
      if (!std::isfinite(value)) throw JsonError("JSON has no infinity and no NaN");
    }
    std::array<char, 40> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out.append(digits.data(), end);
  } else if constexpr (std::is_same_v<T, Json>) {
    if (value.exists() && !Json::valid(value.text())) {
      throw JsonError(value.path() + ": the text is no JSON");
    }
    out += value.exists() ? value.text() : "null";
  } else if constexpr (std::is_same_v<T, JsonObject> || std::is_same_v<T, JsonArray>) {
    out += value.text();
  } else if constexpr (IsOptional<T>::value) {
    value ? append_json(out, *value) : append_json(out, nullptr);
  } else {
    append_json_string(out, value);
  }
}

}  // namespace detail

// A JSON object that grows. What append_json does not know does not compile; JsonError as there. A
// name that is set twice stands there twice. Not thread-safe.
class JsonObject {
 public:
  template <typename T>
  JsonObject& set(std::string_view name, const T& value) {
    std::string member = text_.size() > 2 ? "," : "";
    detail::append_json_string(member, name);
    member += ':';
    detail::append_json(member, value);
    text_.insert(text_.size() - 1, member);
    return *this;
  }

  // Always a whole object; valid until the next set.
  const std::string& text() const noexcept { return text_; }
  operator std::string_view() const noexcept { return text_; }

 private:
  std::string text_ = "{}";
};

// A JSON array that grows; otherwise as JsonObject.
class JsonArray {
 public:
  template <typename T>
  JsonArray& add(const T& value) {
    std::string item = text_.size() > 2 ? "," : "";
    detail::append_json(item, value);
    text_.insert(text_.size() - 1, item);
    return *this;
  }

  const std::string& text() const noexcept { return text_; }
  operator std::string_view() const noexcept { return text_; }

 private:
  std::string text_ = "[]";
};

}  // namespace abi1
}  // namespace tasker

#endif
