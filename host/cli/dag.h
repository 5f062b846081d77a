#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tasker::cli {

// One row of a drawn graph: a step's own, or one that joins or splits the lanes between two steps.
struct DagRow {
  std::string left,
      right;  // the lanes beside the place of the step's mark; a row without a step is all `left`
  std::optional<std::int32_t> step;  // whose mark goes between them

  bool operator==(const DagRow&) const = default;
};

struct DagDrawing {
  std::vector<DagRow> rows;
  std::size_t width = 0;  // columns; every row is padded to it
};

// Draws a DAG from top to bottom, each step in a row of its own, in their order where the edges
// allow that:
//
//   ✓          parse
//   ├─┬─╮
//   ✓ │ │      sizes
//   │ ✓ │      graph
//   │ │ ✓      names
//   ├─┴─╯
//   ✓          report
//
// A lane leads from a step, or from several with the same children, to its children. `parents[n]`
// are those of step n; there is no cycle.
DagDrawing DrawDag(const std::vector<std::vector<std::int32_t>>& parents, bool utf8);

}  // namespace tasker::cli
