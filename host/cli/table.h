#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "cli/style.h"

namespace tasker::cli {

// A cell of a table; any text, which the table makes printable.
struct Cell {
  Cell(std::string_view cell_text,
       Colour cell_colour = Colour::kNone)  // NOLINT(*-explicit-*): rows read as lists
      : text(cell_text), colour(cell_colour) {}
  Cell(const std::string& cell_text, Colour cell_colour = Colour::kNone)  // NOLINT(*-explicit-*)
      : text(cell_text), colour(cell_colour) {}
  Cell(const char* cell_text, Colour cell_colour = Colour::kNone)  // NOLINT(*-explicit-*)
      : text(cell_text), colour(cell_colour) {}

  std::string text;
  Colour colour = Colour::kNone;
};

// Rows in aligned columns, two blanks apart, below a dim header.
class Table final {
 public:
  explicit Table(std::initializer_list<std::string_view> header)
      : header_(header.begin(), header.end()) {}

  // As many cells as the header has.
  void Add(std::vector<Cell> row);
  bool empty() const { return rows_.empty(); }

  // One line each, the header first. The last column is cut where the style's width ends; columns
  // that are empty in every row are left out.
  std::vector<std::string> Lines(const Style& style) const;
  // The same as one text.
  std::string Text(const Style& style) const;

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace tasker::cli
