#include "workflow/graph.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/check.h"

namespace tasker::workflow {

Graph::Graph(const TaskTemplate& task_template)
    : children_(task_template.steps.size()),
      parents_(task_template.steps.size()),
      depth_(task_template.steps.size()) {
  std::unordered_map<std::string_view, std::int32_t> index;
  for (std::int32_t n = 0; n < size(); ++n) {
    index.emplace(task_template.steps[static_cast<std::size_t>(n)].name, n);
  }
  std::vector<std::size_t> open(children_.size());
  std::vector<std::int32_t> order;
  for (std::int32_t n = 0; n < size(); ++n) {
    const auto at = static_cast<std::size_t>(n);
    for (const std::string& dependency : task_template.steps[at].dependencies) {
      const auto parent = index.find(dependency);
      CHECK(parent != index.end());
      parents_[at].push_back(parent->second);
      children_[static_cast<std::size_t>(parent->second)].push_back(n);
    }
    open[at] = parents_[at].size();
    if (open[at] == 0) roots_.push_back(n);
  }
  order = roots_;
  for (std::size_t i = 0; i < order.size(); ++i) {
    for (const std::int32_t child : Children(order[i])) {
      auto& depth = depth_[static_cast<std::size_t>(child)];
      depth = std::max(depth, Depth(order[i]) + 1);
      if (--open[static_cast<std::size_t>(child)] == 0) order.push_back(child);
    }
  }
  CHECK(order.size() == children_.size());
  KeepAncestors(order);
}

void Graph::KeepAncestors(const std::vector<std::int32_t>& order) {
  // Looking at an ancestor that is found already costs as much as finding one.
  constexpr std::size_t kLooksMax = 16 * kKeptMax;
  std::size_t kept = 0;
  std::size_t looks = 0;
  std::vector<std::int32_t> seen_by(children_.size(), -1);
  ancestors_.resize(children_.size());
  for (const std::int32_t n : order) {
    std::vector<std::int32_t>& own = ancestors_[static_cast<std::size_t>(n)];
    const auto add = [&](std::int32_t ancestor) {
      if (std::exchange(seen_by[static_cast<std::size_t>(ancestor)], n) != n)
        own.push_back(ancestor);
    };
    for (const std::int32_t parent : Parents(n)) {
      const std::vector<std::int32_t>& above = ancestors_[static_cast<std::size_t>(parent)];
      looks += above.size() + 1;
      if (looks > kLooksMax) break;
      add(parent);
      std::ranges::for_each(above, add);
    }
    kept += own.size();
    if (kept > kKeptMax || looks > kLooksMax) {
      ancestors_.clear();
      ancestors_.shrink_to_fit();
      return;
    }
    std::ranges::sort(own);
    own.shrink_to_fit();
  }
}

std::vector<std::int32_t> Graph::Ancestors(std::int32_t n) const {
  return ancestors_.empty() ? FindAncestors(n) : ancestors_[static_cast<std::size_t>(n)];
}

std::vector<std::int32_t> Graph::FindAncestors(std::int32_t n) const {
  std::vector<bool> seen(children_.size());
  std::vector<std::int32_t> found;
  std::vector<std::int32_t> stack(Parents(n));
  while (!stack.empty()) {
    const std::int32_t at = stack.back();
    stack.pop_back();
    if (seen[static_cast<std::size_t>(at)]) continue;
    seen[static_cast<std::size_t>(at)] = true;
    found.push_back(at);
    stack.insert(stack.end(), Parents(at).begin(), Parents(at).end());
  }
  std::ranges::sort(found);
  return found;
}

}  // namespace tasker::workflow
