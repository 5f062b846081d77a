#include "workflow/template.h"

#include <algorithm>
#include <utility>

#include "workflow/schema.h"
#include "workflow/template_check.h"
#include "workflow/template_fields.h"
#include "workflow/template_json.h"
#include "workflow/template_step.h"
#include "workflow/template_yaml.h"

namespace tasker::workflow {
namespace {

constexpr std::size_t kNameMax = 255;
constexpr std::size_t kNamespaceMax = 29;  // upstream's: a queue is named after it
constexpr std::size_t kVersionMax = 50;
constexpr std::size_t kDescriptionMax = 10'000;

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsLetterOrDigit(char c) { return IsLetter(c) || (c >= '0' && c <= '9'); }

// `submit NAMESPACE/NAME@VERSION` must mean one template.
Status CheckIdentity(const Fields& fields, const TaskTemplate& out) {
  for (const std::string_view key : {"name", "version"}) {
    const std::string& text = key == "name" ? out.name : out.version;
    const bool bad = std::ranges::any_of(text, [](char c) {
      return c == '/' || c == '@' || static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
    });
    if (bad) return fields.Wrong(*fields.Find(key), key, "a text without spaces, / and @");
  }
  const std::string& ns = out.namespace_name;
  if (!IsLetter(ns[0]) || !std::ranges::all_of(ns, IsLetterOrDigit)) {
    return fields.Wrong(*fields.Find("namespace_name"), "namespace_name",
                        "letters, digits and _ only, with a letter first");
  }
  return Ok();
}

Result<std::string> ReadMetadata(Reading& reading, const YamlNode* node) {
  if (node == nullptr) return std::string("null");
  TRY(const Fields fields,
      Fields::Of(reading, *node, "the metadata",
                 {"author", "tags", "documentation_url", "created_at", "updated_at"}));
  TRY(const auto author, fields.Text("author", kDescriptionMax));
  TRY(const auto tags, fields.Texts("tags"));
  TRY(const auto url, fields.Text("documentation_url", kDescriptionMax));
  TRY(const auto created, fields.Text("created_at", kNameMax));
  TRY(const auto updated, fields.Text("updated_at", kNameMax));
  JsonArray tag_list;
  for (const std::string& tag : tags) tag_list.Add(JsonString(tag));
  return JsonObject()
      .Add("author", JsonOrNull(author))
      .Add("tags", tag_list.Take())
      .Add("documentation_url", JsonOrNull(url))
      .Add("created_at", JsonOrNull(created))
      .Add("updated_at", JsonOrNull(updated))
      .Take();
}

Result<std::string> ReadSystems(Reading& reading, const YamlNode* node, std::string otherwise) {
  if (node == nullptr) return otherwise;
  TRY(const Fields fields,
      Fields::Of(reading, *node, "the system_dependencies", {"primary", "secondary"}));
  TRY(const auto primary, fields.Text("primary", kNameMax));
  TRY(const auto secondary, fields.Texts("secondary"));
  JsonArray list;
  for (const std::string& system : secondary) list.Add(JsonString(system));
  return JsonObject()
      .AddText("primary", primary.value_or("default"))
      .Add("secondary", list.Take())
      .Take();
}

Result<std::string> ReadDomainEvents(Reading& reading, const YamlNode* list) {
  JsonArray out;
  if (list == nullptr) return out.Take();
  for (const YamlNode* item : list->items) {
    TRY(const Fields event,
        Fields::Of(reading, *item, "a domain event", {"name", "description", "schema"}));
    TRY(const std::string name, event.RequiredText("name", kNameMax));
    TRY(const auto description, event.Text("description", kDescriptionMax));
    TRY(auto schema, event.Json("schema"));
    out.Add(JsonObject()
                .AddText("name", name)
                .Add("description", JsonOrNull(description))
                .Add("schema", std::move(schema).value_or("null"))
                .Take());
  }
  if (!list->items.empty()) reading.no_effect.insert("domain_events");
  return out.Take();
}

Result<std::string> ReadLifecycle(Reading& reading, const YamlNode* node, TaskTemplate& out) {
  if (node == nullptr) return std::string("null");
  TRY(const Fields fields,
      Fields::Of(reading, *node, "the lifecycle",
                 {"max_duration_minutes", "max_waiting_for_dependencies_minutes",
                  "max_waiting_for_retry_minutes", "max_steps_in_process_minutes",
                  "staleness_action", "auto_fail_on_timeout", "auto_dlq_on_timeout"}));
  for (const YamlNode::Entry& entry : node->entries) {
    if (entry.key == "max_duration_minutes") continue;
    if (fields.Find(entry.key) != nullptr) reading.no_effect.insert("lifecycle." + entry.key);
  }
  JsonObject json;
  TRY(out.max_duration_minutes, fields.Integer("max_duration_minutes", 1, 43'200));
  json.Add("max_duration_minutes", JsonOrNull(out.max_duration_minutes));
  for (const std::string_view key :
       {"max_waiting_for_dependencies_minutes", "max_waiting_for_retry_minutes",
        "max_steps_in_process_minutes"}) {
    TRY(const auto minutes, fields.Integer(key, 1, 10'080));
    json.Add(key, JsonOrNull(minutes));
  }
  TRY(const std::string action, fields.OneOf("staleness_action", {"dlq", "error", "none"}));
  json.AddText("staleness_action", action);
  for (const std::string_view key : {"auto_fail_on_timeout", "auto_dlq_on_timeout"}) {
    TRY(const auto flag, fields.Boolean(key));
    json.Add(key, flag ? (*flag ? "true" : "false") : "null");
  }
  return json.Take();
}

Status ReadInputSchema(const Reading& reading, const Fields& fields, TaskTemplate& out) {
  const YamlNode* node = fields.Find("input_schema");
  if (node == nullptr) return Ok();
  TRY(out.input_schema, fields.Json("input_schema"));
  const auto schema = JsonSchema::Compile(*out.input_schema);
  if (!schema)
    return reading.At(node->line, "the input_schema is no JSON Schema: " + schema.error().message);
  return Ok();
}

Status ReadSteps(Reading& reading, const Fields& fields, const TemplateLimits& limits,
                 TaskTemplate& out) {
  TRY(const YamlNode* list, fields.List("steps"));
  if (list == nullptr || list->items.empty()) {
    return fields.Missing("steps", "[{name: NAME, handler: {callable: NAME}}]");
  }
  if (list->items.size() > limits.steps_max) {
    return reading.At(list->line, "the template has " + std::to_string(list->items.size()) +
                                      " steps; write at most " + std::to_string(limits.steps_max));
  }
  std::vector<int> lines;
  for (const YamlNode* item : list->items) {
    TRY(StepDefinition step, ReadStep(reading, *item, lines.size()));
    out.steps.push_back(std::move(step));
    lines.push_back(item->line);
  }
  return CheckSteps(reading, out.steps, lines);
}

}  // namespace

Result<ParsedTemplate> ParseTemplate(std::string_view yaml, std::string_view source, bool strict,
                                     const TemplateLimits& limits) {
  TRY(const YamlDocument document, YamlDocument::Parse(yaml, source, limits));
  Reading reading;
  reading.source = source;
  reading.strict = strict;
  TRY(const Fields fields, Fields::Of(reading, document.root(), "the template",
                                      {"name", "namespace_name", "version", "description",
                                       "metadata", "system_dependencies", "domain_events",
                                       "input_schema", "steps", "environments", "lifecycle"}));
  ParsedTemplate parsed;
  TaskTemplate& out = parsed.task_template;
  TRY(out.name, fields.RequiredText("name", kNameMax));
  TRY(out.namespace_name, fields.RequiredText("namespace_name", kNamespaceMax));
  TRY(out.version, fields.RequiredText("version", kVersionMax));
  TRY_OK(CheckIdentity(fields, out));
  TRY(auto description, fields.Text("description", kDescriptionMax));
  out.description = std::move(description).value_or("");
  TRY(out.metadata, ReadMetadata(reading, fields.Find("metadata")));
  TRY(out.system_dependencies,
      ReadSystems(reading, fields.Find("system_dependencies"), out.system_dependencies));
  TRY(const YamlNode* events, fields.List("domain_events"));
  TRY(out.domain_events, ReadDomainEvents(reading, events));
  TRY_OK(ReadInputSchema(reading, fields, out));
  TRY_OK(ReadSteps(reading, fields, limits, out));
  TRY(const YamlNode* environments, fields.Map("environments"));
  if (environments != nullptr) {
    TRY(out.environments, ReadEnvironments(reading, *environments));
    if (!environments->entries.empty()) reading.no_effect.insert("environments");
  }
  TRY(out.lifecycle, ReadLifecycle(reading, fields.Find("lifecycle"), out));

  parsed.warnings = std::move(reading.warnings);
  std::ranges::stable_sort(parsed.warnings, {}, &TemplateWarning::line);
  parsed.no_effect.assign(reading.no_effect.begin(), reading.no_effect.end());
  return parsed;
}

std::string TemplateToJson(const TaskTemplate& task_template) {
  JsonArray steps;
  for (const StepDefinition& step : task_template.steps) steps.Add(step.definition);
  return JsonObject()
      .AddText("name", task_template.name)
      .AddText("namespace_name", task_template.namespace_name)
      .AddText("version", task_template.version)
      .Add("description",
           task_template.description.empty() ? "null" : JsonString(task_template.description))
      .Add("metadata", task_template.metadata)
      .Add("system_dependencies", task_template.system_dependencies)
      .Add("domain_events", task_template.domain_events)
      .Add("input_schema", task_template.input_schema.value_or("null"))
      .Add("steps", steps.Take())
      .Add("environments", task_template.environments)
      .Add("lifecycle", task_template.lifecycle)
      .Take();
}

}  // namespace tasker::workflow
