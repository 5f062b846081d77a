#include "cli/dag.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tasker::cli {
namespace {

using Parents = std::vector<std::vector<std::int32_t>>;

// The drawing with a step's number beside its mark.
std::string Drawn(const Parents& parents, bool utf8 = true) {
  std::string text;
  for (const DagRow& row : DrawDag(parents, utf8).rows) {
    text += row.left;
    if (row.step) text += "*" + row.right + " " + std::to_string(*row.step);
    text.erase(text.find_last_not_of(' ') + 1);
    text += "\n";
  }
  return text;
}

TEST(Dag, DrawsAChainWithoutLines) { EXPECT_EQ(Drawn({{}, {0}, {1}}), "* 0\n* 1\n* 2\n"); }

TEST(Dag, DrawsWhatRunsInParallelSideBySide) {
  // The shape of examples/package_audit.
  const Parents audit = {{}, {0}, {0}, {0}, {0}, {1, 2, 3, 4}};
  EXPECT_EQ(Drawn(audit),
            "*       0\n"
            "├─┬─┬─╮\n"
            "* │ │ │ 1\n"
            "│ * │ │ 2\n"
            "│ │ * │ 3\n"
            "│ │ │ * 4\n"
            "├─┴─┴─╯\n"
            "*       5\n");
  EXPECT_EQ(Drawn(audit, false),
            "*       0\n"
            "+-+-+-.\n"
            "* | | | 1\n"
            "| * | | 2\n"
            "| | * | 3\n"
            "| | | * 4\n"
            "+-+-+-'\n"
            "*       5\n");
}

TEST(Dag, DrawsAnEdgePastAStep) {
  EXPECT_EQ(Drawn({{}, {0}, {0, 1}}),
            "*   0\n"
            "├─╮\n"
            "* │ 1\n"
            "├─╯\n"
            "*   2\n");
}

TEST(Dag, JoinsStepsWithTheSameChildrenIntoOneLane) {
  EXPECT_EQ(Drawn({{}, {}, {0, 1}, {0, 1}}),
            "*   0\n"
            "│ * 1\n"
            "├─╯\n"
            "├─╮\n"
            "* │ 2\n"
            "  * 3\n");
}

TEST(Dag, ReusesTheLanesOfStepsWithoutChildren) {
  EXPECT_EQ(DrawDag({{}, {}, {}, {}}, true).width, 1U);
}

TEST(Dag, CrossesALaneThatLeadsElsewhere) {
  EXPECT_EQ(Drawn({{}, {}, {0}, {0}, {1, 2}}),
            "*     0\n"
            "│ *   1\n"
            "├─│─╮\n"
            "* │ │ 2\n"
            "│ │ * 3\n"
            "├─╯\n"
            "*     4\n");
}

TEST(Dag, PutsParentsFirstWhateverTheirNumbers) {
  EXPECT_EQ(Drawn({{1}, {2}, {}}), "* 2\n* 1\n* 0\n");
}

TEST(Dag, PadsEveryRowToTheSameWidth) {
  const DagDrawing drawing = DrawDag({{}, {0}, {0}, {1}, {2}, {3, 4}}, false);
  for (const DagRow& row : drawing.rows) {
    EXPECT_EQ(row.left.size() + row.right.size() + (row.step ? 1 : 0), drawing.width);
  }
}

TEST(Dag, DrawsNothingOfNothing) { EXPECT_TRUE(DrawDag({}, true).rows.empty()); }

}  // namespace
}  // namespace tasker::cli
