#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "workflow/backoff.h"

namespace tasker::workflow {

// A task template as its YAML says (tasker-domain.md section 5, Tasker's own format). JSON-valued
// parts are kept as JSON text.

struct HandlerDefinition {
  std::string callable;  // 1 to 500 bytes; what a plugin registered, or what a resolver understands
  std::string method;    // empty: the handler's default entry point
  std::string resolver;  // empty: none named
  std::string initialization = "{}";  // a JSON object
};

struct StepDefinition {
  std::string name;  // unique in the template
  std::string description;
  HandlerDefinition handler;
  std::vector<std::string> dependencies;
  RetryPolicy retry;
  std::optional<std::int64_t> timeout_seconds;
  // From the start of an attempt; nothing: as long as it takes.
  std::optional<std::chrono::seconds> timeout() const {
    if (!timeout_seconds) return std::nullopt;
    return std::chrono::seconds(*timeout_seconds);
  }
  // The whole step as JSON with every default filled, as upstream's StepDefinition serialises.
  std::string definition;
};

struct TaskTemplate {
  std::string name;
  std::string namespace_name;
  std::string version;
  std::string description;
  std::optional<std::string> input_schema;  // JSON
  std::optional<std::int64_t> max_duration_minutes;
  std::vector<StepDefinition> steps;
  // Kept and shown, as JSON with every default filled.
  std::string metadata = "null";
  std::string system_dependencies = R"({"primary":"default","secondary":[]})";
  std::string domain_events = "[]";
  std::string environments = "{}";
  std::string lifecycle = "null";
};

// Something to tell the author that does not prevent the template from running.
struct TemplateWarning {
  int line = 0;  // 1-based
  std::string message;
};

struct ParsedTemplate {
  TaskTemplate task_template;
  std::vector<TemplateWarning> warnings;  // unknown keys with the nearest known one, by line
  // Keys kept and shown but without effect so far, each once, sorted.
  std::vector<std::string> no_effect;
};

struct TemplateLimits {
  std::size_t text_max_bytes = std::size_t{1} << 20;
  std::size_t steps_max = 100'000;
  int depth_max = 64;
};

// Reads one template. Errors are one sentence "SOURCE:LINE: what is wrong; what to write instead".
// With `strict`, an unknown key is such an error. Refused: YAML that does not parse, a wrong type
// or value, missing required keys, no steps, duplicate step names, a dependency that does not
// exist, a cycle (the error shows its path), types decision, deferred_convergence, batchable and
// batch_worker (a later release), aliases that would blow the text up.
Result<ParsedTemplate> ParseTemplate(std::string_view yaml, std::string_view source, bool strict,
                                     const TemplateLimits& limits = {});

// The whole template as JSON, every default filled, for `template show`, and for hydration of the
// task's row.
std::string TemplateToJson(const TaskTemplate& task_template);

}  // namespace tasker::workflow
