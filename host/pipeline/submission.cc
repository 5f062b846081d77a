#include "pipeline/submission.h"

#include <string_view>

#include "workflow/identity.h"
#include "workflow/schema.h"

namespace tasker::pipeline {
namespace {

constexpr std::size_t kKeyMaxBytes = 1024;
constexpr std::size_t kTextMaxBytes = 1024;
constexpr std::size_t kTagsMax = 1000;  // upstream's limit

Status CheckLength(std::string_view noun, std::string_view text, std::size_t max) {
  if (text.size() <= max) return Ok();
  return Invalid("the task's " + std::string(noun) + " has " + std::to_string(text.size()) +
                 " bytes; at most " + std::to_string(max) + " are taken");
}

Status CheckObject(const std::string& noun, const std::string& text, const config::Limits& limits) {
  if (text.size() > static_cast<std::size_t>(limits.context_max_bytes)) {
    return Invalid(
        "the task's " + noun + " has " + std::to_string(text.size()) +
        " bytes, more than limits.context_max_bytes = " + std::to_string(limits.context_max_bytes));
  }
  const Status json = workflow::CheckJson(text, static_cast<std::size_t>(limits.json_depth_max));
  if (!json) return Prefixed("the task's " + noun, json.error());
  if (text[text.find_first_not_of(" \t\r\n")] != '{') {
    return Invalid("the task's " + noun + " is no JSON object; write {\"name\": value, ...}");
  }
  return Ok();
}

Status CheckContext(const std::string& context, const workflow::TaskTemplate& task_template,
                    const config::Limits& limits) {
  TRY_OK(CheckObject("context", context, limits));
  if (!task_template.input_schema) return Ok();
  const std::string noun =
      "the input_schema of template " + task_template.namespace_name + "/" + task_template.name;
  const auto schema = workflow::JsonSchema::Compile(*task_template.input_schema);
  if (!schema) return Prefixed(noun, schema.error());
  const Status checked = (*schema)->Check(context);
  if (!checked) return Prefixed("the task's context breaks " + noun, checked.error());
  return Ok();
}

Status CheckEnvelope(const Envelope& envelope, const config::Limits& limits) {
  TRY_OK(CheckLength("initiator", envelope.initiator, kTextMaxBytes));
  TRY_OK(CheckLength("source system", envelope.source_system, kTextMaxBytes));
  TRY_OK(CheckLength("reason", envelope.reason, kTextMaxBytes));
  if (envelope.tags.size() > kTagsMax) {
    return Invalid("the task has " + std::to_string(envelope.tags.size()) + " tags; at most " +
                   std::to_string(kTagsMax) + " are taken");
  }
  for (const std::string& tag : envelope.tags) TRY_OK(CheckLength("tag", tag, kTextMaxBytes));
  if (envelope.options.empty()) return Ok();
  return CheckObject("options", envelope.options, limits);
}

}  // namespace

Result<store::Submit> PrepareSubmit(const Submission& submission,
                                    const workflow::TaskTemplate& task_template,
                                    std::int64_t template_id, const config::Limits& limits) {
  TRY_OK(CheckContext(submission.context, task_template, limits));
  TRY_OK(CheckEnvelope(submission.envelope, limits));
  store::Submit submit;
  submit.task = Uuid::New();
  submit.template_id = template_id;
  submit.priority = submission.priority;
  submit.context = submission.context;
  submit.envelope = ToJson(submission.envelope);
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
