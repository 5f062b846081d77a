#include "pipeline/host.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include "base/mutex.h"
#include "log/log.h"
#include "pipeline/dispatcher.h"
#include "pipeline/inbox.h"
#include "pipeline/peers.h"
#include "pipeline/plugin_limits.h"
#include "pipeline/settled_waiters.h"
#include "pipeline/status_json.h"
#include "pipeline/store_options.h"
#include "pipeline/task_service.h"
#include "pipeline/templates.h"
#include "pipeline/turn_loop.h"
#include "plugin/in_process.h"
#include "plugin/load_dirs.h"
#include "plugin/registry.h"
#include "store/reads.h"
#include "store/store.h"

namespace tasker::pipeline {
namespace {

constexpr std::size_t kSubmissionsMax = 10'000;  // that wait for the store
constexpr std::chrono::milliseconds kCancelGrace{
    500};                                     // from cancel to hand-back, after the deadline
constexpr std::chrono::seconds kLeaveMin{1};  // to wait for the store's turn, at least
constexpr std::chrono::milliseconds kReturnGrace{
    100};  // for a handler that has ended its step to return
constexpr std::size_t kRunningNamedMax = 10;

Steady Now() { return std::chrono::steady_clock::now(); }

std::int32_t ThreadsOf(const config::Worker& worker) {
  if (worker.threads > 0) return static_cast<std::int32_t>(worker.threads);
  return static_cast<std::int32_t>(std::max(1U, std::thread::hardware_concurrency()));
}

Status ToStatus(const Result<store::Ack>& answer) {
  if (!answer) return answer.error();
  switch (answer->code) {
    case store::Ack::Code::kApplied:
    case store::Ack::Code::kDuplicate:
      return Ok();
    case store::Ack::Code::kInvalid:
      return Invalid(answer->detail);
    case store::Ack::Code::kStale:
    case store::Ack::Code::kConflict:
      break;
  }
  return Conflict(answer->detail);
}

// The sentence about handlers that did not return.
std::string NameRunning(const std::vector<plugin::Instance::Running>& running) {
  std::string names;
  for (std::size_t i = 0; i < std::min(running.size(), kRunningNamedMax); ++i) {
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(Now() - running[i].since).count();
    names +=
        (i == 0 ? "" : ", ") + ("handler '" + running[i].handler + "' (step '" +
                                running[i].step_name + "', for " + std::to_string(seconds) + " s)");
  }
  if (running.size() > kRunningNamedMax) names += " and others";
  return names;
}

}  // namespace

// Members stand in the order in which they depend on each other.
struct Host::State {
  explicit State(const config::Config& from) : config(from) {}
  ~State() { static_cast<void>(Stop(Now())); }

  Status OpenStore(const std::function<bool()>& give_up);
  Status BuryDead();
  Status LoadTemplates();
  Status RefuseChanged(std::vector<TemplateFile>& files);
  Status LoadPlugins(const std::vector<BuiltIn>& built_in);
  void ServePlugins();
  Status LoadBuiltIn(const BuiltIn& plugin);
  Status StartThreads();
  void LogStart() const;
  Status Stop(Steady deadline);
  Status StopPlugins(Steady deadline, bool drained);
  void Leave(Steady deadline);
  std::vector<plugin::Instance::Running> Running() const;
  Result<Submitted> Submit(const std::string& name, const Submission& submission);
  Result<workflow::TaskState> WaitSettled(const Uuid& task, Steady deadline);
  Status Watch(Steady deadline, const std::function<Result<bool>()>& look);
  Status Act(store::Act act);
  HostStatus Describe() const;
  std::string StatusJson() const;
  TaskAccess Access();
  void WantHandlers() const;

  const config::Config config;
  std::unique_ptr<store::Store> store;
  std::int64_t worker = 0;
  std::unique_ptr<Inbox> inbox;
  plugin::HostCalls calls;
  plugin::HandlerRegistry registry;
  std::vector<std::unique_ptr<plugin::Instance>> instances;
  SettledWaiters settled;
  const TaskService service{Access()};

  struct Template {
    std::int64_t id;
    workflow::TaskTemplate definition;
  };
  std::vector<Template> templates;
  std::vector<TemplateIdentity> names;  // of templates, in the same order

  SystemClock clock;
  std::unique_ptr<Dispatcher> dispatcher;
  std::unique_ptr<TurnLoop> loop;

  Mutex reader_mu;
  std::unique_ptr<store::Reader> reader GUARDED_BY(reader_mu);  // of callers that wait

