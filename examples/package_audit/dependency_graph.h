#pragma once

#include <cstdint>
#include <vector>

#include "package_audit/pulse.h"

namespace package_audit {

// A directed graph of the nodes 0..size()-1: graph[n] are the successors of n, ascending and
// without duplicates. Here an edge leads from a package to one that it depends on.
using Graph = std::vector<std::vector<std::uint32_t>>;

// The same graph with every edge turned round.
Graph Reversed(const Graph& graph);

// The strongly connected components: sets of nodes that all reach each other. Every node is in
// exactly one; a component of more than one is a dependency cycle. Members ascend; the largest
// component is first, of equal ones that with the smallest member. Tarjan's algorithm with a stack
// of its own: recursion would be as deep as the longest chain of dependencies.
std::vector<std::vector<std::uint32_t>> StronglyConnectedComponents(const Graph& graph,
                                                                    const Pulse& pulse);

struct PageRankLimits {
  double damping = 0.85;
  double delta_max = 1e-10;  // stop when the ranks together changed less than this in a round
  int rounds_max = 200;
};

struct PageRanks {
  std::vector<double> ranks;  // one a node; they add up to 1
  int rounds = 0;
  double delta = 0;  // of the last round: the sum of all changes
};

// PageRank by power iteration. Rank flows along the edges, so packages that much depends on rank
// high. What nodes without successors hold is spread over all nodes.
PageRanks PageRank(const Graph& graph, const Pulse& pulse, const PageRankLimits& limits = {});

// Every node that a path leads to from one of `sources`, without the sources themselves; ascending.
std::vector<std::uint32_t> ReachableFrom(const Graph& graph,
                                         const std::vector<std::uint32_t>& sources,
                                         const Pulse& pulse);

}  // namespace package_audit
