#include "cli/table.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/check.h"

namespace tasker::cli {
namespace {

constexpr std::size_t kGap = 2;

// Lays one line out. The last column is not padded, and fitted to what is left of the width.
class Line {
 public:
  Line(const Style& style, const std::vector<std::size_t>& widths)
      : style_(style), widths_(widths) {
    for (std::size_t i = 0; i < widths_.size(); ++i) {
      if (widths_[i] > 0) last_ = i;
    }
  }

  void Add(std::size_t column, std::string_view printable, Colour colour) {
    if (widths_[column] == 0) return;
    if (column == last_) {
      const std::size_t room =
          style_.width == 0 ? std::string::npos : static_cast<std::size_t>(style_.width);
      text_ += Paint(style_, colour, Fit(style_, printable, room - std::min(room, used_)));
      return;
    }
    text_ += Paint(style_, colour, printable);
    text_.append(widths_[column] - DisplayWidth(printable) + kGap, ' ');
    used_ += widths_[column] + kGap;
  }

  std::string Take() {
    text_.erase(text_.find_last_not_of(' ') + 1);
    return std::move(text_);
  }

 private:
  const Style& style_;
  const std::vector<std::size_t>& widths_;
  std::size_t last_ = 0;
  std::size_t used_ = 0;
  std::string text_;
};

}  // namespace

void Table::Add(std::vector<Cell> row) {
  CHECK(row.size() == header_.size());
  rows_.push_back(std::move(row));
}

std::vector<std::string> Table::Lines(const Style& style) const {
  std::vector<std::vector<std::string>> printable;
  std::vector<std::size_t> widths(header_.size(), 0);
  for (const std::vector<Cell>& row : rows_) {
    std::vector<std::string>& texts = printable.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i) {
      texts.push_back(Printable(style, row[i].text));
      widths[i] = std::max(widths[i], DisplayWidth(texts.back()));
    }
  }
  for (std::size_t i = 0; i < header_.size(); ++i) {
    if (widths[i] > 0) widths[i] = std::max(widths[i], header_[i].size());
  }
  std::vector<std::string> lines;
  Line header(style, widths);
  for (std::size_t i = 0; i < header_.size(); ++i) header.Add(i, header_[i], Colour::kDim);
  lines.push_back(header.Take());
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    Line line(style, widths);
    for (std::size_t i = 0; i < header_.size(); ++i)
      line.Add(i, printable[r][i], rows_[r][i].colour);
    lines.push_back(line.Take());
  }
  return lines;
}

std::string Table::Text(const Style& style) const {
  std::string text;
  for (const std::string& line : Lines(style)) text.append(line).append("\n");
  return text;
}

}  // namespace tasker::cli
