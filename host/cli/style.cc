#include "cli/style.h"

#include <algorithm>

namespace tasker::cli {
namespace {

std::string_view CodeOf(Colour colour) {
  switch (colour) {
    case Colour::kNone:
      return "";
    case Colour::kBold:
      return "\x1b[1m";
    case Colour::kDim:
      return "\x1b[2m";
    case Colour::kRed:
      return "\x1b[31m";
    case Colour::kGreen:
      return "\x1b[32m";
    case Colour::kYellow:
      return "\x1b[33m";
    case Colour::kBlue:
      return "\x1b[34m";
  }
  return "";
}

bool Continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// Bytes of the UTF-8 character that the text begins with; 0: none.
std::size_t CharacterLength(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0x80                   ? 1
                             : lead >= 0xf0 && lead < 0xf5 ? 4
                             : lead >= 0xe0                ? 3
                             : lead >= 0xc2                ? 2
                                                           : 0;
  if (lead >= 0xf5 || length == 0 || length > text.size()) return 0;
  return std::ranges::all_of(text.substr(1, length - 1), Continues) ? length : 0;
}

bool IsControl(std::string_view character) {
  const auto lead = static_cast<unsigned char>(character.front());
  if (character.size() == 1) return lead < 0x20 || lead == 0x7f;
  // U+0080..U+009F; some terminals take them as escapes.
  return lead == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
}

}  // namespace

std::string Paint(const Style& style, Colour colour, std::string_view text) {
  if (!style.colour || colour == Colour::kNone || text.empty()) return std::string(text);
  return std::string(CodeOf(colour)).append(text).append("\x1b[0m");
}

std::string Printable(const Style& style, std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = CharacterLength(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
    if (length == 0 || (length > 1 && !style.utf8)) {
      out += '?';
    } else if (IsControl(character)) {
      out += ' ';
    } else {
      out += character;
    }
    text.remove_prefix(character.size());
  }
  return out;
}

std::size_t DisplayWidth(std::string_view printable) {
  return static_cast<std::size_t>(
      std::ranges::count_if(printable, [](char c) { return !Continues(c); }));
}

std::string Fit(const Style& style, std::string_view printable, std::size_t width) {
  if (DisplayWidth(printable) <= width) return std::string(printable);
  const std::string_view dots = style.utf8 ? "…" : "...";
  if (width < DisplayWidth(dots)) return std::string(width, '.');
  std::size_t left = width - DisplayWidth(dots);
  std::size_t end = 0;
  while (end < printable.size() && (left > 0 || Continues(printable[end]))) {
    if (!Continues(printable[end])) --left;
    ++end;
  }
  // Stopped at the first byte of the character that has no room.
  return std::string(printable.substr(0, end)).append(dots);
}

}  // namespace tasker::cli
