#include "trial/step_request.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "plugin/text.h"

namespace tasker::trial {
namespace {

namespace json = boost::json;

constexpr char kStep[] = "step";
constexpr char kNamespace[] = "default";
constexpr char kTask[] = "plugin_run";
constexpr char kVersion[] = "1.0.0";
constexpr std::uint32_t kAttemptsMin = 3;  // of the step, as templates have it by default

json::value Nullable(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

std::string DefinitionOf(const StepRequest& request) {
  return json::serialize(json::object{{"name", kStep},
                                      {"handler",
                                       {{"callable", request.handler},
                                        {"method", Nullable(request.method)},
                                        {"resolver", Nullable(request.resolver)},
                                        {"initialization", json::parse(request.initialization)}}},
                                      {"dependencies", json::array()}});
}

}  // namespace

Status CheckTexts(const StepRequest& request, const plugin::Limits& limits) {
  const std::array texts{std::pair("context", &request.context),
                         std::pair("dependencies", &request.dependencies),
                         std::pair("initialization", &request.initialization),
                         std::pair("checkpoint", &request.checkpoint)};
  for (const auto& [noun, text] : texts) {
    if (text == &request.checkpoint && text->empty()) continue;
    const Status checked = plugin::CheckJsonText(*text, limits.json_depth_max);
    if (!checked)
      return Invalid("the " + std::string(noun) + " is no JSON: " + checked.error().message);
  }
  return Ok();
}

std::unique_ptr<plugin::StepInput> InputOf(const StepRequest& request, std::int64_t claim) {
  auto input = std::make_unique<plugin::StepInput>();
  input->claim = claim;
  input->attempt = request.attempt;
  input->max_attempts = std::max(request.attempt, kAttemptsMin);
  input->task = input->correlation = Uuid::New();
  input->step = Uuid::New();
  input->call_id = Uuid::New();
  input->handler = request.handler;
  input->method = request.method;
  input->resolver = request.resolver;
  input->task_namespace = kNamespace;
  input->task_name = kTask;
  input->task_version = kVersion;
  input->step_name = kStep;
  const std::string task = input->task.ToString();
  input->idempotency_key = task + ":" + kStep;
  input->context = request.context;
  input->dependencies = request.dependencies;
  input->checkpoint = request.checkpoint;
  input->config.owned = request.initialization;
  input->inputs.owned = request.initialization;
  input->definition.owned = DefinitionOf(request);
  input->task_row = json::serialize(json::object{{"task_uuid", task},
                                                 {"complete", false},
                                                 {"priority", 0},
                                                 {"correlation_id", task},
                                                 {"parent_correlation_id", nullptr}});
  input->step_row = json::serialize(json::object{{"workflow_step_uuid", input->step.ToString()},
                                                 {"task_uuid", task},
                                                 {"name", kStep},
                                                 {"template_step_name", kStep},
                                                 {"retryable", true},
                                                 {"max_attempts", input->max_attempts},
                                                 {"in_process", true},
                                                 {"processed", false},
                                                 {"attempts", request.attempt - 1}});
  if (request.timeout) input->deadline = std::chrono::steady_clock::now() + *request.timeout;
  return input;
}

}  // namespace tasker::trial
