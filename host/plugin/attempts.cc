#include "plugin/attempts.h"

#include <chrono>
#include <deque>
#include <utility>

#include "log/log.h"
#include "plugin/abi.h"

namespace tasker::plugin {
namespace {

Steady Now() { return std::chrono::steady_clock::now(); }

// Capacity counts down as steps are handed over; false: the runtime takes no more.
bool TakePlace(Pool& pool) {
  std::uint32_t free = pool.free.load();
  do {
    if (free == 0) return false;
  } while (!pool.free.compare_exchange_weak(free, free - 1));
  return true;
}

// The ABI forbids exceptions; one that comes all the same fails its attempt, not the host.
tasker_status CallStart(const Handler& handler, const Handler::Waiting& attempt,
                        tasker_error& error) {
  try {
    return handler.ops.start(handler.self, attempt.step, attempt.call, &error);
  } catch (...) {
    error.message = "an exception left start(), which the ABI forbids";
    return TASKER_E_INTERNAL;
  }
}

void CallCancel(const Handler& handler, tasker_call* call, CancelReason reason) {
  try {
    handler.ops.cancel(handler.self, call, static_cast<std::int32_t>(reason));
  } catch (...) {
    log::Warning("plugin", "an exception left the cancel of handler '" + handler.info.id +
                               "', which the ABI forbids");
  }
}

std::string Seconds(Steady since) {
  const auto tenths =
      std::chrono::duration_cast<std::chrono::milliseconds>(Now() - since).count() / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

}  // namespace

Attempts::Attempts(std::string plugin, HandlerTable& handlers, ControlThread& control,
                   Uplink& uplink, const Limits& limits)
    : plugin_(std::move(plugin)),
      limits_(limits),
      slab_(TokenSlab::OfProcess()),
      handlers_(handlers),
      control_(control),
      uplink_(uplink) {}

std::unique_ptr<StepInput> Attempts::Start(std::string_view id, std::unique_ptr<StepInput> input) {
  if (!inside_.Enter(2)) return input;
  Handler* const handler = handlers_.Find(id);
  if (handler == nullptr || (handler->pool != nullptr && !TakePlace(*handler->pool))) {
    Refuse(*input, workflow::HandedBack{});
    inside_.Leave(2);
    return nullptr;
  }
  const Steady now = Now();
  const TokenSlab::Made made = slab_.Make(*this, handler, input, now);
  if (made.call == nullptr) {
    workflow::Failed failed;
    failed.type = "tasker.busy";
    failed.message =
        "this host holds " + std::to_string(TokenSlab::kTokensMax) + " unreleased attempts";
    Refuse(*input, std::move(failed));
    inside_.Leave(2);
    return nullptr;
  }
  const Handler::Waiting attempt{made.call, made.step};
  if (handler->info.threads == HandlerInfo::Threads::kSerial) {
    StartSerial(*handler, attempt);
  } else {
    Call(*handler, attempt, now);
  }
  inside_.Leave();
  return nullptr;
}

void Attempts::Refuse(const StepInput& input, workflow::Outcome outcome) {
  uplink_.Finished(input.claim, std::move(outcome), Now());
}

// Whoever finds the handler free runs its start, and then those that came meanwhile: nobody waits
// for it.
void Attempts::StartSerial(Handler& handler, Handler::Waiting attempt) {
  {
    MutexLock lock(handler.mu);
    if (handler.starting) {
      handler.waiting.push_back(attempt);
      return;
    }
    handler.starting = true;
  }
  while (true) {
    Call(handler, attempt, Now());
    MutexLock lock(handler.mu);
    if (handler.waiting.empty()) {
      handler.starting = false;
      return;
    }
    attempt = handler.waiting.front();
    handler.waiting.pop_front();
  }
}

// The pin keeps the step's texts until start() has returned, also when the plugin has released its
// token by then.
void Attempts::Call(Handler& handler, const Handler::Waiting& attempt, Steady now) {
  TokenSlab::Pin pin = slab_.Find(attempt.call);
  if (!pin) return;
  if (inside_.closed() || pin.cancelled()) {
    pin.End(workflow::HandedBack{});
    slab_.Release(attempt.call);
    return;
  }
  pin.Begin(now);
  tasker_error error;
  const tasker_status status = CallStart(handler, attempt, error);
  if (status == TASKER_OK) return;
  workflow::Failed failed;
  failed.type = "tasker.refused";
  failed.message = "handler '" + handler.info.id + "' of plugin " + plugin_ + " did not start (" +
                   StatusName(status) + ")" + (error.message.empty() ? "" : ": " + error.message);
  pin.End(std::move(failed));
  slab_.Release(attempt.call);
}

void Attempts::Cancel(std::int64_t claim, CancelReason reason) {
  slab_.ForEach(*this, [&](TokenSlab::Pin& pin) {
    if (pin.input().claim != claim || pin.ended() || !pin.Cancel() || !pin.begun()) return;
    const auto* handler = static_cast<const Handler*>(pin.handler());
    if (handler->ops.cancel == nullptr) return;
    static_cast<void>(control_.Post("cancel of '" + handler->info.id + "'",
                                    [this, handler, reason, call = pin.call()] {
                                      const TokenSlab::Pin running = slab_.Find(call);
                                      if (running && !running.ended())
                                        CallCancel(*handler, call, reason);
                                    }));
  });
}

std::vector<Instance::Running> Attempts::Running() const {
  std::vector<Instance::Running> running;
  slab_.ForEach(*this, [&](TokenSlab::Pin& pin) {
    if (!pin.ended()) running.push_back(pin.Describe());
  });
  return running;
}

void Attempts::Close() {
  inside_.Close();
  for (Handler* const handler : handlers_.All()) {
    std::deque<Handler::Waiting> waiting;
    {
      MutexLock lock(handler->mu);
      waiting.swap(handler->waiting);
    }
    for (const Handler::Waiting& attempt : waiting) HandBackUnstarted(attempt.call);
  }
}

void Attempts::HandBackUnstarted(tasker_call* call) {
  TokenSlab::Pin pin = slab_.Find(call);
  if (pin) pin.End(workflow::HandedBack{});
  slab_.Release(call);
}

void Attempts::HandBack() {
  slab_.ForEach(*this, [](TokenSlab::Pin& pin) {
    if (!pin.ended()) pin.End(workflow::HandedBack{.started = pin.begun()});
  });
}

std::vector<std::string> Attempts::Unreturned() const {
  std::vector<std::string> sentences;
  slab_.ForEach(*this, [&](TokenSlab::Pin& pin) {
    const Instance::Running call = pin.Describe();
    const std::string who = "handler '" + call.handler + "' (step '" + call.step_name + "') ";
    const std::string what =
        pin.ended() ? "ended, but did not return or release its token, after " : "has run for ";
    sentences.push_back(who + what + Seconds(call.since));
  });
  return sentences;
}

Ledger Attempts::Held() const {
  Ledger ledger;
  slab_.ForEach(*this, [&](TokenSlab::Pin& pin) {
    Ledger::Tokens& tokens = ledger.tokens[pin.input().handler];
    ++(pin.ended() ? tokens.ended : tokens.running);
  });
  return ledger;
}

void Attempts::Ended(const StepInput& input, workflow::Outcome&& outcome, Steady started) {
  uplink_.Finished(input.claim, std::move(outcome), started);
}

Status Attempts::Checkpoint(const StepInput& input, std::string body) {
  return uplink_.Checkpoint(input.claim, std::move(body));
}

}  // namespace tasker::plugin
