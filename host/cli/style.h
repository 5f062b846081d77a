#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tasker::cli {

// What the place that text goes to can show.
struct Style {
  bool utf8 = false;
  bool colour = false;
  int width = 0;  // columns; 0: no limit
};

enum class Colour { kNone, kBold, kDim, kRed, kGreen, kYellow, kBlue };

// The text in that colour, where the style has colours.
std::string Paint(const Style& style, Colour colour, std::string_view text);

// Texts of templates, handlers and files may hold anything. In the result, every control character
// is a blank, so that nobody's text can move the cursor, and what is no UTF-8 is '?'. Without
// UTF-8, so is all beyond ASCII.
std::string Printable(const Style& style, std::string_view text);

// Columns that a printable text takes: characters, as far as UTF-8 tells.
std::size_t DisplayWidth(std::string_view printable);

// The printable text, cut with "…" or "..." where it is longer than `width`.
std::string Fit(const Style& style, std::string_view printable, std::size_t width);

}  // namespace tasker::cli