  std::atomic<bool> up{false};
  std::atomic<bool> hurried{false};
  std::optional<Status> stopped;
};

Status Host::State::OpenStore(const std::function<bool()>& give_up) {
  store::OpenOptions options = OpenOptionsOf(config.store);
  options.give_up = give_up;
  TRY(store, store::Store::Open(options));
  store::NewWorker self;
  self.uuid = Uuid::New();
  self.host = config.worker.id;
  self.version = TASKER_HOST_VERSION;
  self.pid = ::getpid();
  self.slots = static_cast<std::int32_t>(config.worker.in_flight_max);
  self.namespaces = config.worker.namespaces;
  TRY(worker, store->Join(self));
  return BuryDead();
}

// Workers that ended without a word: their claims go on, and what had started counts as a crash.
Status Host::State::BuryDead() {
  TRY(const auto others, store->Workers());
  store::TurnInput turn;
  turn.worker = worker;
  turn.now = clock.Now();
  for (const store::OpenWorker& other : others) {
    if (!other.alive) turn.events.emplace_back(BurialOf(other));
  }
  if (turn.events.empty()) return Ok();
  const auto buried = store->Commit(turn);
  if (!buried) return buried.error();
  return Ok();
}

Status Host::State::RefuseChanged(std::vector<TemplateFile>& files) {
  TRY(const auto fresh, store->NewReader());
  TRY(const auto known, fresh->Templates(false));
  std::erase_if(files, [&](const TemplateFile& file) {
    const store::NewTemplate text = file.ForStore();
    const auto changed = std::ranges::find_if(known, [&](const store::TemplateView& view) {
      return view.ns == text.ns && view.name == text.name && view.version == text.version &&
             view.sha256 != text.sha256;
    });
    if (changed == known.end()) return false;
    log::Error("pipeline",
               file.path + ": " + text.ns + "/" + text.name + "@" + text.version +
                   " has another text than the store has for this version, which [templates] "
                   "strict refuses;"
                   " give it a new version",
               {{"file_sha256", text.sha256}, {"store_sha256", changed->sha256}});
    return true;
  });
  return Ok();
}

Status Host::State::LoadTemplates() {
  TemplateFolders folders = ReadTemplates(config);
  for (const Error& error : folders.errors) log::Error("pipeline", error.message);
  for (const TemplateFile& file : folders.files) {
    for (const workflow::TemplateWarning& warning : file.parsed.warnings) {
      log::Warning("pipeline",
                   file.path + ":" + std::to_string(warning.line) + ": " + warning.message);
    }
  }
  if (config.templates.strict) TRY_OK(RefuseChanged(folders.files));
  std::vector<store::NewTemplate> texts;
  for (const TemplateFile& file : folders.files) texts.push_back(file.ForStore());
  if (texts.empty()) return Ok();
  TRY(const auto registered, store->Register(texts));
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (!registered[i].replaced.empty()) {
      log::Info("pipeline",
                folders.files[i].path + ": a new revision of " + texts[i].ns + "/" + texts[i].name +
                    "@" + texts[i].version + "; new tasks use it, tasks that exist keep theirs",
                {{"sha256", texts[i].sha256}, {"replaced", registered[i].replaced}});
    }
    names.push_back({texts[i].ns, texts[i].name, texts[i].version});
    templates.push_back({registered[i].id, std::move(folders.files[i].parsed.task_template)});
  }
  return Ok();
}

// What plugins' calls reach.
void Host::State::ServePlugins() {
  Inbox* const in = inbox.get();
  calls.finished = [in](std::int64_t claim, workflow::Outcome outcome, Steady started) {
    in->PushEnd({claim, std::move(outcome), started, Now(), {}});
  };
  calls.checkpoint = [in](std::int64_t claim, std::string body) -> Status {
    Reply reply;
    TRY_OK(in->PushCheckpoint({claim, std::move(body), &reply}));
    return ToStatus(reply.Wait());
  };
  calls.demand_changed = [in] { in->Wake(true); };
  calls.client = [this](std::string_view operation,
                        std::string_view request) -> Result<std::string> {
    if (!up) return Unavailable("the host has not started yet");
    return service.Call(operation, request);
  };
  calls.status = [this] { return StatusJson(); };
}

Status Host::State::LoadPlugins(const std::vector<BuiltIn>& built_in) {
  ServePlugins();
  std::set<std::string> passed_over;
  for (const BuiltIn& plugin : built_in) {
    passed_over.insert(plugin.file);
    TRY_OK(LoadBuiltIn(plugin));
  }
  plugin::LoadedPlugins loaded =
      plugin::LoadDirs(config.plugins.dirs, config.plugins.configs, registry, calls,
                       PluginLimitsOf(config.limits), passed_over);
  for (const Error& error : loaded.errors) log::Error("pipeline", error.message);
  std::ranges::move(loaded.instances, std::back_inserter(instances));
  return Ok();
}

