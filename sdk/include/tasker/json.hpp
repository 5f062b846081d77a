// SPDX-License-Identifier: MIT
//
// A read-only view of a JSON text, for what a step is given:
//
//   const double total = call.context()["order"]["total"].as<double>();
//   for (const tasker::Json& item : call.dependency("validate")["items"].items()) ...
//
// Nothing is copied or parsed ahead: each access walks over the text that it needs, whatever bytes
// that holds. Who reads much of a large text uses a JSON library on text() instead.
#ifndef TASKER_JSON_HPP
#define TASKER_JSON_HPP

#include <charconv>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "tasker/error.hpp"
#include "tasker/json_scanner.hpp"

namespace tasker {
inline namespace abi1 {

// One value in a JSON text that outlives it, or a place where there is none. Every function that
// does not find what it needs throws JsonError, which fails the step for good and names the place:
// "context.order.total: expected a number, it is a string". A value type; reading is thread-safe.
class Json {
 public:
  // What the value begins as; the rest of it is only looked at when it is read.
  enum class Kind { missing, null, boolean, number, string, array, object, unusable };

  // There is no value.
  Json() = default;
  // `name` begins the paths in errors. An empty text is a missing value.
  explicit Json(std::string_view text, std::string name = "json") : path_(std::move(name)) {
    const std::size_t first = text.find_first_not_of(kSpace);
    if (first == std::string_view::npos) return;
    text_ = text.substr(first, text.find_last_not_of(kSpace) - first + 1);
  }

  // Whether the whole of a text is one JSON value, as strictly as the host asks.
  static bool valid(std::string_view text, int depth_max = kJsonDepthMax) noexcept {
    detail::JsonScanner scanner(text);
    std::string_view value;
    return scanner.value(value, depth_max) && scanner.end();
  }

  Kind kind() const noexcept {
    const char first = text_.empty() ? '\0' : text_.front();
    switch (first) {
      case '{':
        return Kind::object;
      case '[':
        return Kind::array;
      case '"':
        return Kind::string;
      case 't':
      case 'f':
        return Kind::boolean;
      case 'n':
        return Kind::null;
      default:
        if (text_.empty()) return Kind::missing;
        return first == '-' || (first >= '0' && first <= '9') ? Kind::number : Kind::unusable;
    }
  }
  bool exists() const noexcept { return !text_.empty(); }
  bool is_null() const noexcept { return kind() == Kind::null; }
  // The value as it stands in the text, for another JSON library; empty when it is missing.
  std::string_view text() const noexcept { return text_; }
  // Where it stands, for people: "context.items[2].price".
  const std::string& path() const noexcept { return path_; }

  // The first member of that name; missing when there is none, or when this is missing or null.
  Json operator[](std::string_view name) const {
    Json found({}, path_ + "." + std::string(name));
    each_member([&](std::string_view key, std::string_view value) {
      const bool same = key.find('\\') == std::string_view::npos
                            ? key == name
                            : detail::json_unescape(key) == name;
      if (same) found.text_ = value;
      return !same;
    });
    return found;
  }
  // The item at that place, from 0; missing when there are fewer, or this is missing or null.
  Json operator[](std::size_t index) const {
    Json found({}, path_ + "[" + std::to_string(index) + "]");
    std::size_t at = 0;
    each_item([&](std::string_view value) {
      if (at == index) found.text_ = value;
      return at++ != index;
    });
    return found;
  }

  // All items of an array; none when it is missing or null.
  std::vector<Json> items() const {
    std::vector<Json> all;
    each_item([&](std::string_view value) {
      all.emplace_back(value, path_ + "[" + std::to_string(all.size()) + "]");
      return true;
    });
    return all;
  }
  // All members of an object, in the order of the text; none when it is missing or null.
  std::vector<std::pair<std::string, Json>> members() const {
    std::vector<std::pair<std::string, Json>> all;
    each_member([&](std::string_view key, std::string_view value) {
      std::string name = detail::json_unescape(key);
      Json member(value, path_ + "." + name);
      all.emplace_back(std::move(name), std::move(member));
      return true;
    });
    return all;
  }

  // The value as a bool, an integer that it fits, a float or double, or a std::string (unescaped).
  template <typename T>
  T as() const {
    if constexpr (std::is_same_v<T, bool>) {
      if (text_ == "true" || text_ == "false") return text_ == "true";
      wrong("true or false");
    } else if constexpr (std::is_arithmetic_v<T>) {
      return number<T>();
    } else {
      static_assert(std::is_same_v<T, std::string>,
                    "as<T>: T is bool, an integer, float, double or std::string");
      detail::JsonScanner scanner(text_);
      std::string_view inner;
      if (kind() != Kind::string) wrong("a string");
      if (!scanner.string(inner) || !scanner.end()) broken();
      return detail::json_unescape(inner);
    }
  }
  // The same; nothing when it is missing or null. Of another type: JsonError.
  template <typename T>
  std::optional<T> optional() const {
    if (!exists() || is_null()) return std::nullopt;
    return as<T>();
  }
  template <typename T>
  T value_or(T otherwise) const {
    if (!exists() || is_null()) return otherwise;
    return as<T>();
  }
  std::string value_or(const char* otherwise) const { return value_or(std::string(otherwise)); }

 private:
  static constexpr std::string_view kSpace = " \t\r\n";

  template <typename T>
  T number() const {
    const char* const end = text_.data() + text_.size();
    detail::JsonScanner scanner(text_);
    std::string_view whole;
    if (kind() != Kind::number) wrong(std::is_integral_v<T> ? "an integer" : "a number");
    if (!scanner.value(whole) || !scanner.end()) broken();
    T value{};
    const auto read = std::from_chars(text_.data(), end, value);
    if (read.ec == std::errc() && read.ptr == end) return value;
    if constexpr (std::is_integral_v<T>) {
      using Limits = std::numeric_limits<T>;
      wrong("an integer from " + std::to_string(Limits::min()) + " to " +
            std::to_string(Limits::max()));
    } else {
      wrong("a number that floating point can hold");
    }
  }

  // Both call visit for each part, until it returns false.
  template <typename Visit>
  void each_member(Visit&& visit) const {
    each(Kind::object, "an object", [&](detail::JsonScanner& scanner, bool& go_on) {
      std::string_view key, value;
      if (!scanner.key(key) || !scanner.value(value)) return false;
      go_on = visit(key, value);
      return true;
    });
  }
  template <typename Visit>
  void each_item(Visit&& visit) const {
    each(Kind::array, "an array", [&](detail::JsonScanner& scanner, bool& go_on) {
      std::string_view value;
      if (!scanner.value(value)) return false;
      go_on = visit(value);
      return true;
    });
  }
  template <typename Part>
  void each(Kind wanted, const char* noun, Part&& part) const {
    if (!exists() || is_null()) return;
    if (kind() != wanted) wrong(noun);
    const char close = wanted == Kind::object ? '}' : ']';
    detail::JsonScanner scanner(text_);
    scanner.eat(text_.front());
    if (scanner.eat(close)) return;
    bool go_on = true;
    do {
      if (!part(scanner, go_on)) broken();
      if (!go_on) return;
    } while (scanner.eat(','));
    if (!scanner.eat(close)) broken();
  }

  [[noreturn]] void wrong(const std::string& expected) const {
    throw JsonError(path_ + ": expected " + expected + ", it is " + describe());
  }
  [[noreturn]] void broken() const { throw JsonError(path_ + ": the text is no JSON"); }

  std::string describe() const {
    switch (kind()) {
      case Kind::missing:
        return "missing";
      case Kind::string:
        return "a string";
      case Kind::array:
        return "an array";
      case Kind::object:
        return "an object";
      case Kind::unusable:
        return "no JSON";
      default:
        return std::string(text_.substr(0, 40));
    }
  }

  std::string_view text_;
  std::string path_ = "json";
};

}  // namespace abi1
}  // namespace tasker

#endif
