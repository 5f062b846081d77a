#include "workflow/template_step.h"

#include <algorithm>
#include <utility>

#include "workflow/template_json.h"

namespace tasker::workflow {
namespace {

constexpr std::size_t kNameMax = 255;
constexpr std::size_t kCallableMax = 500;
constexpr std::size_t kDescriptionMax = 10'000;
constexpr std::int64_t kBackoffMaxMs = 3'600'000;       // an hour
constexpr std::int64_t kTimeoutMaxSeconds = 2'592'000;  // 30 days

std::string_view Name(RetryPolicy::Backoff backoff) {
  switch (backoff) {
    case RetryPolicy::Backoff::kNone:
      return "none";
    case RetryPolicy::Backoff::kLinear:
      return "linear";
    case RetryPolicy::Backoff::kExponential:
      return "exponential";
    case RetryPolicy::Backoff::kFibonacci:
      return "fibonacci";
  }
  return "exponential";
}

RetryPolicy::Backoff BackoffNamed(std::string_view name) {
  using Backoff = RetryPolicy::Backoff;
  for (const Backoff backoff : {Backoff::kNone, Backoff::kLinear, Backoff::kFibonacci}) {
    if (Name(backoff) == name) return backoff;
  }
  return Backoff::kExponential;
}

Result<RetryPolicy> ReadRetry(Reading& reading, const YamlNode* node, const std::string& owner) {
  RetryPolicy policy;
  if (node == nullptr) {
    policy.base_ms = 1000;
    return policy;
  }
  TRY(const Fields retry,
      Fields::Of(reading, *node, "the retry of " + owner,
                 {"retryable", "max_attempts", "backoff", "backoff_base_ms", "max_backoff_ms"}));
  TRY(const auto retryable, retry.Boolean("retryable"));
  TRY(const auto max_attempts, retry.Integer("max_attempts", 0, 100));
  TRY(const std::string backoff,
      retry.OneOf("backoff", {"exponential", "none", "linear", "fibonacci"}));
  TRY(policy.base_ms, retry.Integer("backoff_base_ms", 0, kBackoffMaxMs));
  TRY(const auto max_ms, retry.Integer("max_backoff_ms", 0, kBackoffMaxMs));
  policy.retryable = retryable.value_or(policy.retryable);
  policy.max_attempts = static_cast<std::int32_t>(max_attempts.value_or(policy.max_attempts));
  policy.backoff = BackoffNamed(backoff);
  policy.max_ms = max_ms.value_or(policy.max_ms);
  return policy;
}

std::string RetryJson(const RetryPolicy& policy) {
  return JsonObject()
      .Add("retryable", policy.retryable ? "true" : "false")
      .Add("max_attempts", std::to_string(policy.max_attempts))
      .AddText("backoff", Name(policy.backoff))
      .Add("backoff_base_ms", JsonOrNull(policy.base_ms))
      .Add("max_backoff_ms", std::to_string(policy.max_ms))
      .Take();
}

Result<HandlerDefinition> ReadHandler(Reading& reading, const Fields& step) {
  const YamlNode* node = step.Find("handler");
  if (node == nullptr) return step.Missing("handler", "{callable: NAME}");
  TRY(const Fields fields, Fields::Of(reading, *node, "the handler of " + step.what(),
                                      {"callable", "method", "resolver", "initialization"}));
  HandlerDefinition handler;
  TRY(handler.callable, fields.RequiredText("callable", kCallableMax));
  TRY(auto method, fields.Text("method", kNameMax));
  TRY(auto resolver, fields.Text("resolver", kNameMax));
  TRY_OK(fields.Map("initialization"));
  TRY(auto initialization, fields.Json("initialization"));
  handler.method = std::move(method).value_or("");
  handler.resolver = std::move(resolver).value_or("");
  handler.initialization = std::move(initialization).value_or("{}");
  return handler;
}

std::string TextOrNull(const std::string& text) { return text.empty() ? "null" : JsonString(text); }

std::string HandlerJson(const HandlerDefinition& handler) {
  return JsonObject()
      .AddText("callable", handler.callable)
      .Add("method", TextOrNull(handler.method))
      .Add("resolver", TextOrNull(handler.resolver))
      .Add("initialization", handler.initialization)
      .Take();
}

// Null: this version runs the type.
Status CheckType(const Reading& reading, const Fields& step) {
  TRY(const YamlNode* type, step.FindAlias("type", "step_type"));
  if (type == nullptr || (type->kind == YamlNode::Kind::kScalar && type->text == "standard"))
    return Ok();
  for (const std::string_view later :
       {"decision", "deferred_convergence", "batchable", "batch_worker"}) {
    if (type->kind != YamlNode::Kind::kScalar || type->text != later) continue;
    return reading.At(
        type->line,
        step.what() + " is of the type " + std::string(later) +
            ", which this version does not run; make it standard, or wait for a later release");
  }
  return step.Wrong(*type, "type", "standard");
}

Result<std::string> ReadEvents(Reading& reading, const Fields& step) {
  TRY(const YamlNode* list, step.List("publishes_events"));
  JsonArray out;
  if (list == nullptr) return out.Take();
  for (const YamlNode* item : list->items) {
    TRY(const Fields event,
        Fields::Of(reading, *item, "an event of " + step.what(),
                   {"name", "description", "condition", "schema", "delivery_mode", "publisher"}));
    TRY(const std::string name, event.RequiredText("name", kNameMax));
    if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.") != name.npos) {
      return event.Wrong(*event.Find("name"), "name",
                         "small letters, digits, _ and . only, as in order.paid");
    }
    TRY(const auto description, event.Text("description", kDescriptionMax));
    TRY(const std::string condition,
        event.OneOf("condition",
                    {"success", "failure", "retryable_failure", "permanent_failure", "always"}));
    TRY(const auto schema, event.Json("schema"));
    if (!schema) return event.Missing("schema", "{type: object}");
    TRY(const std::string delivery, event.OneOf("delivery_mode", {"durable", "fast", "broadcast"}));
    TRY(const auto publisher, event.Text("publisher", kNameMax));
    out.Add(JsonObject()
                .AddText("name", name)
                .Add("description", JsonOrNull(description))
                .AddText("condition", condition)
                .Add("schema", *schema)
                .AddText("delivery_mode", delivery)
                .Add("publisher", JsonOrNull(publisher))
                .Take());
  }
  if (!list->items.empty()) reading.no_effect.insert("publishes_events");
  return out.Take();
}

Result<std::string> ReadBatchConfig(Reading& reading, const Fields& step) {
  const YamlNode* node = step.Find("batch_config");
  if (node == nullptr) return std::string("null");
  reading.no_effect.insert("batch_config");
  TRY(const Fields batch, Fields::Of(reading, *node, "the batch_config of " + step.what(),
                                     {"batch_size", "parallelism", "cursor_field",
                                      "worker_template", "failure_strategy"}));
  TRY(const auto size, batch.Integer("batch_size", 1, 100'000));
  if (!size) return batch.Missing("batch_size", "1000");
  TRY(const auto parallelism, batch.Integer("parallelism", 1, 1000));
  if (!parallelism) return batch.Missing("parallelism", "10");
  TRY(const std::string cursor, batch.RequiredText("cursor_field", kNameMax));
  TRY(const std::string worker, batch.RequiredText("worker_template", kNameMax));
  TRY(const std::string strategy,
      batch.OneOf("failure_strategy", {"continue_on_failure", "fail_fast", "isolate"}));
  return JsonObject()
      .Add("batch_size", std::to_string(*size))
      .Add("parallelism", std::to_string(*parallelism))
      .AddText("cursor_field", cursor)
      .AddText("worker_template", worker)
      .AddText("failure_strategy", strategy)
      .Take();
}

// The parts of a step that only its JSON holds, in upstream's order behind `retry`.
Status AddRest(Reading& reading, const Fields& fields, const StepDefinition& step,
               JsonObject& out) {
  TRY(const std::string events, ReadEvents(reading, fields));
  TRY(const std::string batch, ReadBatchConfig(reading, fields));
  TRY(const auto result_schema, fields.Json("result_schema"));
  TRY(const auto composition, fields.Json("composition"));
  out.Add("timeout_seconds", JsonOrNull(step.timeout_seconds))
      .Add("publishes_events", events)
      .Add("batch_config", batch);
  if (result_schema) {
    out.Add("result_schema", *result_schema);
    reading.no_effect.insert("result_schema");
  }
  if (composition) {
    out.Add("composition", *composition);
    reading.no_effect.insert("composition");
  }
  return Ok();
}

// How messages name a step: by its name, or by its place if that cannot be read.
std::string StepNoun(const YamlNode& node, std::size_t position) {
  for (const YamlNode::Entry& entry : node.entries) {
    if (entry.key == "name" && entry.value->kind == YamlNode::Kind::kScalar &&
        !entry.value->text.empty()) {
      return "step " + Quoted(entry.value->text);
    }
  }
  return "step number " + std::to_string(position + 1);
}

Result<std::string> ReadOverride(Reading& reading, const YamlNode& node,
                                 const std::string& environment) {
  const std::string what = "a step of the environment " + Quoted(environment);
  TRY(const Fields fields,
      Fields::Of(reading, node, what, {"name", "handler", "timeout_seconds", "retry"}));
  TRY(const std::string name, fields.RequiredText("name", kNameMax));
  std::string handler = "null";
  if (const YamlNode* part = fields.Find("handler")) {
    TRY(const Fields handler_fields,
        Fields::Of(reading, *part, "the handler of " + what, {"initialization"}));
    TRY_OK(handler_fields.Map("initialization"));
    TRY(auto initialization, handler_fields.Json("initialization"));
    handler = JsonObject().Add("initialization", std::move(initialization).value_or("null")).Take();
  }
  TRY(const auto timeout, fields.Integer("timeout_seconds", 1, kTimeoutMaxSeconds));
  std::string retry = "null";
  if (const YamlNode* part = fields.Find("retry")) {
    TRY(const RetryPolicy policy, ReadRetry(reading, part, what));
    retry = RetryJson(policy);
  }
  return JsonObject()
      .AddText("name", name)
      .Add("handler", handler)
      .Add("timeout_seconds", JsonOrNull(timeout))
      .Add("retry", retry)
      .Take();
}

}  // namespace

Result<StepDefinition> ReadStep(Reading& reading, const YamlNode& node, std::size_t position) {
  TRY(const Fields fields,
      Fields::Of(reading, node, StepNoun(node, position),
                 {"name", "description", "handler", "type", "step_type", "system_dependency",
                  "dependencies", "depends_on", "retry", "timeout_seconds", "publishes_events",
                  "batch_config", "result_schema", "composition"}));
  StepDefinition step;
  TRY(step.name, fields.RequiredText("name", kNameMax));
  TRY(auto description, fields.Text("description", kDescriptionMax));
  step.description = std::move(description).value_or("");
  TRY(step.handler, ReadHandler(reading, fields));
  TRY_OK(CheckType(reading, fields));
  TRY(const auto system, fields.Text("system_dependency", kNameMax));
  if (system) reading.no_effect.insert("system_dependency");
  TRY(const YamlNode* dependencies, fields.FindAlias("dependencies", "depends_on"));
  if (dependencies != nullptr) {
    TRY(step.dependencies, TextsOf(fields, *dependencies, "dependencies"));
  }
  TRY(step.retry, ReadRetry(reading, fields.Find("retry"), fields.what()));
  TRY(step.timeout_seconds, fields.Integer("timeout_seconds", 1, kTimeoutMaxSeconds));

  JsonArray parents;
  for (const std::string& dependency : step.dependencies) parents.Add(JsonString(dependency));
  JsonObject definition;
  definition.AddText("name", step.name)
      .Add("description", TextOrNull(step.description))
      .Add("handler", HandlerJson(step.handler))
      .AddText("type", "standard")
      .Add("system_dependency", JsonOrNull(system))
      .Add("dependencies", parents.Take())
      .Add("retry", RetryJson(step.retry));
  TRY_OK(AddRest(reading, fields, step, definition));
  step.definition = definition.Take();
  return step;
}

Result<std::string> ReadEnvironments(Reading& reading, const YamlNode& node) {
  JsonObject out;
  for (const YamlNode::Entry& environment : node.entries) {
    TRY(const Fields fields, Fields::Of(reading, *environment.value,
                                        "the environment " + Quoted(environment.key), {"steps"}));
    TRY(const YamlNode* list, fields.List("steps"));
    JsonArray steps;
    if (list != nullptr) {
      for (const YamlNode* item : list->items) {
        TRY(const std::string step, ReadOverride(reading, *item, environment.key));
        steps.Add(step);
      }
    }
    out.Add(environment.key, JsonObject().Add("steps", steps.Take()).Take());
  }
  return out.Take();
}

}  // namespace tasker::workflow
