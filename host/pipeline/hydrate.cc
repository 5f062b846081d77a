#include "pipeline/hydrate.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "pipeline/envelope.h"
#include "pipeline/timestamps.h"
#include "workflow/identity.h"
#include "workflow/template_json.h"

namespace tasker::pipeline {
namespace {

// Beyond these the texts are computed anew: they are small beside what a worker normally sees.
constexpr std::size_t kWorkflowsKnownMax = 256;
constexpr std::size_t kTextsKnownMax = 200'000;

const workflow::StepDefinition& DefinitionOf(const workflow::Workflow& workflow,
                                             std::int32_t template_step) {
  return workflow.definition.steps[static_cast<std::size_t>(template_step)];
}

// A runtime that speaks Tasker's own metadata begins it with execution_time_ms (plugin.h); what any
// other handler says of itself is its custom metadata.
void AppendMetadata(std::string_view metadata, std::string& out) {
  if (metadata.starts_with("{\"execution_time_ms\":")) {
    out += ',';
    out += metadata.substr(1, metadata.rfind('}') - 1);
    return;
  }
  out += ",\"custom\":";
  out += metadata.empty() ? std::string_view("{}") : metadata;
}

std::string DependenciesJson(const Uuid& task, const StepTexts& texts,
                             const std::vector<store::HydratedDependency>& dependencies) {
  constexpr std::size_t kEntryBytes = 192;
  std::size_t bytes = 2;
  for (const auto& dependency : dependencies) {
    bytes += kEntryBytes + dependency.result.size() + dependency.metadata.size();
  }
  std::string out;
  out.reserve(bytes);
  out += '{';
  for (const auto& dependency : dependencies) {
    const auto ancestor = std::ranges::lower_bound(texts.ancestors, dependency.n);
    CHECK(ancestor != texts.ancestors.end() && *ancestor == dependency.n);
    if (out.size() > 1) out += ',';
    out += texts.dependency_heads[static_cast<std::size_t>(ancestor - texts.ancestors.begin())];
    out += workflow::StepUuid(task, dependency.n).ToString();
    out += "\",\"success\":true,\"result\":";
    out += dependency.result;
    out += ",\"status\":\"completed\",\"metadata\":{\"retryable\":false,\"completed_at\":\"";
    AppendTimestamp(dependency.ended, out);
    out += "Z\"";
    AppendMetadata(dependency.metadata, out);
    out += "}}";
  }
  out += '}';
  return out;
}

std::string TaskRowJson(const store::Claimed& claimed, const StepTexts& texts,
                        const std::string& task_uuid, const EnvelopeRow& asked) {
  std::string created;
  AppendTimestamp(claimed.created, created);
  std::string out = "{\"task_uuid\":\"";
  out.append(task_uuid).append(texts.task_row_middle);
  out.append(asked.requested_at.empty() ? created : asked.requested_at);
  out.append("\",").append(asked.who).append(",\"tags\":").append(asked.tags);
  out.append(",\"identity_hash\":null,\"priority\":").append(std::to_string(claimed.priority));
  out.append(",\"created_at\":\"").append(created);
  out += "\",\"updated_at\":\"";
  AppendTimestamp(claimed.claimed, out);
  out.append("\",\"correlation_id\":\"");
  out.append(asked.correlation ? asked.correlation->ToString() : task_uuid);
  out += "\",\"parent_correlation_id\":";
  out += asked.parent_correlation ? '"' + asked.parent_correlation->ToString() + "\"}" : "null}";
  return out;
}

std::string StepRowJson(const store::Claimed& claimed, const StepTexts& texts,
                        const std::string& task_uuid, const std::string& step_uuid,
                        const std::optional<Time>& last_attempt) {
  std::string out = "{\"workflow_step_uuid\":\"";
  out.append(step_uuid)
      .append("\",\"task_uuid\":\"")
      .append(task_uuid)
      .append(texts.step_row_middle);
  out += std::to_string(claimed.attempt - 1);
  out += ",\"last_attempted_at\":";
  if (last_attempt) {
    out += '"';
    AppendTimestamp(*last_attempt, out);
    out += '"';
  } else {
    out += "null";
  }
  out += ",\"backoff_request_seconds\":null,\"created_at\":\"";
  AppendTimestamp(claimed.created, out);
  out += "\",\"updated_at\":\"";
  AppendTimestamp(claimed.claimed, out);
  out += "\"}";
  return out;
}

// From what the turn thread had in memory; nothing when that is more than a step may be given.
std::optional<store::Hydrated> FromMemory(const store::TaskTexts& texts,
                                          const std::vector<std::int32_t>& ancestors,
                                          std::size_t bytes_max) {
  store::Hydrated out;
  std::size_t bytes = texts.input->bytes();
  for (const auto& result : texts.results) {
    if (!std::ranges::binary_search(ancestors, result->n)) continue;
    bytes += result->result.size() + result->metadata.size();
    if (bytes > bytes_max) return std::nullopt;
    out.dependencies.push_back(*result);
  }
  if (bytes > bytes_max) return std::nullopt;
  out.input = *texts.input;
  return out;
}

// A text of the template itself: it is not copied.
plugin::Text Shared(const store::Claimed& claimed, const std::string& text) {
  plugin::Text out;
  out.shared = std::shared_ptr<const std::string>(claimed.workflow, &text);
  return out;
}

}  // namespace

StepTexts TextsOf(const workflow::Workflow& workflow, std::int32_t template_step) {
  const workflow::TaskTemplate& definition = workflow.definition;
  const workflow::StepDefinition& step = DefinitionOf(workflow, template_step);
  const auto named = [&](const workflow::StepDefinition& of) {
    return workflow::NamedStepUuid(definition.namespace_name, definition.name, definition.version,
                                   of.name)
        .ToString();
  };
  StepTexts texts;
  texts.ancestors = workflow.graph.Ancestors(template_step);
  texts.dependency_heads.reserve(texts.ancestors.size());
  for (const std::int32_t n : texts.ancestors) {
    texts.dependency_heads.push_back(workflow::JsonString(DefinitionOf(workflow, n).name) +
                                     ":{\"step_uuid\":\"");
  }
  texts.idempotency_tail = ":" + step.name;
  texts.task_row_middle =
      "\",\"named_task_uuid\":\"" +
      workflow::NamedTaskUuid(definition.namespace_name, definition.name, definition.version)
          .ToString() +
      "\",\"complete\":false,\"requested_at\":\"";
  const std::string name = workflow::JsonString(step.name);
  texts.step_row_middle =
      "\",\"named_step_uuid\":\"" + named(step) + "\",\"name\":" + name +
      ",\"template_step_name\":" + name +
      ",\"retryable\":" + (step.retry.retryable ? "true" : "false") +
      ",\"max_attempts\":" + std::to_string(step.retry.AttemptsAllowed()) +
      ",\"in_process\":true,\"processed\":false,\"processed_at\":null,\"attempts\":";
  return texts;
}

std::unique_ptr<plugin::StepInput> BuildInput(const store::Claimed& claimed, const StepTexts& texts,
                                              store::Hydrated hydrated) {
  const workflow::TaskTemplate& definition = claimed.workflow->definition;
  const workflow::StepDefinition& step = DefinitionOf(*claimed.workflow, claimed.template_step);
  const std::string task_uuid = claimed.task.ToString();
  const EnvelopeRow asked = RowOf(hydrated.input.envelope);

  auto input = std::make_unique<plugin::StepInput>();
  input->claim = workflow::Number(claimed.claim);
  input->attempt = static_cast<std::uint32_t>(claimed.attempt);
  input->max_attempts = static_cast<std::uint32_t>(step.retry.AttemptsAllowed());
  input->crashes = static_cast<std::uint32_t>(claimed.crashes);
  input->priority = claimed.priority;
  input->task = claimed.task;
  input->step = workflow::StepUuid(claimed.task, claimed.step.n);
  input->correlation = asked.correlation.value_or(claimed.task);
  input->call_id = workflow::CallId(claimed.task, input->claim);
  input->handler = step.handler.callable;
  input->method = step.handler.method;
  input->resolver = step.handler.resolver;
  input->task_namespace = definition.namespace_name;
  input->task_name = definition.name;
  input->task_version = definition.version;
  input->step_name = step.name;
  input->idempotency_key = task_uuid + texts.idempotency_tail;
  input->context = std::move(hydrated.input.context);
  input->dependencies = DependenciesJson(claimed.task, texts, hydrated.dependencies);
  input->checkpoint = std::move(hydrated.checkpoint);
  input->task_row = TaskRowJson(claimed, texts, task_uuid, asked);
  input->step_row =
      StepRowJson(claimed, texts, task_uuid, input->step.ToString(), hydrated.last_attempt);
  input->config = Shared(claimed, step.handler.initialization);
  input->inputs = input->config;
  input->definition = Shared(claimed, step.definition);
  return input;
}

Hydrator::Hydrator(store::Reader& reader, std::int64_t bytes_max)
    : reader_(reader), bytes_max_(bytes_max) {}

Result<std::unique_ptr<plugin::StepInput>> Hydrator::Hydrate(const store::Claimed& claimed) {
  const StepTexts& texts = Texts(claimed);
  if (claimed.texts != nullptr) {
    auto known = FromMemory(*claimed.texts, texts.ancestors, static_cast<std::size_t>(bytes_max_));
    if (known) return Build(claimed, texts, *std::move(known));
  }
  TRY(store::Hydrated hydrated, reader_.Hydrate(claimed.step, texts.ancestors, bytes_max_));
  return Build(claimed, texts, std::move(hydrated));
}

Result<std::unique_ptr<plugin::StepInput>> Hydrator::Build(const store::Claimed& claimed,
                                                           const StepTexts& texts,
                                                           store::Hydrated hydrated) {
  if (claimed.attempt > 1 || claimed.crashes > 0 || !hydrated.checkpoint.empty()) {
    TRY(hydrated.last_attempt, reader_.LastAttempt(claimed.step));
  }
  return BuildInput(claimed, texts, std::move(hydrated));
}

const StepTexts& Hydrator::Texts(const store::Claimed& claimed) {
  if (known_.size() > kWorkflowsKnownMax || texts_known_ > kTextsKnownMax) {
    known_.clear();
    texts_known_ = 0;
  }
  Known& known = known_[claimed.workflow->id];
  if (known.workflow != claimed.workflow) {
    known.workflow = claimed.workflow;
    known.steps.clear();
  }
  const auto [entry, added] = known.steps.try_emplace(claimed.template_step);
  if (added) {
    entry->second = TextsOf(*claimed.workflow, claimed.template_step);
    texts_known_ += 1 + entry->second.ancestors.size();
  }
  return entry->second;
}

}  // namespace tasker::pipeline
