#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "workflow/template.h"

namespace tasker::workflow {

// The DAG of one template text, as indexes: step n is template.steps[n]. Immutable.
class Graph final {
 public:
  // So many ancestors, of all steps together, are kept: 4 MB.
  static constexpr std::size_t kKeptMax = 1'000'000;

  // The template has passed ParseTemplate: names resolve, there is no cycle.
  explicit Graph(const TaskTemplate& task_template);

  std::int32_t size() const { return static_cast<std::int32_t>(children_.size()); }
  const std::vector<std::int32_t>& Children(std::int32_t n) const {
    return children_[static_cast<std::size_t>(n)];
  }
  const std::vector<std::int32_t>& Parents(std::int32_t n) const {
    return parents_[static_cast<std::size_t>(n)];
  }
  const std::vector<std::int32_t>& Roots() const { return roots_; }
  // All transitive parents, ascending: what the step is given as dependencies. Computed once, if
  // those of all steps together are few enough (kKeptMax), else on each call.
  std::vector<std::int32_t> Ancestors(std::int32_t n) const;
  // The step's depth: 0 for roots, else 1 + its deepest parent's.
  std::int32_t Depth(std::int32_t n) const { return depth_[static_cast<std::size_t>(n)]; }

 private:
  void KeepAncestors(const std::vector<std::int32_t>& order);
  std::vector<std::int32_t> FindAncestors(std::int32_t n) const;

  std::vector<std::vector<std::int32_t>> children_;
  std::vector<std::vector<std::int32_t>> parents_;
  std::vector<std::int32_t> roots_;
  std::vector<std::int32_t> depth_;
  std::vector<std::vector<std::int32_t>> ancestors_;  // empty if they would be too many
};

}  // namespace tasker::workflow
