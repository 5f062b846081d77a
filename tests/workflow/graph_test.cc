#include "workflow/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/support/workflow_builder.h"

namespace tasker::workflow {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Graph MakeGraph(const std::vector<std::vector<std::int32_t>>& parents) {
  return tasker::testing::BuildWorkflow(parents).graph;
}

TEST(Graph, KnowsParentsChildrenRootsAndDepths) {
  //  0 -> 1 -> 3 -> 4,  0 -> 2 -> 3,  5 alone
  const Graph graph = MakeGraph({{}, {0}, {0}, {1, 2}, {3}, {}});
  EXPECT_EQ(graph.size(), 6);
  EXPECT_THAT(graph.Roots(), ElementsAre(0, 5));
  EXPECT_THAT(graph.Children(0), ElementsAre(1, 2));
  EXPECT_THAT(graph.Children(4), IsEmpty());
  EXPECT_THAT(graph.Parents(3), ElementsAre(1, 2));
  EXPECT_EQ(graph.Depth(0), 0);
  EXPECT_EQ(graph.Depth(3), 2);
  EXPECT_EQ(graph.Depth(4), 3);
  EXPECT_EQ(graph.Depth(5), 0);
}

TEST(Graph, MeasuresDepthAlongTheLongestPath) {
  const Graph graph = MakeGraph({{}, {0}, {1}, {0, 2}});
  EXPECT_EQ(graph.Depth(3), 3);
}

TEST(Graph, GivesAllAncestorsOnceAscending) {
  const Graph graph = MakeGraph({{}, {0}, {0}, {1, 2}, {3}, {}});
  EXPECT_THAT(graph.Ancestors(0), IsEmpty());
  EXPECT_THAT(graph.Ancestors(3), ElementsAre(0, 1, 2));
  EXPECT_THAT(graph.Ancestors(4), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(graph.Ancestors(5), IsEmpty());
}

TEST(Graph, AcceptsStepsThatStandBeforeTheirParents) {
  const Graph graph = MakeGraph({{1}, {2}, {}});
  EXPECT_THAT(graph.Roots(), ElementsAre(2));
  EXPECT_THAT(graph.Ancestors(0), ElementsAre(1, 2));
  EXPECT_EQ(graph.Depth(0), 2);
}

// The straight way, to compare with.
std::set<std::int32_t> AncestorsByHand(const Graph& graph, std::int32_t n) {
  std::set<std::int32_t> found;
  std::vector<std::int32_t> open(graph.Parents(n));
  while (!open.empty()) {
    const std::int32_t at = open.back();
    open.pop_back();
    if (found.insert(at).second)
      open.insert(open.end(), graph.Parents(at).begin(), graph.Parents(at).end());
  }
  return found;
}

void ExpectAncestorsRight(const Graph& graph, std::int32_t n) {
  const std::set<std::int32_t> expected = AncestorsByHand(graph, n);
  EXPECT_EQ(graph.Ancestors(n), std::vector<std::int32_t>(expected.begin(), expected.end())) << n;
}

TEST(Graph, FindsAncestorsInAWideJoin) {
  std::vector<std::vector<std::int32_t>> parents(1002);
  for (std::int32_t n = 1; n <= 1000; ++n) {
    parents[static_cast<std::size_t>(n)] = {0};
    parents[1001].push_back(n);
  }
  const Graph graph = MakeGraph(parents);
  EXPECT_EQ(graph.Ancestors(1001).size(), 1001u);
  ExpectAncestorsRight(graph, 1000);
}

TEST(Graph, FindsAncestorsWhereTheyAreTooManyToKeep) {
  // A chain of 2000 steps has two million ancestors in all, above Graph::kKeptMax.
  constexpr std::int32_t kSteps = 2000;
  static_assert(std::size_t{kSteps} * (kSteps - 1) / 2 > Graph::kKeptMax);
  std::vector<std::vector<std::int32_t>> parents(kSteps);
  for (std::int32_t n = 1; n < kSteps; ++n) parents[static_cast<std::size_t>(n)] = {n - 1};
  const Graph graph = MakeGraph(parents);
  for (const std::int32_t n : {0, 1, 999, kSteps - 1}) ExpectAncestorsRight(graph, n);
}

TEST(Graph, FindsAncestorsInDenseLayers) {
  // 40 layers of 40, each step on the whole layer above.
  std::vector<std::vector<std::int32_t>> parents(1600);
  for (std::int32_t n = 40; n < 1600; ++n) {
    for (std::int32_t i = 0; i < 40; ++i)
      parents[static_cast<std::size_t>(n)].push_back((n / 40 - 1) * 40 + i);
  }
  const Graph graph = MakeGraph(parents);
  for (const std::int32_t n : {39, 40, 800, 1599}) ExpectAncestorsRight(graph, n);
}

}  // namespace
}  // namespace tasker::workflow
