#include "pipeline/submission.h"

#include <string_view>

#include "workflow/identity.h"
#include "workflow/schema.h"
#include "workflow/template_json.h"

namespace tasker::pipeline {
namespace {

constexpr std::size_t kKeyMaxBytes = 1024;
constexpr std::size_t kTextMaxBytes = 1024;

Status CheckLength(std::string_view noun, std::string_view text, std::size_t max) {
  if (text.size() <= max) return Ok();
  return Invalid("the task's " + std::string(noun) + " has " + std::to_string(text.size()) +
                 " bytes; at most " + std::to_string(max) + " are taken");
}

Status CheckContext(const std::string& context, const workflow::TaskTemplate& task_template,
                    const config::Limits& limits) {
  if (context.size() > static_cast<std::size_t>(limits.context_max_bytes)) {
    return Invalid(
        "the task's context has " + std::to_string(context.size()) +
        " bytes, more than limits.context_max_bytes = " + std::to_string(limits.context_max_bytes));
  }
  const Status json = workflow::CheckJson(context, static_cast<std::size_t>(limits.json_depth_max));
  if (!json) return Prefixed("the task's context", json.error());
  if (context[context.find_first_not_of(" \t\r\n")] != '{') {
    return Invalid("the task's context is no JSON object; write {\"name\": value, ...}");
  }
  if (!task_template.input_schema) return Ok();
  const std::string noun =
      "the input_schema of template " + task_template.namespace_name + "/" + task_template.name;
  const auto schema = workflow::JsonSchema::Compile(*task_template.input_schema);
  if (!schema) return Prefixed(noun, schema.error());
  const Status checked = (*schema)->Check(context);
  if (!checked) return Prefixed("the task's context breaks " + noun, checked.error());
  return Ok();
}

}  // namespace

Result<store::Submit> PrepareSubmit(const Submission& submission,
                                    const workflow::TaskTemplate& task_template,
                                    std::int64_t template_id, const config::Limits& limits) {
  TRY_OK(CheckContext(submission.context, task_template, limits));
  TRY_OK(CheckLength("initiator", submission.initiator, kTextMaxBytes));
  TRY_OK(CheckLength("source system", submission.source_system, kTextMaxBytes));
  TRY_OK(CheckLength("reason", submission.reason, kTextMaxBytes));
  store::Submit submit;
  submit.task = Uuid::New();
  submit.template_id = template_id;
  submit.priority = submission.priority;
  submit.context = submission.context;
  submit.envelope = workflow::JsonObject()
                        .AddText("initiator", submission.initiator)
                        .AddText("source_system", submission.source_system)
                        .AddText("reason", submission.reason)
                        .Take();
  if (submission.key) {
    TRY_OK(CheckLength("key", *submission.key, kKeyMaxBytes));
    if (submission.key->empty())
      return Invalid("the task's key is empty; leave it out, or give it a text");
    submit.identity = workflow::Identity(task_template.namespace_name, task_template.name,
                                         task_template.version, *submission.key);
  }
  submit.start_at = submission.start_at;
  return submit;
}

}  // namespace tasker::pipeline
