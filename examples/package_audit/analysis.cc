#include "package_audit/analysis.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <numeric>
#include <utility>
#include <vector>

#include "package_audit/dependency_graph.h"
#include "package_audit/unusable_input.h"

namespace package_audit {
namespace {

namespace json = boost::json;

Graph ToGraph(const Inventory& inventory) {
  Graph graph;
  graph.reserve(inventory.packages.size());
  for (const Package& package : inventory.packages) graph.push_back(package.depends);
  return graph;
}

json::array Names(const Inventory& inventory, const std::vector<std::uint32_t>& nodes) {
  json::array names;
  names.reserve(nodes.size());
  for (const std::uint32_t node : nodes) names.emplace_back(inventory.packages[node].name);
  return names;
}

json::object CountAndNames(const Inventory& inventory, const std::vector<std::uint32_t>& nodes) {
  return {{"count", nodes.size()}, {"packages", Names(inventory, nodes)}};
}

// `pulse` for the part of a step between the progress `from` and `to`.
Pulse Part(const Pulse& pulse, double from, double to) {
  return [&pulse, from, to](double progress) { pulse(from + (to - from) * progress); };
}

}  // namespace

json::object SectionSizes(const Inventory& inventory) {
  struct Sum {
    std::uint64_t packages = 0;
    std::uint64_t kib = 0;
  };
  Sum total;
  std::map<std::string, Sum> sums;
  for (const Package& package : inventory.packages) {
    for (Sum* sum : {&total, &sums[package.section]}) {
      ++sum->packages;
      sum->kib += package.installed_kib;
    }
  }
  // The map is sorted by name already, and a stable sort keeps that order where sizes are equal.
  std::vector<std::pair<std::string, Sum>> sections(sums.begin(), sums.end());
  std::stable_sort(sections.begin(), sections.end(),
                   [](const auto& a, const auto& b) { return a.second.kib > b.second.kib; });
  json::array rows;
  for (const auto& [section, sum] : sections) {
    rows.push_back({{"section", section}, {"packages", sum.packages}, {"installed_kib", sum.kib}});
  }
  return {{"installed_kib", total.kib}, {"sections", std::move(rows)}};
}

json::object DependencyGraph(const Inventory& inventory, const Pulse& pulse) {
  const Graph graph = ToGraph(inventory);
  std::size_t edges = 0;
  for (const auto& successors : graph) edges += successors.size();

  const auto components = StronglyConnectedComponents(graph, Part(pulse, 0, 0.5));
  json::array cycles;
  for (const auto& component : components) {
    if (component.size() > 1) cycles.push_back(Names(inventory, component));
  }

  const PageRankLimits limits;
  const PageRanks ranked = PageRank(graph, Part(pulse, 0.5, 1), limits);
  std::vector<std::uint32_t> order(graph.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&ranked](std::uint32_t a, std::uint32_t b) {
    return ranked.ranks[a] > ranked.ranks[b];
  });
  json::array ranks;
  for (const std::uint32_t node : order) {
    ranks.push_back({{"package", inventory.packages[node].name}, {"rank", ranked.ranks[node]}});
  }
  return {{"packages", graph.size()},
          {"edges", edges},
          {"components", components.size()},
          {"cycles", std::move(cycles)},
          {"page_rank",
           {{"damping", limits.damping},
            {"rounds", ranked.rounds},
            {"delta", ranked.delta},
            {"ranks", std::move(ranks)}}}};
}

json::object ReverseDependencies(const Inventory& inventory, const std::string& package,
                                 const Pulse& pulse) {
  std::vector<std::uint32_t> targets;
  for (std::uint32_t i = 0; i < inventory.packages.size(); ++i) {
    const std::string& name = inventory.packages[i].name;
    if (name == package || name.substr(0, name.find(':')) == package) targets.push_back(i);
  }
  if (targets.empty()) {
    throw UnusableInput("the package " + package + " is not installed according to " +
                        inventory.status_file +
                        "; name an installed one as \"package\" in the task's context");
  }
  const Graph dependers = Reversed(ToGraph(inventory));
  std::vector<std::uint32_t> direct;
  for (const std::uint32_t target : targets) {
    direct.insert(direct.end(), dependers[target].begin(), dependers[target].end());
  }
  std::sort(direct.begin(), direct.end());
  direct.erase(std::unique(direct.begin(), direct.end()), direct.end());
  const auto is_target = [&targets](std::uint32_t node) {
    return std::binary_search(targets.begin(), targets.end(), node);
  };
  direct.erase(std::remove_if(direct.begin(), direct.end(), is_target), direct.end());
  return {{"package", package},
          {"direct", CountAndNames(inventory, direct)},
          {"transitive", CountAndNames(inventory, ReachableFrom(dependers, targets, pulse))}};
}

json::object Maintainers(const Inventory& inventory) {
  std::map<std::string, std::uint64_t> counts;
  for (const Package& package : inventory.packages) ++counts[package.maintainer];
  std::vector<std::pair<std::string, std::uint64_t>> maintainers(counts.begin(), counts.end());
  std::stable_sort(maintainers.begin(), maintainers.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  json::array rows;
  for (const auto& [maintainer, packages] : maintainers) {
    rows.push_back({{"maintainer", maintainer}, {"packages", packages}});
  }
  return {{"maintainers", std::move(rows)}};
}

}  // namespace package_audit