// Without its own plugin a program has no use for its host.
Status Host::State::LoadBuiltIn(const BuiltIn& plugin) {
  auto instance = plugin::InProcess::FromEntry(*plugin.entry, registry, calls,
                                               PluginLimitsOf(config.limits), "{}");
  if (!instance) return instance.error();
  instances.push_back(*std::move(instance));
  return Ok();
}

Status Host::State::StartThreads() {
  {
    MutexLock lock(reader_mu);
    TRY(reader, store->NewReader());
  }
  TurnLimits limits;
  limits.worker = worker;
  limits.in_flight_max = static_cast<std::int32_t>(config.worker.in_flight_max);
  limits.threads = ThreadsOf(config.worker);
  limits.handler_limits = config.worker.handler_limits;
  limits.keep_finished = config.store.keep_finished;
  limits.turn_max_items = static_cast<std::size_t>(config.store.turn_max_items);
  limits.turn_max_bytes = static_cast<std::size_t>(config.store.turn_max_bytes);
  dispatcher = std::make_unique<Dispatcher>(*store, store->slots(), *inbox,
                                            config.limits.hydrated_max_bytes);
  TRY_OK(dispatcher->Start(ThreadsOf(config.worker)));
  auto made =
      std::make_unique<TurnLoop>(limits, *store, registry, *inbox, *dispatcher, settled, clock);
  TRY_OK(made->Start());
  loop = std::move(made);
  return Ok();
}

void Host::State::LogStart() const {
  log::Info("pipeline",
            "worker " + std::to_string(worker) + " runs on " + store->path() + " (" +
                store->durability() + ")",
            {{"worker", worker},
             {"handlers", std::uint64_t{registry.List().size()}},
             {"plugins", std::uint64_t{instances.size()}},
             {"templates", std::uint64_t{templates.size()}},
             {"threads", ThreadsOf(config.worker)}});
}

std::vector<plugin::Instance::Running> Host::State::Running() const {
  std::vector<plugin::Instance::Running> running;
  for (const auto& instance : instances) {
    auto some = instance->RunningCalls();
    std::ranges::move(some, std::back_inserter(running));
  }
  return running;
}

// The order of the end stands here and nowhere else.
Status Host::State::Stop(Steady deadline) {
  if (stopped) return *stopped;
  bool drained = true;
  std::string left;
  if (loop) {
    loop->Drain();
    drained = loop->WaitDrained(deadline);
    if (!drained) {
      loop->CancelRunning();
      drained = loop->WaitDrained(Now() + kCancelGrace);
    }
    if (!drained) left = NameRunning(Running());
    loop->Stop(deadline);
  }
  // A handler may end its step before it returns.
  if (dispatcher)
    static_cast<void>(dispatcher->Stop(drained ? std::max(deadline, Now() + kReturnGrace) : Now()));
  const Status plugins = StopPlugins(deadline, drained);
  settled.Close();
  {
    MutexLock lock(reader_mu);
    reader.reset();
  }
  // What was not stored is for the next start to find: it buries a worker that has not left.
  if (store && worker != 0 && (!loop || loop->flushed())) Leave(deadline);
  stopped = Ok();
  if (!left.empty()) {
    stopped = Error{ErrorCode::kTimeout,
                    "at the deadline these still ran, and were handed back: " + left};
  } else if (!plugins) {
    stopped = plugins;
  }
  return *stopped;
}

void Host::State::Leave(Steady deadline) {
  const Steady last = std::max(deadline, Now() + kLeaveMin);
  store->set_on_wait([this, last] {
    if (hurried || Now() >= last) store->StopWaiting();
  });
  const Status gone = store->Leave(worker, "stopped");
  if (!gone) log::Error("pipeline", "cannot leave the store: " + gone.error().message);
}

Status Host::State::StopPlugins(Steady deadline, bool drained) {
  Status first = Ok();
  for (const auto& instance : instances) {
    const bool patient = drained && !hurried;
    const Status ended =
        instance->Stop(patient ? std::max(deadline, Now() + kReturnGrace) : Now() + kReturnGrace);
    if (ended) continue;
    log::Warning("pipeline", ended.error().message, {{"plugin", instance->name()}});
    if (first) first = ended;
  }
  return first;
}

