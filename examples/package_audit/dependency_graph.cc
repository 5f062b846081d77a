#include "package_audit/dependency_graph.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace package_audit {
namespace {

constexpr std::size_t kNodesPerPulse = 1024;
constexpr std::uint32_t kUnvisited = std::numeric_limits<std::uint32_t>::max();

double Share(std::size_t part, std::size_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

class Tarjan final {
 public:
  explicit Tarjan(const Graph& graph)
      : graph_(graph),
        order_(graph.size(), kUnvisited),
        low_(graph.size()),
        open_(graph.size(), false) {}

  std::vector<std::vector<std::uint32_t>> Run(const Pulse& pulse) {
    for (std::uint32_t root = 0; root < graph_.size(); ++root) {
      if (root % kNodesPerPulse == 0) pulse(Share(root, graph_.size()));
      if (order_[root] == kUnvisited) Search(root);
    }
    return std::move(components_);
  }

 private:
  struct Frame {
    std::uint32_t node;
    std::size_t next;  // the successor to look at next
  };

  void Search(std::uint32_t root) {
    Enter(root);
    while (!path_.empty()) {
      Frame& frame = path_.back();
      const std::uint32_t node = frame.node;
      if (frame.next < graph_[node].size()) {
        const std::uint32_t successor = graph_[node][frame.next++];
        if (order_[successor] == kUnvisited) {
          Enter(successor);  // invalidates frame
        } else if (open_[successor]) {
          low_[node] = std::min(low_[node], order_[successor]);
        }
        continue;
      }
      path_.pop_back();
      if (!path_.empty()) low_[path_.back().node] = std::min(low_[path_.back().node], low_[node]);
      if (low_[node] == order_[node]) Close(node);
    }
  }

  void Enter(std::uint32_t node) {
    order_[node] = low_[node] = visited_++;
    open_[node] = true;
    stack_.push_back(node);
    path_.push_back({node, 0});
  }

  // `node` is the first of its component that the search met: everything above it on the stack
  // belongs to it.
  void Close(std::uint32_t node) {
    std::vector<std::uint32_t>& component = components_.emplace_back();
    do {
      component.push_back(stack_.back());
      open_[stack_.back()] = false;
      stack_.pop_back();
    } while (component.back() != node);
  }

  const Graph& graph_;
  std::vector<std::uint32_t> order_;  // when the search met the node
  std::vector<std::uint32_t> low_;    // the earliest open node that it is known to reach
  std::vector<bool> open_;            // met, and its component is not closed yet
  std::vector<std::uint32_t> stack_;  // the open nodes
  std::vector<Frame> path_;           // from the root to the node looked at
  std::uint32_t visited_ = 0;
  std::vector<std::vector<std::uint32_t>> components_;
};

}  // namespace

Graph Reversed(const Graph& graph) {
  Graph reversed(graph.size());
  for (std::uint32_t node = 0; node < graph.size(); ++node) {
    for (const std::uint32_t successor : graph[node]) reversed[successor].push_back(node);
  }
  return reversed;
}

std::vector<std::vector<std::uint32_t>> StronglyConnectedComponents(const Graph& graph,
                                                                    const Pulse& pulse) {
  std::vector<std::vector<std::uint32_t>> components = Tarjan(graph).Run(pulse);
  for (auto& component : components) std::sort(component.begin(), component.end());
  std::sort(components.begin(), components.end(), [](const auto& a, const auto& b) {
    return a.size() != b.size() ? a.size() > b.size() : a.front() < b.front();
  });
  return components;
}

PageRanks PageRank(const Graph& graph, const Pulse& pulse, const PageRankLimits& limits) {
  PageRanks result;
  if (graph.empty()) return result;
  const double count = static_cast<double>(graph.size());
  result.ranks.assign(graph.size(), 1.0 / count);
  std::vector<double> next(graph.size());
  while (result.rounds < limits.rounds_max) {
    pulse(Share(static_cast<std::size_t>(result.rounds),
                static_cast<std::size_t>(limits.rounds_max)));
    double dangling = 0;
    for (std::size_t node = 0; node < graph.size(); ++node) {
      if (graph[node].empty()) dangling += result.ranks[node];
    }
    std::fill(next.begin(), next.end(), (1.0 - limits.damping + limits.damping * dangling) / count);
    for (std::size_t node = 0; node < graph.size(); ++node) {
      if (graph[node].empty()) continue;
      const double share =
          limits.damping * result.ranks[node] / static_cast<double>(graph[node].size());
      for (const std::uint32_t successor : graph[node]) next[successor] += share;
    }
    result.delta = 0;
    for (std::size_t node = 0; node < graph.size(); ++node)
      result.delta += std::abs(next[node] - result.ranks[node]);
    result.ranks.swap(next);
    ++result.rounds;
    if (result.delta < limits.delta_max) break;
  }
  return result;
}

std::vector<std::uint32_t> ReachableFrom(const Graph& graph,
                                         const std::vector<std::uint32_t>& sources,
                                         const Pulse& pulse) {
  std::vector<bool> seen(graph.size(), false);
  std::vector<std::uint32_t> queue = sources;
  for (const std::uint32_t source : sources) seen[source] = true;
  for (std::size_t i = 0; i < queue.size(); ++i) {
    if (i % kNodesPerPulse == 0) pulse(Share(i, graph.size()));
    for (const std::uint32_t successor : graph[queue[i]]) {
      if (seen[successor]) continue;
      seen[successor] = true;
      queue.push_back(successor);
    }
  }
  queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(sources.size()));
  std::sort(queue.begin(), queue.end());
  return queue;
}

}  // namespace package_audit
