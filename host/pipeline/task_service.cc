#include "pipeline/task_service.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "pipeline/task_shapes.h"
#include "pipeline/timestamps.h"
#include "workflow/identity.h"

namespace tasker::pipeline {
namespace {

namespace json = boost::json;

constexpr std::size_t kRequestMaxBytes = std::size_t{64} << 20;
constexpr std::int64_t kListMax = 1000;
constexpr std::int64_t kOffsetMax = 1'000'000;
constexpr std::int64_t kPriorityMax = 100;

// Nothing for a key that is not there, or null.
const json::value* Find(const json::object& request, std::string_view key) {
  const json::value* const value = request.if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

Result<std::optional<std::string>> Text(const json::object& request, std::string_view key) {
  const json::value* const value = Find(request, key);
  if (value == nullptr) return std::optional<std::string>();
  if (!value->is_string()) return Invalid(std::string(key) + " is no text");
  return std::optional<std::string>(std::string(value->as_string()));
}

Result<std::int64_t> Number(const json::object& request, std::string_view key,
                            std::int64_t otherwise, std::int64_t min, std::int64_t max) {
  const json::value* const value = Find(request, key);
  if (value == nullptr) return otherwise;
  const bool fits = value->is_int64() && value->as_int64() >= min && value->as_int64() <= max;
  if (!fits) {
    return Invalid(std::string(key) + " is no number from " + std::to_string(min) + " to " +
                   std::to_string(max));
  }
  return value->as_int64();
}

Result<std::optional<Uuid>> MaybeId(const json::object& request, std::string_view key) {
  TRY(const std::optional<std::string> text, Text(request, key));
  if (!text) return std::optional<Uuid>();
  const auto id = Uuid::Parse(*text);
  if (!id) return Invalid("Invalid " + std::string(key) + ": '" + *text + "' is no UUID");
  return id;
}

Result<Uuid> Id(const json::object& request, std::string_view key) {
  TRY(const std::optional<Uuid> id, MaybeId(request, key));
  if (!id) return Invalid("Invalid " + std::string(key) + ": '' is no UUID");
  return *id;
}

Result<std::vector<std::string>> Tags(const json::object& request) {
  std::vector<std::string> tags;
  const json::value* const value = Find(request, "tags");
  if (value == nullptr) return tags;
  if (!value->is_array()) return Invalid("tags is no list of texts");
  for (const json::value& tag : value->as_array()) {
    if (!tag.is_string()) return Invalid("tags is no list of texts");
    tags.emplace_back(tag.as_string());
  }
  return tags;
}

Result<Envelope> EnvelopeOf(const json::object& request) {
  TRY(const std::optional<std::string> initiator, Text(request, "initiator"));
  TRY(const std::optional<std::string> source, Text(request, "source_system"));
  TRY(const std::optional<std::string> reason, Text(request, "reason"));
  TRY(const std::optional<std::string> requested, Text(request, "requested_at"));
  Envelope envelope;
  envelope.initiator = initiator.value_or("");
  envelope.source_system = source.value_or("");
  envelope.reason = reason.value_or("");
  TRY(envelope.tags, Tags(request));
  TRY(envelope.correlation, MaybeId(request, "correlation_id"));
  TRY(envelope.parent_correlation, MaybeId(request, "parent_correlation_id"));
  if (requested) {
    const auto time = ParseTimestamp(*requested);
    if (!time) return Prefixed("Invalid requested_at", time.error());
    envelope.requested = *time;
  }
  if (const json::value* const options = Find(request, "options"))
    envelope.options = json::serialize(*options);
  return envelope;
}

Result<const store::StepView*> FindStep(const store::TaskView& view, const Uuid& wanted) {
  for (const store::StepView& step : view.steps) {
    if (workflow::StepUuid(view.summary.uuid, step.row.n) == wanted) return &step;
  }
  return NotFound("task " + view.summary.uuid.ToString() + " has no step " + wanted.ToString());
}

// Differs whenever the task, a step or the number of a step's attempts does. It is compared and
// nothing else, so its shape may change.
std::string StatesOf(const store::TaskView& view) {
  std::string states(workflow::Name(view.summary.state));
  for (const store::StepView& step : view.steps) {
    states += static_cast<char>('a' + static_cast<int>(step.row.state));
    states += std::to_string(step.row.attempts);
  }
  return states;
}

constexpr std::int64_t kDayMs = 86'400'000;

// By the request's timeout_ms; without one in a day.
Result<Steady> DeadlineOf(const json::object& request, std::int64_t timeout_max_ms) {
  TRY(const std::int64_t timeout, Number(request, "timeout_ms", kDayMs, 0, timeout_max_ms));
  return std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout);
}

std::optional<workflow::TaskState> StateNamed(const std::string& word) {
  for (int i = 0; i < workflow::kTaskStates; ++i) {
    const auto state = static_cast<workflow::TaskState>(i);
    if (workflow::Name(state) == word) return state;
  }
  return std::nullopt;
}

}  // namespace

struct TaskService::Operation {
  std::string_view name;
  Result<json::value> (TaskService::*call)(const Request&) const;
};

Result<std::string> TaskService::Call(std::string_view operation, std::string_view request) const {
  static constexpr Operation kOperations[] = {
      {"create_task", &TaskService::Create},
      {"get_task", &TaskService::Get},
      {"list_tasks", &TaskService::List},
      {"cancel_task", &TaskService::Cancel},
      {"list_task_steps", &TaskService::Steps},
      {"get_step", &TaskService::Step},
      {"get_step_audit_history", &TaskService::Audit},
      {"health_check", &TaskService::Health},
      {"wait_task", &TaskService::Wait},
      {"watch_task", &TaskService::Watch},
  };
  if (request.size() > kRequestMaxBytes) return Invalid("the request is larger than 64 MiB");
  json::error_code error;
  json::parse_options options;
  options.max_depth = 512;
  const json::value parsed = json::parse(request, error, {}, options);
  if (error || !parsed.is_object())
    return Invalid("the request of " + std::string(operation) + " is no JSON object");
  const auto found = std::ranges::find(kOperations, operation, &Operation::name);
  if (found == std::end(kOperations))
    return Invalid("there is no operation '" + std::string(operation) + "'");
  TRY(const json::value reply, (this->*found->call)(parsed.as_object()));
  return json::serialize(reply);
}

Result<json::value> TaskService::Create(const Request& request) const {
  TRY(const std::optional<std::string> name, Text(request, "name"));
  if (!name || name->empty()) return Invalid("name is missing: the template's name");
  TRY(const std::optional<std::string> ns, Text(request, "namespace"));
  TRY(const std::optional<std::string> version, Text(request, "version"));
  std::string wanted = ns && !ns->empty() ? *ns + "/" + *name : *name;
  if (version && !version->empty()) wanted += "@" + *version;

  Submission submission;
  if (const json::value* const context = Find(request, "context"))
    submission.context = json::serialize(*context);
  TRY(submission.key, Text(request, "idempotency_key"));
  TRY(const std::int64_t priority, Number(request, "priority", 0, -kPriorityMax, kPriorityMax));
  submission.priority = static_cast<std::int32_t>(priority);
  TRY(submission.envelope, EnvelopeOf(request));
  TRY(const Submitted submitted, access_.submit(wanted, submission));
  TRY(const store::TaskView view, View(submitted.task));
  return json::value(ClientTask(view));
}

Result<json::value> TaskService::Get(const Request& request) const {
  TRY(const Uuid task, Id(request, "task_uuid"));
  TRY(const store::TaskView view, View(task));
  return json::value(ClientTask(view));
}

// The store pages by id; an offset walks over the pages before it.
Result<json::value> TaskService::List(const Request& request) const {
  TRY(const std::int64_t limit, Number(request, "limit", 50, 1, kListMax));
  TRY(const std::int64_t offset, Number(request, "offset", 0, 0, kOffsetMax));
  store::TaskFilter filter;
  TRY(const std::optional<std::string> ns, Text(request, "namespace"));
  filter.ns = ns.value_or("");
  TRY(const std::optional<std::string> status, Text(request, "status"));
  if (status && !status->empty()) {
    filter.state = StateNamed(*status);
    if (!filter.state) return Invalid("status '" + *status + "' is no state of a task");
  }
  filter.limit = static_cast<std::int32_t>(kListMax);
  std::vector<Uuid> page;
  std::int64_t total = 0;
  TRY_OK(access_.read([&](store::Reader& reader) -> Status {
    while (true) {
      TRY(const auto some, reader.Tasks(filter));
      for (const store::TaskSummary& task : some) {
        if (total >= offset && std::ssize(page) < limit) page.push_back(task.uuid);
        ++total;
      }
      if (std::ssize(some) < kListMax) return Ok();
      filter.before_id = some.back().id;
    }
  }));
  json::array tasks;
  for (const Uuid& id : page) {
    TRY(const store::TaskView view, View(id));
    tasks.push_back(ClientTask(view));
  }
  const std::int64_t pages = (total + limit - 1) / limit;
  const std::int64_t number = offset / limit + 1;
  return json::value{{"tasks", std::move(tasks)},
                     {"pagination",
                      {{"page", number},
                       {"per_page", limit},
                       {"total_count", total},
                       {"total_pages", pages},
                       {"has_next", offset + limit < total},
                       {"has_previous", offset > 0}}}};
}

Result<json::value> TaskService::Cancel(const Request& request) const {
  TRY(const Uuid task, Id(request, "task_uuid"));
  TRY_OK(access_.cancel(task, "client", "cancelled by a client"));
  return json::value{{"cancelled", true}};
}

Result<json::value> TaskService::Steps(const Request& request) const {
  TRY(const Uuid task, Id(request, "task_uuid"));
  TRY(const store::TaskView view, View(task));
  json::array steps;
  for (const store::StepView& step : view.steps) {
    std::string result;
    TRY_OK(access_.read([&](store::Reader& reader) -> Status {
      auto payload = reader.Payload({view.summary.id, step.row.n}, workflow::PayloadKind::kResult);
      if (!payload) return payload.error().code == ErrorCode::kNotFound ? Ok() : payload.error();
      result = *std::move(payload);
      return Ok();
    }));
    steps.push_back(ClientStep(view, step, ClientJson(result)));
  }
  return json::value{{"steps", std::move(steps)}};
}

Result<json::value> TaskService::Step(const Request& request) const {
  TRY(const Uuid wanted, Id(request, "step_uuid"));
  TRY(json::value steps, Steps(request));
  for (json::value& step : steps.as_object()["steps"].as_array()) {
    if (step.as_object()["step_uuid"].as_string() == wanted.ToString()) return step;
  }
  return NotFound("the task has no step " + wanted.ToString());
}

Result<json::value> TaskService::Audit(const Request& request) const {
  TRY(const Uuid task, Id(request, "task_uuid"));
  TRY(const Uuid wanted, Id(request, "step_uuid"));
  TRY(const store::TaskView view, View(task));
  TRY(const store::StepView* const step, FindStep(view, wanted));
  return json::value{{"entries", ClientAudit(view, *step)}};
}

Result<json::value> TaskService::Health(const Request&) const {
  TRY_OK(access_.read([](store::Reader& reader) -> Status {
    const auto counts = reader.Counts();
    return counts ? Ok() : counts.error();
  }));
  return json::value{{"healthy", true}};
}

Result<json::value> TaskService::Wait(const Request& request) const {
  TRY(const Uuid task, Id(request, "task_uuid"));
  TRY(const Steady deadline, DeadlineOf(request, kDayMs * 365));
  TRY_OK(access_.wait(task, deadline));
  TRY(const store::TaskView view, View(task));
  return json::value(ClientTask(view));
}

Result<json::value> TaskService::Watch(const Request& request) const {
  TRY(const Uuid task, Id(request, "task_uuid"));
  TRY(const std::optional<std::string> seen, Text(request, "seen"));
  TRY(const Steady deadline, DeadlineOf(request, kDayMs));
  store::TaskView view;
  TRY_OK(access_.watch(deadline, [&]() -> Result<bool> {
    TRY(view, View(task));
    return StatesOf(view) != seen;
  }));
  json::object reply = ClientTask(view);
  reply["seen"] = StatesOf(view);
  return json::value(std::move(reply));
}

Result<store::TaskView> TaskService::View(const Uuid& task) const {
  std::optional<store::TaskView> view;
  TRY_OK(access_.read([&](store::Reader& reader) -> Status {
    TRY(view, reader.Task(task));
    return Ok();
  }));
  return *std::move(view);
}

}  // namespace tasker::pipeline
