#include "cli/dag.h"

#include <algorithm>
#include <functional>
#include <map>
#include <queue>
#include <string_view>
#include <utility>

namespace tasker::cli {
namespace {

enum class Glyph { kEmpty, kLane, kAcross, kFork, kSplit, kSplitLast, kJoin, kJoinLast };

std::string_view TextOf(Glyph glyph, bool utf8) {
  switch (glyph) {
    case Glyph::kEmpty:
      return " ";
    case Glyph::kLane:
      return utf8 ? "│" : "|";
    case Glyph::kAcross:
      return utf8 ? "─" : "-";
    case Glyph::kFork:
      return utf8 ? "├" : "+";
    case Glyph::kSplit:
      return utf8 ? "┬" : "+";
    case Glyph::kSplitLast:
      return utf8 ? "╮" : ".";
    case Glyph::kJoin:
      return utf8 ? "┴" : "+";
    case Glyph::kJoinLast:
      return utf8 ? "╯" : "'";
  }
  return " ";
}

// The steps in an order in which parents come first; otherwise as numbered.
std::vector<std::int32_t> Ordered(const std::vector<std::vector<std::int32_t>>& parents,
                                  const std::vector<std::vector<std::int32_t>>& children) {
  std::priority_queue<std::int32_t, std::vector<std::int32_t>, std::greater<>> ready;
  std::vector<std::size_t> waiting;
  for (std::size_t n = 0; n < parents.size(); ++n) {
    waiting.push_back(parents[n].size());
    if (parents[n].empty()) ready.push(static_cast<std::int32_t>(n));
  }
  std::vector<std::int32_t> order;
  while (!ready.empty()) {
    const std::int32_t n = ready.top();
    ready.pop();
    order.push_back(n);
    for (const std::int32_t child : children[static_cast<std::size_t>(n)]) {
      if (--waiting[static_cast<std::size_t>(child)] == 0) ready.push(child);
    }
  }
  return order;
}

class Drawing {
 public:
  explicit Drawing(const std::vector<std::vector<std::int32_t>>& parents)
      : children_(parents.size()) {
    for (std::size_t n = 0; n < parents.size(); ++n) {
      for (const std::int32_t parent : parents[n]) {
        children_[static_cast<std::size_t>(parent)].push_back(static_cast<std::int32_t>(n));
      }
    }
    order_ = Ordered(parents, children_);
    position_.resize(parents.size());
    for (std::size_t i = 0; i < order_.size(); ++i)
      position_[static_cast<std::size_t>(order_[i])] = i;
  }

  DagDrawing Draw(bool utf8) {
    for (const std::int32_t step : order_) Place(step);
    DagDrawing drawing;
    drawing.width = lanes_.empty() ? 0 : 2 * lanes_.size() - 1;
    for (const Row& row : rows_) drawing.rows.push_back(Text(row, drawing.width, utf8));
    return drawing;
  }

 private:
  // The steps that a lane leads to, in the order in which they are drawn; none: the lane is free.
  using Lane = std::vector<std::int32_t>;
  struct Row {
    std::vector<Glyph> glyphs;
    std::optional<std::int32_t> step;
    std::size_t lane = 0;  // of the step
  };

  void Place(std::int32_t step) {
    std::size_t lane = 0;
    if (std::vector<std::size_t> mine = LanesTo(step); mine.empty()) {
      lane = FreeLane(0);
    } else {
      JoinEqual(mine);
      for (const std::size_t i : LanesTo(step)) Split(i);
      mine = LanesTo(step);
      Join(mine);
      lane = mine.front();
    }
    lanes_[lane] = {step};  // Not free: its column is drawn as a mark.
    rows_.push_back({Lanes(), step, lane});
    lanes_[lane] = children_[static_cast<std::size_t>(step)];
    std::ranges::sort(lanes_[lane], {},
                      [this](std::int32_t n) { return position_[static_cast<std::size_t>(n)]; });
  }

  std::vector<std::size_t> LanesTo(std::int32_t step) const {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      if (std::ranges::find(lanes_[i], step) != lanes_[i].end()) found.push_back(i);
    }
    return found;
  }

  std::size_t FreeLane(std::size_t from) {
    std::size_t i = from;
    while (i < lanes_.size() && !lanes_[i].empty()) ++i;
    if (i == lanes_.size()) lanes_.emplace_back();
    return i;
  }

  // Lanes that lead to the same steps become one, which leads to all of them.
  void JoinEqual(const std::vector<std::size_t>& lanes) {
    std::map<Lane, std::vector<std::size_t>> equal;
    for (const std::size_t i : lanes) equal[lanes_[i]].push_back(i);
    for (const auto& [targets, members] : equal) Join(members);
  }

  // `lanes` ascend; all become the first.
  void Join(const std::vector<std::size_t>& lanes) {
    if (lanes.size() < 2) return;
    Connect(lanes, Glyph::kJoin, Glyph::kJoinLast);
    for (std::size_t i = 1; i < lanes.size(); ++i) lanes_[lanes[i]].clear();
  }

  // A lane that leads to several steps becomes one lane for each.
  void Split(std::size_t lane) {
    const Lane targets = lanes_[lane];
    if (targets.size() < 2) return;
    std::vector<std::size_t> branches = {lane};
    for (std::size_t i = 1; i < targets.size(); ++i) {
      const std::size_t branch = FreeLane(branches.back() + 1);
      branches.push_back(branch);
      lanes_[branch] = {targets[i]};
    }
    lanes_[lane] = {targets.front()};
    Connect(branches, Glyph::kSplit, Glyph::kSplitLast);
  }

  // A row in which the lanes of `ends`, which ascend, are one.
  void Connect(const std::vector<std::size_t>& ends, Glyph middle, Glyph last) {
    std::vector<Glyph> glyphs = Lanes();
    for (std::size_t column = 2 * ends.front() + 1; column < 2 * ends.back(); ++column) {
      if (glyphs[column] == Glyph::kEmpty) glyphs[column] = Glyph::kAcross;
    }
    glyphs[2 * ends.front()] = Glyph::kFork;
    for (std::size_t i = 1; i < ends.size(); ++i) glyphs[2 * ends[i]] = middle;
    glyphs[2 * ends.back()] = last;
    rows_.push_back({std::move(glyphs), std::nullopt, 0});
  }

  std::vector<Glyph> Lanes() const {
    std::vector<Glyph> glyphs(2 * lanes_.size() - 1, Glyph::kEmpty);
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      if (!lanes_[i].empty()) glyphs[2 * i] = Glyph::kLane;
    }
    return glyphs;
  }

  static DagRow Text(const Row& row, std::size_t width, bool utf8) {
    DagRow text;
    text.step = row.step;
    for (std::size_t column = 0; column < width; ++column) {
      const bool mark = row.step && column == 2 * row.lane;
      const Glyph glyph = column < row.glyphs.size() ? row.glyphs[column] : Glyph::kEmpty;
      if (!mark)
        (row.step && column > 2 * row.lane ? text.right : text.left) += TextOf(glyph, utf8);
    }
    return text;
  }

  std::vector<std::vector<std::int32_t>> children_;
  std::vector<std::int32_t> order_;
  std::vector<std::size_t> position_;  // of each step in order_
  std::vector<Lane> lanes_;
  std::vector<Row> rows_;
};

}  // namespace

DagDrawing DrawDag(const std::vector<std::vector<std::int32_t>>& parents, bool utf8) {
  return Drawing(parents).Draw(utf8);
}

}  // namespace tasker::cli
