#include "pipeline/task_client.h"

#include <poll.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "pipeline/store_options.h"
#include "pipeline/task_service.h"
#include "pipeline/templates.h"
#include "store/reads.h"
#include "store/store.h"
#include "workflow/state.h"
#include "workflow/template.h"

namespace tasker::pipeline {
namespace {

constexpr std::chrono::milliseconds kLookEvery{100};  // for what no bell tells

Time WallNow() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

}  // namespace

struct TaskClient::State {
  explicit State(const config::Config& from) : config(from) {}

  Result<Submitted> Submit(const std::string& name, const Submission& submission);
  Status Cancel(const Uuid& task, const std::string& actor, const std::string& reason);
  Result<workflow::TaskState> Wait(const Uuid& task, Steady deadline);
  Status Watch(Steady deadline, const std::function<Result<bool>()>& look);
  Status Read(const std::function<Status(store::Reader&)>& use);

  Status Until(Steady deadline, const std::string& too_late,
               const std::function<Result<bool>()>& look);

  // With the lock.
  Result<store::Ack> Send(store::Event event) REQUIRES(mu);
  Result<std::pair<std::int64_t, workflow::TaskTemplate>> FindTemplate(const TemplateName& wanted)
      REQUIRES(mu);

  const config::Config config;
  const TaskService service{{
      .submit = [this](const std::string& name, const Submission& s) { return Submit(name, s); },
      .cancel = [this](const Uuid& task, const std::string& actor,
                       const std::string& reason) { return Cancel(task, actor, reason); },
      .wait = [this](const Uuid& task, Steady deadline) { return Wait(task, deadline); },
      .watch = [this](Steady deadline,
                      const std::function<Result<bool>()>& look) { return Watch(deadline, look); },
      .read = [this](const std::function<Status(store::Reader&)>& use) { return Read(use); },
  }};

