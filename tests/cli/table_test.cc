#include "cli/table.h"

#include <gtest/gtest.h>

#include <string>

namespace tasker::cli {
namespace {

TEST(Table, AlignsColumnsByCharacters) {
  Table table({"STEP", "N"});
  table.Add({"größe", "1"});
  table.Add({"a", "22"});
  EXPECT_EQ(table.Text({.utf8 = true}),
            "STEP   N\n"
            "größe  1\n"
            "a      22\n");
}

TEST(Table, LeavesOutColumnsThatAreEmpty) {
  Table table({"A", "B", "C"});
  table.Add({"1", "", "3"});
  table.Add({"x", "", ""});
  EXPECT_EQ(table.Text({}),
            "A  C\n"
            "1  3\n"
            "x\n");
}

TEST(Table, CutsTheLastColumnAtTheWidth) {
  Table table({"A", "NOTE"});
  table.Add({"1234", "abcdefghij"});
  EXPECT_EQ(table.Text({.width = 12}),
            "A     NOTE\n"
            "1234  abc...\n");
}

TEST(Table, PaintsWithoutMovingColumns) {
  Table table({"A", "B"});
  table.Add({Cell("x", Colour::kRed), "1"});
  EXPECT_EQ(table.Lines({.colour = true}).at(1), "\x1b[31mx\x1b[0m  1");
}

TEST(Table, LetsNoTextMoveTheCursor) {
  Table table({"A"});
  table.Add({"x\x1b[1A\ny"});
  EXPECT_EQ(table.Lines({}).at(1), "x [1A y");
}

}  // namespace
}  // namespace tasker::cli
