#include "workflow/template_check.h"

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <unordered_set>

namespace tasker::workflow {
namespace {

constexpr std::size_t kCycleShown = 12;         // steps of a cycle that its message names
constexpr std::size_t kSuggestAmongMax = 1000;  // steps that a misspelt dependency is compared with

using Index = std::unordered_map<std::string_view, std::size_t>;

Result<Index> IndexByName(const Reading& reading, const std::vector<StepDefinition>& steps,
                          const std::vector<int>& lines) {
  Index index;
  for (std::size_t n = 0; n < steps.size(); ++n) {
    const auto [first, fresh] = index.emplace(steps[n].name, n);
    if (!fresh) {
      return reading.At(lines[n], "step " + Quoted(steps[n].name) + " exists already, in line " +
                                      std::to_string(lines[first->second]) +
                                      "; give this one another name");
    }
  }
  return index;
}

Error UnknownDependency(const Reading& reading, const Index& index, const StepDefinition& step,
                        int line, const std::string& dependency) {
  std::vector<std::string_view> names;
  if (index.size() <= kSuggestAmongMax) {
    for (const auto& [name, n] : index) names.push_back(name);
    std::ranges::sort(names);
  }
  const std::string_view nearest = NearestOf(dependency, names);
  return reading.At(line,
                    "step " + Quoted(step.name) + " depends on " + Quoted(dependency) +
                        ", which is no step of this template; " +
                        (nearest.empty() ? std::string("add that step, or remove the dependency")
                                         : "did you mean " + std::string(nearest) + "?"));
}

Status CheckDependencies(Reading& reading, const Index& index, StepDefinition& step, int line) {
  std::unordered_set<std::string_view> seen;
  std::vector<std::string> kept;
  for (const std::string& dependency : step.dependencies) {
    if (!index.contains(dependency))
      return UnknownDependency(reading, index, step, line, dependency);
    if (seen.insert(dependency).second) {
      kept.push_back(dependency);
    } else {
      TRY_OK(reading.Warn(line, "step " + Quoted(step.name) + " names its dependency " +
                                    Quoted(dependency) + " twice; once is enough"));
    }
  }
  step.dependencies = std::move(kept);
  return Ok();
}

// The path of a cycle, in the order of the dependencies. Each of `left` has a parent in it.
std::string CyclePath(const std::vector<StepDefinition>& steps, const Index& index,
                      const std::vector<std::size_t>& open, std::size_t start,
                      std::size_t& member) {
  std::vector<std::size_t> path;
  std::unordered_map<std::size_t, std::size_t> at;
  std::size_t n = start;
  while (at.emplace(n, path.size()).second) {
    path.push_back(n);
    const auto& parents = steps[n].dependencies;
    n = index.at(*std::ranges::find_if(
        parents, [&](const std::string& p) { return open[index.at(p)] != 0; }));
  }
  path.erase(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(at.at(n)));
  std::rotate(path.begin(), std::min_element(path.begin(), path.end()), path.end());
  member = path.front();
  std::string text;
  for (std::size_t i = 0; i < std::min(path.size(), kCycleShown); ++i)
    text += steps[path[i]].name + " needs ";
  if (path.size() > kCycleShown) text += "... needs ";
  return text + steps[path.front()].name;
}

Status CheckCycles(const Reading& reading, const std::vector<StepDefinition>& steps,
                   const Index& index, const std::vector<int>& lines) {
  std::vector<std::vector<std::size_t>> children(steps.size());
  std::vector<std::size_t> open(steps.size());  // parents not reached yet
  std::vector<std::size_t> order;
  for (std::size_t n = 0; n < steps.size(); ++n) {
    for (const std::string& dependency : steps[n].dependencies)
      children[index.at(dependency)].push_back(n);
    open[n] = steps[n].dependencies.size();
    if (open[n] == 0) order.push_back(n);
  }
  for (std::size_t i = 0; i < order.size(); ++i) {
    for (const std::size_t child : children[order[i]]) {
      if (--open[child] == 0) order.push_back(child);
    }
  }
  if (order.size() == steps.size()) return Ok();
  const auto start = std::ranges::find_if(open, [](std::size_t count) { return count != 0; });
  std::size_t member = 0;
  const std::string path =
      CyclePath(steps, index, open, static_cast<std::size_t>(start - open.begin()), member);
  return reading.At(lines[member], "these steps wait for each other: " + path +
                                       "; remove one of these dependencies");
}

}  // namespace

Status CheckSteps(Reading& reading, std::vector<StepDefinition>& steps,
                  const std::vector<int>& lines) {
  TRY(const Index index, IndexByName(reading, steps, lines));
  for (std::size_t n = 0; n < steps.size(); ++n)
    TRY_OK(CheckDependencies(reading, index, steps[n], lines[n]));
  return CheckCycles(reading, steps, index, lines);
}

}  // namespace tasker::workflow