Result<Submitted> Host::State::Submit(const std::string& name, const Submission& submission) {
  TRY(const TemplateName wanted, TemplateName::Parse(name));
  TRY(const std::size_t index, Choose(wanted, names));
  const Template& chosen = templates[index];
  TRY(store::Submit submit, PrepareSubmit(submission, chosen.definition, chosen.id, config.limits));
  Submitted out;
  out.task = submit.task;
  Reply reply;
  TRY_OK(inbox->PushSubmit({std::move(submit), &reply}));
  const Result<store::Ack> answer = reply.Wait();
  TRY_OK(ToStatus(answer));
  if (answer->code == store::Ack::Code::kDuplicate) {
    const auto first = Uuid::Parse(answer->detail);
    if (!first)
      return Internal("the store answered with '" + answer->detail +
                      "' where it names the first task");
    out.task = *first;
    out.duplicate = true;
  }
  return out;
}

Result<workflow::TaskState> Host::State::WaitSettled(const Uuid& task, Steady deadline) {
  return settled.Wait(task, deadline, [this](const Uuid& wanted) -> Result<workflow::TaskState> {
    MutexLock lock(reader_mu);
    if (!reader) return Unavailable("the host has stopped");
    TRY(const store::TaskSummary summary, reader->Summary(wanted));
    return summary.state;
  });
}

Status Host::State::Watch(Steady deadline, const std::function<Result<bool>()>& look) {
  store->Listen();
  Status found = settled.Watch(deadline, look);
  store->Unlisten();
  return found;
}

HostStatus Host::State::Describe() const {
  const TurnLoopStatus now = loop->status();
  HostStatus out;
  static_cast<store::WorkerNotice&>(out) = now;
  out.worker = worker;
  out.store_path = store->path();
  out.durability = store->durability();
  out.ready = now.not_ready.empty();
  out.beats = now.beats;
  out.running = Running();
  out.missing_handlers = now.missing_handlers;
  return out;
}

Status Host::State::Act(store::Act act) {
  if (act.id == Uuid{}) act.id = Uuid::New();
  Reply reply;
  TRY_OK(inbox->PushAct({std::move(act), &reply}));
  return ToStatus(reply.Wait());
}

TaskAccess Host::State::Access() {
  TaskAccess access;
  access.submit = [this](const std::string& name, const Submission& submission) {
    return Submit(name, submission);
  };
  access.cancel = [this](const Uuid& task, const std::string& actor, const std::string& reason) {
    store::Act act;
    act.task = task;
    act.actor = actor;
    act.reason = reason;
    return Act(std::move(act));
  };
  access.wait = [this](const Uuid& task, Steady deadline) { return WaitSettled(task, deadline); };
  access.watch = [this](Steady deadline, const std::function<Result<bool>()>& look) {
    return Watch(deadline, look);
  };
  access.read = [this](const std::function<Status(store::Reader&)>& use) -> Status {
    MutexLock lock(reader_mu);
    if (!reader) return Unavailable("the host has stopped");
    return use(*reader);
  };
  return access;
}

// Runtimes whose handlers are an open set learn which ones the templates name.
void Host::State::WantHandlers() const {
  for (const Template& one : templates) {
    for (const workflow::StepDefinition& step : one.definition.steps)
      registry.Want(step.handler.callable, step.handler.method, step.handler.resolver);
  }
}

std::string Host::State::StatusJson() const {
  return pipeline::StatusJson(up ? Describe() : HostStatus{}, config, registry, templates.size());
}

Host::Host(std::unique_ptr<State> state) : state_(std::move(state)) {}
Host::~Host() = default;

Result<std::unique_ptr<Host>> Host::Start(const config::Config& config,
                                          const std::vector<BuiltIn>& built_in,
                                          const std::function<bool()>& give_up) {
  auto state = std::make_unique<State>(config);
  TRY(state->inbox, Inbox::Open(kSubmissionsMax));
  TRY_OK(state->OpenStore(give_up));
  TRY_OK(state->LoadTemplates());
  TRY_OK(state->LoadPlugins(built_in));
  TRY_OK(state->StartThreads());
  state->LogStart();
  state->up = true;
  state->WantHandlers();
  return std::unique_ptr<Host>(new Host(std::move(state)));
}

Result<Submitted> Host::Submit(const std::string& name, const Submission& submission) {
  return state_->Submit(name, submission);
}

Result<workflow::TaskState> Host::WaitSettled(const Uuid& task, Steady deadline) {
  return state_->WaitSettled(task, deadline);
}

Status Host::Act(store::Act act) { return state_->Act(std::move(act)); }

HostStatus Host::status() const { return state_->Describe(); }

Result<store::StoreCounts> Host::Counts() {
  MutexLock lock(state_->reader_mu);
  if (!state_->reader) return Unavailable("the host has stopped");
  return state_->reader->Counts();
}

Status Host::Stop(Steady deadline) { return state_->Stop(deadline); }

void Host::Hurry() {
  state_->hurried = true;
  state_->loop->Hurry();
}

}  // namespace tasker::pipeline