  std::atomic<bool> stopped = false;  // nobody waits any more
  Mutex mu;
  std::unique_ptr<store::Store> store GUARDED_BY(mu);
  std::unique_ptr<store::Reader> reader GUARDED_BY(mu);  // after the store, so that it goes first
};

Result<store::Ack> TaskClient::State::Send(store::Event event) {
  store::TurnInput turn;
  turn.now = WallNow();
  turn.events.push_back(std::move(event));
  auto sent = store->Commit(turn);
  // It may have happened; sending it again is the same item.
  if (!sent && sent.error().code == ErrorCode::kUnknown) sent = store->Commit(turn);
  if (!sent) return sent.error();
  if (sent->acks.size() != 1) return Internal("the store did not answer");
  const store::Ack& ack = sent->acks.front();
  if (ack.code == store::Ack::Code::kInvalid) return Invalid(ack.detail);
  if (ack.code == store::Ack::Code::kConflict || ack.code == store::Ack::Code::kStale)
    return Conflict(ack.detail);
  return ack;
}

// In the template folders as in a host, else in the store, where a host has put its own.
Result<std::pair<std::int64_t, workflow::TaskTemplate>> TaskClient::State::FindTemplate(
    const TemplateName& wanted) {
  TemplateFolders folders = ReadTemplates(config);
  std::vector<TemplateIdentity> names;
  for (const TemplateFile& file : folders.files) {
    const store::NewTemplate text = file.ForStore();
    names.push_back({text.ns, text.name, text.version});
  }
  if (const auto index = Choose(wanted, names)) {
    const store::NewTemplate text = folders.files[*index].ForStore();
    TRY(const auto registered, store->Register({&text, 1}));
    return std::pair(registered.front().id, std::move(folders.files[*index].parsed.task_template));
  }
  TRY(const auto known, reader->Templates(false));
  names.clear();
  for (const store::TemplateView& view : known) names.push_back({view.ns, view.name, view.version});
  TRY(const std::size_t index, Choose(wanted, names));
  TRY(auto parsed, workflow::ParseTemplate(known[index].body, wanted.ToString(), false,
                                           LimitsOf(config.limits)));
  return std::pair(known[index].id, std::move(parsed.task_template));
}

Result<Submitted> TaskClient::State::Submit(const std::string& name, const Submission& submission) {
  TRY(const TemplateName wanted, TemplateName::Parse(name));
  MutexLock lock(mu);
  TRY(const auto found, FindTemplate(wanted));
  TRY(store::Submit submit, PrepareSubmit(submission, found.second, found.first, config.limits));
  submit.ticket = store::Ticket{1};
  Submitted out;
  out.task = submit.task;
  TRY(const store::Ack ack, Send(std::move(submit)));
  if (ack.code != store::Ack::Code::kDuplicate) return out;
  const auto first = Uuid::Parse(ack.detail);
  if (!first) return Internal("the store names '" + ack.detail + "' as the first with this key");
  return Submitted{*first, true};
}

Status TaskClient::State::Cancel(const Uuid& task, const std::string& actor,
                                 const std::string& reason) {
  store::Act act;
  act.ticket = store::Ticket{1};
  act.id = Uuid::New();
  act.task = task;
  act.actor = actor;
  act.reason = reason;
  MutexLock lock(mu);
  TRY_OK(Send(std::move(act)));
  return Ok();
}

Result<workflow::TaskState> TaskClient::State::Wait(const Uuid& task, Steady deadline) {
  workflow::TaskState state{};
  TRY_OK(Until(deadline, "task " + task.ToString() + " was not settled in time",
               [&]() -> Result<bool> {
                 MutexLock lock(mu);
                 TRY(const store::TaskSummary summary, reader->Summary(task));
                 state = summary.state;
                 return workflow::IsSettled(state);
               }));
  return state;
}

Status TaskClient::State::Watch(Steady deadline, const std::function<Result<bool>()>& look) {
  {
    MutexLock lock(mu);
    store->Listen();
  }
  Status found = Until(deadline, "the task has not changed yet", look);
  MutexLock lock(mu);
  store->Unlisten();
  return found;
}

// Asks `look` now and whenever the bell rings.
Status TaskClient::State::Until(Steady deadline, const std::string& too_late,
                                const std::function<Result<bool>()>& look) {
  int bell = -1;
  while (true) {
    {
      // Before the look, so that what is committed after it rings.
      MutexLock lock(mu);
      TRY_OK(store->Changed());
      bell = store->bell_fd();
    }
    TRY(const bool found, look());
    if (found) return Ok();
    if (stopped) return Unavailable("the client closes while somebody waits for a task");
    const Steady now = std::chrono::steady_clock::now();
    if (now >= deadline) return Error{ErrorCode::kTimeout, too_late};
    const auto wait = std::min(std::chrono::ceil<std::chrono::milliseconds>(deadline - now),
                               std::chrono::milliseconds(kLookEvery));
    pollfd rang{bell, POLLIN, 0};
    static_cast<void>(::poll(&rang, 1, static_cast<int>(wait.count())));
  }
}

Status TaskClient::State::Read(const std::function<Status(store::Reader&)>& use) {
  MutexLock lock(mu);
  return use(*reader);
}

TaskClient::TaskClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
TaskClient::~TaskClient() = default;

Result<std::unique_ptr<TaskClient>> TaskClient::Open(const config::Config& config) {
  auto state = std::make_unique<State>(config);
  {
    MutexLock lock(state->mu);
    TRY(state->store, store::Store::Open(ClientOptionsOf(config.store)));
    TRY(state->reader, state->store->NewReader());
  }
  return std::unique_ptr<TaskClient>(new TaskClient(std::move(state)));
}

Result<std::string> TaskClient::Call(std::string_view operation, std::string_view request) {
  return state_->service.Call(operation, request);
}

void TaskClient::StopWaiting() { state_->stopped = true; }

}  // namespace tasker::pipeline
