#include "plugin/record.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include <tasker/ext/resolver.h>

#include "base/enumerate.h"
#include "log/log.h"
#include "plugin/host_table.h"
#include "plugin/text.h"

namespace tasker::plugin {
namespace {

constexpr std::chrono::seconds kInitWarningEvery{30};
constexpr std::size_t kNamedMax = 10;
constexpr std::chrono::seconds kShutdownMin{1};  // also when the drain has used up the deadline

tasker_status Refuse(tasker_error* error, tasker_status status, std::string message) {
  if (error != nullptr) *error = {status, std::move(message)};
  return status;
}

tasker_status ToStatus(ErrorCode code) {
  return code == ErrorCode::kConflict ? TASKER_E_EXISTS : TASKER_E_INVALID;
}

}  // namespace

Record::Record(Instance& instance, const PluginEntry& entry, std::string file,
               HandlerRegistry& registry, const HostCalls& calls, const Limits& limits)
    : entry_(entry),
      file_(std::move(file)),
      instance_(instance),
      registry_(registry),
      uplink_(calls),
      attempts_(entry.name, handlers_, control_, uplink_, limits) {}

Status Record::Init(const std::string& config_json) {
  Status initialized = CallInit(config_json);
  if (!initialized) {
    {
      MutexLock lock(mu_);
      phase_ = State::kEnding;
    }
    uplink_.Cut();
    static_cast<void>(control_.End(std::chrono::steady_clock::now()));
    return initialized;
  }
  Status committed = Commit();
  if (committed) {
    uplink_.DemandChanged();
  } else {
    // The plugin runs, so it is owed its end; what it says about that is less than why it was
    // refused.
    static_cast<void>(Stop(std::chrono::steady_clock::now() + kShutdownMin));
  }
  return committed;
}

Status Record::CallInit(const std::string& config_json) {
  tasker_error error;
  tasker_status status = TASKER_E_INTERNAL;
  const auto init = [&] {
    const tasker_bytes config{config_json.data(), config_json.size(), nullptr, nullptr};
    try {
      status = entry_.table.init(&HostTable(), handle(), config, &state_, &error);
    } catch (...) {
      error.message = "an exception left init(), which the ABI forbids";
    }
  };
  control_.RunToEnd("init", init, kInitWarningEvery, [&](std::chrono::seconds waited) {
    log::Warning("plugin",
                 "the init of plugin " + file_ + " has not returned; the host waits for it",
                 {{"plugin", name()}, {"seconds", std::int64_t{waited.count()}}});
  });
  if (status == TASKER_OK) return Ok();
  std::string message = "plugin " + file_ + ": its init failed (" + StatusName(status) + ")";
  if (!error.message.empty()) message += ": " + error.message;
  const bool conflict = status == TASKER_E_EXISTS || status == TASKER_E_WRONG_STATE;
  return conflict ? Conflict(std::move(message)) : Invalid(std::move(message));
}

Status Record::Commit() {
  MutexLock lock(mu_);
  TRY_OK(registry_.Add(instance_, handlers_.Infos()));
  phase_ = State::kReady;
  return Ok();
}

tasker_status Record::Register(const tasker_handler* handler, tasker_error* error) {
  auto read = ReadHandler(handler);
  if (!read) return Refuse(error, TASKER_E_INVALID, read.error().message);
  bool ready = false;
  const Status added = Add(*std::move(read), ready);
  if (!added) {
    const bool late = added.error().code == ErrorCode::kUnavailable;
    return Refuse(error, late ? TASKER_E_WRONG_STATE : ToStatus(added.error().code),
                  added.error().message);
  }
  if (ready) uplink_.DemandChanged();
  return TASKER_OK;
}

Status Record::Add(std::unique_ptr<Handler> handler, bool& ready) {
  const HandlerInfo info = handler->info;
  MutexLock lock(mu_);
  if (phase_ == State::kEnding) {
    return Unavailable("handler '" + info.id + "' cannot be registered: plugin " + name() +
                       " is ending");
  }
  if (info.threads == HandlerInfo::Threads::kRuntime) {
    handler->pool = handlers_.PoolOf(info.pool);
    if (handler->pool == nullptr) {
      return Invalid("handler '" + info.id + "' names pool " + std::to_string(info.pool) +
                     ", one more than the " + std::to_string(HandlerTable::kPoolsMax) +
                     " that a plugin may have");
    }
  }
  Handler* const added = handlers_.Add(std::move(handler));
  if (added == nullptr) {
    return Conflict("handler '" + info.id + "' is registered twice by plugin " + name() + " (" +
                    file_ + ")");
  }
  // In init only a look: all of them come together, or none.
  ready = phase_ == State::kReady;
  Status registered = ready ? registry_.Add(instance_, {info}) : registry_.Check(instance_, {info});
  if (!registered) handlers_.Discard(*added);
  return registered;
}

tasker_status Record::Unregister(std::string_view id, tasker_error* error) {
  bool ready = false;
  {
    MutexLock lock(mu_);
    if (phase_ == State::kEnding) {
      return Refuse(error, TASKER_E_WRONG_STATE, "plugin " + name() + " is ending");
    }
    bool known = false;
    // One id may stand for several resolvers: all of them go.
    for (const HandlerInfo& info : handlers_.Infos()) {
      if (info.id != id || !handlers_.Remove(info.Key())) continue;
      known = true;
      if (phase_ == State::kReady) static_cast<void>(registry_.Remove(instance_, info.Key()));
    }
    if (!known) {
      return Refuse(error, TASKER_E_INVALID,
                    "plugin " + name() + " has no handler '" +
                        CleanText(id, attempts_.limits().error_max_bytes) + "'");
    }
    ready = phase_ == State::kReady;
  }
  if (ready) uplink_.DemandChanged();
  return TASKER_OK;
}

void Record::SetCapacity(std::uint32_t pool, std::uint32_t free) {
  Pool* const known = handlers_.PoolOf(pool);
  if (known == nullptr) {
    log::Warning(
        "plugin",
        "plugin " + name() + " names more pools than a plugin may have; the capacity is not taken",
        {{"plugin", name()}, {"pool", pool}});
    return;
  }
  if (known->free.exchange(free) < free) uplink_.DemandChanged();
}

void Record::Want(std::string id, std::string method, std::string resolver) {
  if (entry_.table.extension == nullptr) return;
  const std::string what = "resolving '" + id + "'";
  static_cast<void>(control_.Post(what, [this, id = std::move(id), method = std::move(method),
                                         resolver = std::move(resolver)] {
    {
      MutexLock lock(mu_);
      if (phase_ != State::kReady) return;
    }
    const auto* const table =
        static_cast<const tasker_resolver*>(entry_.table.extension(state_, TASKER_EXT_RESOLVER));
    if (table == nullptr || !TASKER_HAS(table, tasker_resolver, wanted)) return;
    table->wanted(state_, {id.data(), id.size()}, {method.data(), method.size()},
                  {resolver.data(), resolver.size()});
  }));
}

Status Record::Stop(Steady deadline) {
  {
    MutexLock lock(mu_);
    phase_ = State::kEnding;
  }
  registry_.RemoveAll(instance_);
  attempts_.Close();
  if (!Drain(deadline) || !attempts_.WaitReturned(deadline)) return LeaveBehind();
  const Steady last = std::max(deadline, std::chrono::steady_clock::now() + kShutdownMin);
  if (!Shutdown(last)) return LeaveBehind();
  CloseLedger();
  uplink_.Cut();
  static_cast<void>(control_.End(last));
  return Ok();
}

bool Record::CallToEnd(const char* noun, std::function<void()> call, Steady deadline) {
  const auto guarded = [this, noun, call = std::move(call)] {
    try {
      call();
    } catch (...) {
      MutexLock lock(mu_);
      threw_ = noun;
    }
  };
  if (!control_.Run(noun, guarded, deadline)) return false;
  MutexLock lock(mu_);
  return threw_.empty();
}

bool Record::Drain(Steady deadline) {
  // Also without a drain: what stands before it on the control thread, a cancel, has to return
  // first.
  const auto drain = [this, deadline] {
    if (entry_.table.drain == nullptr) return;
    const auto ns =
        std::chrono::duration_cast<std::chrono::nanoseconds>(deadline.time_since_epoch()).count();
    const tasker_status status = entry_.table.drain(state_, ns);
    if (status == TASKER_OK) return;
    log::Warning("plugin", "the drain of plugin " + file_ + " failed",
                 {{"plugin", name()}, {"status", StatusName(status)}});
  };
  return CallToEnd("drain", drain, deadline);
}

bool Record::Shutdown(Steady deadline) {
  const auto shutdown = [this] {
    for (const Handler* const handler : handlers_.All()) {
      if (handler->ops.destroy != nullptr) handler->ops.destroy(handler->self);
    }
    if (entry_.table.shutdown != nullptr) entry_.table.shutdown(state_);
  };
  return CallToEnd("shutdown", shutdown, deadline);
}

void Record::CloseLedger() {
  Ledger ledger = attempts_.Held();
  ledger.buffers = buffers_->load();
  if (!ledger.empty()) {
    log::Warning("plugin", "plugin " + file_ + " ends and still holds " + ledger.ToString(),
                 {{"plugin", name()}});
  }
  MutexLock lock(mu_);
  leaked_ = std::move(ledger);
}

Ledger Record::leaked() const {
  MutexLock lock(mu_);
  return leaked_;
}

Status Record::LeaveBehind() {
  CloseLedger();
  std::vector<std::string> what;
  if (const auto current = control_.current())
    what.push_back("its " + current->noun + " has not returned");
  {
    MutexLock lock(mu_);
    if (!threw_.empty())
      what.push_back("an exception left its " + threw_ + ", which the ABI forbids");
  }
  for (std::string& sentence : attempts_.Unreturned()) what.push_back(std::move(sentence));
  attempts_.HandBack();
  uplink_.Cut();
  static_cast<void>(control_.End(std::chrono::steady_clock::now()));
  return Error{ErrorCode::kTimeout,
               "plugin " + file_ +
                   " was left as it is, without shutdown: " + Enumerate(what, kNamedMax, "; ") +
                   "; it cannot start again in this process before these have returned"};
}

}  // namespace tasker::plugin
