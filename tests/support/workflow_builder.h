#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "workflow/decide.h"

namespace tasker::testing {

// A workflow for tests, without YAML: step n is named "s<n>", has the handler 100 + n, and depends
// on the steps listed.
inline workflow::Workflow BuildWorkflow(const std::vector<std::vector<std::int32_t>>& parents,
                                        const workflow::RetryPolicy& retry = {}) {
  workflow::TaskTemplate definition;
  definition.name = "flow";
  definition.namespace_name = "tests";
  definition.version = "1.0.0";
  std::vector<std::int64_t> handlers;
  for (const std::vector<std::int32_t>& of_step : parents) {
    workflow::StepDefinition step;
    step.name = "s" + std::to_string(definition.steps.size());
    step.handler.callable = "handler_" + std::to_string(definition.steps.size());
    for (const std::int32_t parent : of_step)
      step.dependencies.push_back("s" + std::to_string(parent));
    step.retry = retry;
    handlers.push_back(100 + static_cast<std::int64_t>(definition.steps.size()));
    definition.steps.push_back(std::move(step));
  }
  workflow::Graph graph(definition);
  return {.id = 7,
          .definition = std::move(definition),
          .graph = std::move(graph),
          .handlers = std::move(handlers)};
}

}  // namespace tasker::testing
