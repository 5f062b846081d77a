#include "runtime.h"

#include <signal.h>

#include <exception>
#include <utility>

#include <tasker/version.h>

#include "json_text.h"
#include "world.h"

namespace tasker::python {
namespace {

constexpr std::chrono::milliseconds kKeeperEvery{500};
constexpr std::size_t kUnresolvedMax = 10'000;

const char* ReasonWord(std::int32_t reason) {
  switch (reason) {
    case TASKER_CANCEL_TIMEOUT:
      return "timeout";
    case TASKER_CANCEL_RESOLVED:
      return "resolved";
    case TASKER_CANCEL_SHUTDOWN:
      return "shutdown";
    default:
      return "cancelled";
  }
}

// Signals are Python's, and belong to its main thread.
void BlockSignals() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

Runtime& Runtime::OfProcess() {
  static Runtime* const runtime = std::unique_ptr<Runtime>(new Runtime).release();
  return *runtime;
}

const tasker_plugin_entry& Runtime::Entry() {
  static constexpr char kName[] = "python";
  static const tasker_plugin_entry entry = {sizeof(tasker_plugin_entry),
                                            TASKER_ABI_MINOR,
                                            0,
                                            0,
                                            {kName, sizeof kName - 1},
                                            {TASKER_VERSION, sizeof TASKER_VERSION - 1},
                                            &Init,
                                            &Drain,
                                            &Shutdown,
                                            nullptr,
                                            &Extension};
  return entry;
}

void Runtime::Register(const std::vector<HandlerSpec>& handlers) {
  for (const HandlerSpec& spec : handlers) RegisterOne(spec, "");
  AskAgain();
}

// A handler that was found by its dotted path may be registered with its details later.
void Runtime::RegisterOne(const HandlerSpec& spec, const std::string& resolver) {
  const std::lock_guard lock(registering_mu_);
  std::erase_if(found_, [&](const Wanted& wanted) { return wanted.id == spec.id; });
  const auto known = registered_.find({spec.id, resolver});
  if (known != registered_.end() && (known->second == spec || !resolver.empty())) return;
  std::vector<std::string> others;
  if (known != registered_.end()) {
    for (const auto& [key, old] : registered_) {
      if (key.first == spec.id && !key.second.empty()) others.push_back(key.second);
    }
    ForgetId(spec.id);
  }
  TellHost(spec, resolver);
  for (const std::string& other : others) TellHost(spec, other);
}

void Runtime::ForgetId(const std::string& id) {
  static_cast<void>(link_.Unregister(id));
  std::erase_if(registered_, [&](const auto& entry) { return entry.first.first == id; });
  std::erase_if(found_, [&](const Wanted& wanted) { return wanted.id == id; });
}

void Runtime::TellHost(const HandlerSpec& spec, const std::string& resolver) {
  static const tasker_handler_ops ops = {sizeof(tasker_handler_ops), 0, &Start, &Cancel, nullptr};
  tasker_handler handler{};
  handler.size = sizeof handler;
  handler.threads = TASKER_THREADS_RUNTIME;
  handler.caps = TASKER_CAP_CANCEL | TASKER_CAP_CHECKPOINT;
  if (spec.idempotent) handler.caps |= TASKER_CAP_IDEMPOTENT;
  handler.max_concurrency = spec.max_concurrency;
  handler.id = Str(spec.id);
  handler.version = Str(spec.version);
  handler.resolver = Str(resolver);
  handler.pool = spec.is_async ? kAsyncPool : kSyncPool;
  handler.ops = &ops;
  handler.self = &lanes_[handler.pool];
  link_.Register(handler);
  registered_[{spec.id, resolver}] = spec;
}

void Runtime::Unregister(const std::string& id) {
  const std::lock_guard lock(registering_mu_);
  ForgetId(id);
}

void Runtime::SetCancel(decltype(Callbacks::cancel) cancel) {
  // The old one goes after the lock: it waits for the GIL.
  const std::lock_guard lock(mu_);
  callbacks_.cancel.swap(cancel);
}

void Runtime::SetResolver(decltype(Callbacks::can_resolve) can_resolve) {
  {
    const std::lock_guard lock(mu_);
    callbacks_.can_resolve.swap(can_resolve);
  }
  ForgetFound();
  AskAgain();
}

void Runtime::ForgetFound() {
  const std::lock_guard lock(registering_mu_);
  for (const Wanted& wanted : std::exchange(found_, {})) {
    ForgetId(wanted.id);
    AddUnresolved(wanted);
  }
}

// What could not be resolved may be now.
void Runtime::AskAgain() {
  std::set<Wanted> again;
  {
    const std::lock_guard lock(mu_);
    again.swap(unresolved_);
  }
  for (const Wanted& wanted : again) static_cast<void>(Ask(wanted));
}

// What is known of the handler's details stays.
void Runtime::RegisterFound(const Wanted& wanted) {
  const std::lock_guard lock(registering_mu_);
  if (registered_.contains({wanted.id, wanted.resolver})) return;
  const auto details = registered_.find({wanted.id, ""});
  const bool unknown = details == registered_.end();
  TellHost(unknown ? HandlerSpec{wanted.id, "", 0, false, false} : details->second,
           wanted.resolver);
  if (unknown) found_.insert(wanted);
}

bool Runtime::Ask(const Wanted& wanted) {
  decltype(Callbacks::can_resolve) can_resolve;
  {
    const std::lock_guard lock(mu_);
    can_resolve = callbacks_.can_resolve;
  }
  const bool can =
      can_resolve ? can_resolve(wanted.id, wanted.method, wanted.resolver) : queue_.polled();
  if (can) {
    try {
      RegisterFound(wanted);
    } catch (const HostError& refused) {
      if (refused.status == TASKER_E_EXISTS) return true;  // Another plugin has it.
      link_.Log(nullptr, TASKER_LOG_WARNING, refused.what(), {});
    }
    return true;
  }
  AddUnresolved(wanted);
  return false;
}

void Runtime::AddUnresolved(const Wanted& wanted) {
  const std::lock_guard lock(mu_);
  if (unresolved_.size() < kUnresolvedMax) unresolved_.insert(wanted);
}

std::optional<std::string> Runtime::Poll() {
  KeepPoller();
  const bool came = !queue_.polled();
  std::optional<std::string> event = queue_.Poll();
  if (came && queue_.polled()) AskAgain();
  return event;
}

// From the first poll on somebody has to look after the poller.
void Runtime::KeepPoller() {
  const std::lock_guard lock(mu_);
  if (keeping_) return;
  keeping_ = true;
  keeper_ = std::thread([this] { Keep(); });
}

void Runtime::Keep() {
  BlockSignals();
  std::unique_lock lock(mu_);
  while (keeping_) {
    keeper_changed_.wait_for(lock, kKeeperEvery);
    if (!keeping_) return;
    lock.unlock();
    static_cast<void>(queue_.LookAfterPoller());
    lock.lock();
  }
}

void Runtime::EndKeeper() {
  std::thread keeper;
  {
    const std::lock_guard lock(mu_);
    keeping_ = false;
    keeper.swap(keeper_);
  }
  keeper_changed_.notify_all();
  if (keeper.joinable()) keeper.join();
}

void Runtime::Abandon() {
  queue_.Close();
  EndKeeper();
  link_.Detach();
}

tasker_status Runtime::Init(const tasker_host* host, tasker_plugin* plugin, tasker_bytes config,
                            void** state, tasker_error* error) noexcept {
  Runtime& self = OfProcess();
  if (!TASKER_HAS(host, tasker_host, error_free)) {
    constexpr std::string_view kOld =
        "this tasker-host is older than the plugin; install " TASKER_VERSION " of both";
    host->error_set(error, TASKER_E_UNSUPPORTED, Str(kOld));
    return TASKER_E_UNSUPPORTED;
  }
  {
    const std::lock_guard lock(self.registering_mu_);
    self.registered_.clear();
    self.found_.clear();
  }
  self.link_.Attach(host, plugin);
  self.queue_.Open();
  *state = &self;
  try {
    World::OfProcess().PluginStarts(std::string(View(config)));
    return TASKER_OK;
  } catch (const std::exception& failed) {
    const std::string message = failed.what();
    host->error_set(error, TASKER_E_INTERNAL, Str(message));
  }
  self.Abandon();
  return TASKER_E_INTERNAL;
}

tasker_status Runtime::Drain(void* state, std::int64_t) noexcept {
  static_cast<Runtime*>(state)->queue_.StopGiving();
  return TASKER_OK;
}

void Runtime::Shutdown(void* state) noexcept {
  auto* const self = static_cast<Runtime*>(state);
  self->queue_.Close();
  World::OfProcess().PluginEnds();
  {
    const std::lock_guard lock(self->mu_);
    self->unresolved_.clear();
  }
  self->Abandon();
}

const void* Runtime::Extension(void*, const char* id) noexcept {
  static const tasker_resolver resolver = {sizeof(tasker_resolver), 0, &Want};
  return id != nullptr && std::string_view(id) == TASKER_EXT_RESOLVER ? &resolver : nullptr;
}

void Runtime::Want(void* state, tasker_str id, tasker_str method, tasker_str resolver) noexcept {
  auto* const self = static_cast<Runtime*>(state);
  static_cast<void>(
      self->Ask({std::string(View(id)), std::string(View(method)), std::string(View(resolver))}));
}

tasker_status Runtime::Start(void* self, const tasker_step* step, tasker_call* call,
                             tasker_error*) noexcept {
  const Lane& lane = *static_cast<Lane*>(self);
  return lane.runtime.queue_.Start(*step, call, lane.pool);
}

void Runtime::Cancel(void* self, tasker_call* call, std::int32_t reason) noexcept {
  Runtime& runtime = static_cast<Lane*>(self)->runtime;
  const std::string event = runtime.queue_.Cancel(call);
  if (event.empty()) return;
  decltype(Callbacks::cancel) cancel;
  {
    const std::lock_guard lock(runtime.mu_);
    cancel = runtime.callbacks_.cancel;
  }
  if (cancel) cancel(event, ReasonWord(reason));
}

}  // namespace tasker::python
