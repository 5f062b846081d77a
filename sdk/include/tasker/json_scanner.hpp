// SPDX-License-Identifier: MIT
//
// The grammar of JSON (RFC 8259) over text that may be anything; <tasker/json.hpp> is built on it.
#ifndef TASKER_JSON_SCANNER_HPP
#define TASKER_JSON_SCANNER_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tasker {
inline namespace abi1 {

// The largest limits.json_depth_max that a host may be given.
inline constexpr int kJsonDepthMax = 512;

namespace detail {

// Bytes of the UTF-8 character at the front, 0 when there is none (Unicode 15, table 3-7).
inline std::size_t utf8_length(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
  const unsigned first = byte(0), second = byte(1);
  if (first < 0x80) return text.empty() ? 0 : 1;
  if (first >= 0xc2 && first <= 0xdf) return tail(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool legal =
        tail(1) && (first != 0xe0 || second >= 0xa0) && (first != 0xed || second < 0xa0);
    return legal && tail(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool legal =
        tail(1) && (first != 0xf0 || second >= 0x90) && (first != 0xf4 || second < 0x90);
    return legal && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

// Walks over a text from left to right. Each function skips white space, then one part of the
// grammar; false: it is not there, and the scanner is of no further use. Never reads outside the
// text.
class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) noexcept : text_(text) {}

  // The next character that is no white space; NUL at the end.
  char peek() noexcept {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool eat(char c) noexcept {
    if (peek() != c || at_ == text_.size()) return false;
    ++at_;
    return true;
  }
  bool end() noexcept { return peek() == '\0' && at_ == text_.size(); }
  // Where it stands, for people: bytes from the beginning.
  std::size_t position() const noexcept { return at_; }

  // A whole value of at most this depth; `out` is its text.
  bool value(std::string_view& out, int depth_max = kJsonDepthMax) noexcept {
    const char first = peek();
    const std::size_t begin = at_;
    std::string_view inner;
    bool good = false;
    if (first == '{' || first == '[') {
      good = depth_max > 0 && structure(first == '{', depth_max - 1);
    } else if (first == '"') {
      good = string(inner);
    } else if (first == 't' || first == 'f' || first == 'n') {
      good = word(first == 't' ? "true" : first == 'f' ? "false" : "null");
    } else {
      good = number();
    }
    if (good) out = text_.substr(begin, at_ - begin);
    return good;
  }

  // A string; `out` is what stands between its quotes.
  bool string(std::string_view& out) noexcept {
    if (!eat('"')) return false;
    const std::size_t begin = at_;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        out = text_.substr(begin, at_ - begin);
        ++at_;
        return true;
      }
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c == '\\') {
        if (!escape()) return false;
        continue;
      }
      const std::size_t length = utf8_length(text_.substr(at_, 4));
      if (length == 0) return false;
      at_ += length;
    }
    return false;
  }

  // A member's name and the colon.
  bool key(std::string_view& out) noexcept { return string(out) && eat(':'); }

 private:
  bool structure(bool object, int depth_max) noexcept {
    const char close = object ? '}' : ']';
    std::string_view part;
    ++at_;
    if (eat(close)) return true;
    do {
      if (object && !key(part)) return false;
      if (!value(part, depth_max)) return false;
    } while (eat(','));
    return eat(close);
  }

  bool word(std::string_view expected) noexcept {
    if (text_.substr(at_, expected.size()) != expected) return false;
    at_ += expected.size();
    return true;
  }

  bool digits() noexcept {
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    return at_ > begin;
  }
  bool here(char c) noexcept {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool number() noexcept {
    here('-');
    if (!here('0') && !digits()) return false;
    if (here('.') && !digits()) return false;
    if (here('e') || here('E')) {
      if (!here('+')) here('-');
      return digits();
    }
    return true;
  }

  bool escape() noexcept {
    ++at_;
    if (at_ == text_.size()) return false;
    const char c = text_[at_++];
    if (c != 'u') return std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos;
    std::uint32_t unit = 0, low = 0;
    if (!hex4(unit) || (unit >= 0xdc00 && unit <= 0xdfff)) return false;
    if (unit < 0xd800 || unit > 0xdbff) return true;
    return here('\\') && here('u') && hex4(low) && low >= 0xdc00 && low <= 0xdfff;
  }
  bool hex4(std::uint32_t& unit) noexcept {
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = at_ < text_.size() ? text_[at_] : '\0';
      const bool digit = c >= '0' && c <= '9';
      const char lower = static_cast<char>(c | 0x20);
      if (!digit && (lower < 'a' || lower > 'f')) return false;
      unit = unit * 16 + static_cast<std::uint32_t>(digit ? c - '0' : lower - 'a' + 10);
    }
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// The characters of what JsonScanner::string found.
inline std::string json_unescape(std::string_view inner) {
  const auto unit_at = [&](std::size_t i) {
    std::uint32_t unit = 0;
    for (const char c : inner.substr(i, 4)) {
      const bool digit = c >= '0' && c <= '9';
      unit = unit * 16 + static_cast<std::uint32_t>(digit ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return unit;
  };
  const auto byte = [](std::uint32_t bits) { return static_cast<char>(bits); };
  std::string out;
  out.reserve(inner.size());
  for (std::size_t i = 0; i < inner.size(); ++i) {
    if (inner[i] != '\\') {
      out += inner[i];
      continue;
    }
    const char c = inner[++i];
    if (c != 'u') {
      const std::size_t known = std::string_view("bfnrt").find(c);
      out += known == std::string_view::npos ? c : "\b\f\n\r\t"[known];
      continue;
    }
    std::uint32_t code = unit_at(i + 1);
    i += 4;
    if (code >= 0xd800 && code <= 0xdbff) {
      code = 0x10000 + ((code - 0xd800) << 10) + (unit_at(i + 3) - 0xdc00);
      i += 6;
    }
    if (code < 0x80) {
      out += byte(code);
    } else if (code < 0x800) {
      out += {byte(0xc0 | code >> 6), byte(0x80 | (code & 0x3f))};
    } else if (code < 0x10000) {
      out += {byte(0xe0 | code >> 12), byte(0x80 | (code >> 6 & 0x3f)), byte(0x80 | (code & 0x3f))};
    } else {
      out += {byte(0xf0 | code >> 18), byte(0x80 | (code >> 12 & 0x3f)),
              byte(0x80 | (code >> 6 & 0x3f)), byte(0x80 | (code & 0x3f))};
    }
  }
  return out;
}

}  // namespace detail
}  // namespace abi1
}  // namespace tasker

#endif
