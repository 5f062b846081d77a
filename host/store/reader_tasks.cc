// What people read of tasks.
#include <algorithm>
#include <limits>
#include <utility>

#include "store/reader_state.h"
#include "workflow/graph.h"
#include "workflow/template.h"

namespace tasker::store {
namespace {

using sqlite::Statement;

constexpr std::size_t kPrefixMin = 8;
constexpr std::int32_t kLimitMax = 1000;

TaskSummary SummaryAt(const Statement& s) {
  TaskSummary out;
  out.id = s.Int(0);
  out.uuid = s.UuidAt(1);
  out.ns = s.Text(2);
  out.name = s.Text(3);
  out.version = s.Text(4);
  out.state = static_cast<workflow::TaskState>(s.Int32(5));
  out.priority = s.Int32(6);
  out.open = s.Int32(7);
  out.active = s.Int32(8);
  out.retrying = s.Int32(9);
  out.failed = s.Int32(10);
  out.created = FromMicros(s.Int(11));
  out.start = s.TimeAt(12);
  out.ended = s.TimeAt(13);
  out.steps = s.Int32(14);
  return out;
}

StepView StepAt(const Statement& s) {
  StepView out;
  workflow::StepRow& row = out.row;
  row.n = s.Int32(0);
  row.template_step = s.Int32(1);
  row.handler = s.Int(2);
  row.state = static_cast<workflow::StepState>(s.Int32(3));
  row.waiting_for = s.Int32(4);
  row.priority = s.Int32(5);
  row.attempts = s.Int32(6);
  row.crashes = s.Int32(7);
  row.claim = ClaimId{s.Int(8)};
  row.revoked = s.Int(9) != 0;
  row.due = s.TimeAt(10);
  row.ready = s.TimeAt(11);
  row.claimed = s.TimeAt(12);
  row.ended = s.TimeAt(13);
  out.handler = s.Text(14);
  out.resolver = s.Text(15);
  out.served = s.Int(16) != 0;
  return out;
}

AttemptView AttemptAt(const Statement& s) {
  AttemptView out;
  out.n = s.Int32(0);
  out.claim = ClaimId{s.Int(1)};
  out.outcome = static_cast<workflow::AttemptOutcome>(s.Int32(2));
  out.ready = s.TimeAt(3);
  out.claimed = s.TimeAt(4);
  out.started = s.TimeAt(5);
  out.ended = FromMicros(s.Int(6));
  out.error = s.Text(7);
  return out;
}

ActionView ActionAt(const Statement& s) {
  ActionView out;
  if (!s.IsNull(0)) out.n = s.Int32(0);
  out.at = FromMicros(s.Int(1));
  switch (static_cast<workflow::TaskAct::Kind>(s.Int32(2))) {
    case workflow::TaskAct::Kind::kCancel:
      out.kind = "cancel";
      break;
    case workflow::TaskAct::Kind::kRetry:
      out.kind = "retry";
      break;
    case workflow::TaskAct::Kind::kResolve:
      out.kind = "resolve";
      break;
  }
  out.actor = s.Text(3);
  out.reason = s.Text(4);
  return out;
}

// Every row of a bound statement.
template <typename T>
Result<std::vector<T>> All(Statement& statement, T (*at)(const Statement&)) {
  std::vector<T> out;
  while (true) {
    TRY(const bool row, statement.Step());
    if (!row) return out;
    out.push_back(at(statement));
  }
}

// Names and parents of the steps stand in the template's text only.
Status NameSteps(std::string_view body, std::vector<StepView>& steps) {
  TRY(const auto parsed,
      workflow::ParseTemplate(
          body, "the task's template", false,
          {.text_max_bytes = std::size_t{64} << 20, .steps_max = 1'000'000, .depth_max = 512}));
  const workflow::Graph graph(parsed.task_template);
  for (StepView& step : steps) {
    const auto at = static_cast<std::size_t>(step.row.template_step);
    if (at >= parsed.task_template.steps.size()) {
      return Internal("step " + std::to_string(step.row.n) + " is not in the task's template");
    }
    const workflow::StepDefinition& definition = parsed.task_template.steps[at];
    step.name = definition.name;
    step.max_attempts = definition.retry.AttemptsAllowed();
    step.parents = graph.Parents(step.row.template_step);
  }
  return Ok();
}

Error NoTask(const Uuid& task, const std::string& path) {
  return NotFound("there is no task " + task.ToString() + " in " + path +
                  "; list them with tasker-host task list");
}

}  // namespace

Result<std::vector<TaskSummary>> Reader::Tasks(const TaskFilter& filter) {
  TRY(Statement* const tasks, state_->Get(filter.state ? "tasks_in_state" : "tasks"));
  const std::int64_t before = filter.before_id.value_or(std::numeric_limits<std::int64_t>::max());
  const std::int32_t limit = std::clamp(filter.limit, 1, kLimitMax);
  if (filter.state) {
    tasks->Bind(before, filter.ns, filter.name, limit, static_cast<std::int32_t>(*filter.state));
  } else {
    tasks->Bind(before, filter.ns, filter.name, limit);
  }
  return All(*tasks, SummaryAt);
}

Result<TaskSummary> Reader::Summary(const Uuid& task) {
  TRY(Statement* const summary, state_->Get("task"));
  TRY(const bool row, summary->Bind(task).Step());
  if (!row) return NoTask(task, state_->path);
  TaskSummary out = SummaryAt(*summary);
  summary->Reset();
  return out;
}

Result<TaskView> Reader::Task(const Uuid& task) {
  TRY(const auto snapshot, Snapshot::Begin(*state_->connection));
  TaskView out;
  TRY(out.summary, Summary(task));
  const std::int64_t id = out.summary.id;

  TRY(Statement* const steps, state_->Get("steps"));
  TRY(out.steps, All(steps->Bind(id), StepAt));
  TRY(Statement* const attempts, state_->Get("attempts"));
  TRY(out.attempts, All(attempts->Bind(id), AttemptAt));
  TRY(Statement* const actions, state_->Get("actions"));
  TRY(out.actions, All(actions->Bind(id), ActionAt));

  TRY(Statement* const details, state_->Get("task_details"));
  TRY(const bool row, details->Bind(id).Step());
  if (!row) return NoTask(task, state_->path);
  out.context = details->Text(0);
  out.envelope = details->Text(3);
  out.deadline = details->TimeAt(4);
  TRY_OK(NameSteps(details->Text(2), out.steps));
  details->Reset();
  return out;
}

Result<Uuid> Reader::FindTask(std::string_view uuid_or_prefix) {
  const std::string quoted = "'" + std::string(uuid_or_prefix) + "'";
  if (const auto whole = Uuid::Parse(uuid_or_prefix)) {
    TRY_OK(Summary(*whole));
    return *whole;
  }
  // A uuid with its open places filled once with the lowest and once with the highest digit.
  std::string low(uuid_or_prefix);
  std::string high(uuid_or_prefix);
  constexpr std::string_view kLow = "00000000-0000-0000-0000-000000000000";
  constexpr std::string_view kHigh = "ffffffff-ffff-ffff-ffff-ffffffffffff";
  if (uuid_or_prefix.size() < kPrefixMin || uuid_or_prefix.size() > kLow.size()) {
    return Invalid(quoted + " is no task id; give the uuid, or at least its first 8 characters");
  }
  low += kLow.substr(low.size());
  high += kHigh.substr(high.size());
  const auto first = Uuid::Parse(low);
  const auto last = Uuid::Parse(high);
  if (!first || !last)
    return Invalid(quoted + " is no task id; give the uuid, or at least its first 8 characters");
  TRY(Statement* const tasks, state_->Get("tasks_by_prefix"));
  TRY(const bool row, tasks->Bind(*first, *last).Step());
  if (!row)
    return NotFound("no task's id begins with " + quoted +
                    "; list them with tasker-host task list");
  const Uuid found = tasks->UuidAt(0);
  TRY(const bool more, tasks->Step());
  tasks->Reset();
  if (more) return Conflict("several tasks' ids begin with " + quoted + "; give more characters");
  return found;
}

}  // namespace tasker::store
