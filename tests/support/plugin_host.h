#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "plugin/instance.h"
#include "plugin/registry.h"

namespace tasker::testing {

constexpr std::chrono::seconds kSoon{
    20};  // far beyond what a sanitizer needs; a test that waits so long has failed

inline Steady In(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

// The host's side of plugins: keeps how attempts ended.
class PluginHost final {
 public:
  struct Ended {
    std::int64_t claim;
    workflow::Outcome outcome;
    Steady started;
  };

  PluginHost() {
    calls.finished = [this](std::int64_t claim, workflow::Outcome outcome, Steady started) {
      MutexLock lock(mu_);
      ended_.push_back({claim, std::move(outcome), started});
      changed_.NotifyAll();
    };
    calls.checkpoint = [this](std::int64_t claim, std::string body) {
      MutexLock lock(mu_);
      checkpoints_.emplace_back(claim, std::move(body));
      return checkpoint_answer_;
    };
    calls.demand_changed = [this] {
      MutexLock lock(mu_);
      ++demand_changes_;
    };
  }

  static std::unique_ptr<plugin::StepInput> Step(std::int64_t claim, std::string handler,
                                                 std::string context = "{}") {
    auto input = std::make_unique<plugin::StepInput>();
    input->claim = claim;
    input->handler = std::move(handler);
    input->step_name = "step " + std::to_string(claim);
    input->context = std::move(context);
    return input;
  }

  // Starts it on this thread and waits for its end; nothing when that does not come.
  std::optional<Ended> Run(plugin::Instance& instance, std::string_view handler,
                           std::string context = "{}") {
    const std::int64_t claim = NextClaim();
    instance.Start(handler, Step(claim, std::string(handler), std::move(context)));
    return Wait(claim);
  }
  std::optional<Ended> Wait(std::int64_t claim) {
    const Steady deadline = In(kSoon);
    MutexLock lock(mu_);
    while (true) {
      for (const Ended& ended : ended_) {
        if (ended.claim == claim) return ended;
      }
      if (!changed_.WaitUntil(mu_, deadline)) return std::nullopt;
    }
  }

  std::int64_t NextClaim() {
    MutexLock lock(mu_);
    return ++claims_;
  }
  std::vector<Ended> ended() const {
    MutexLock lock(mu_);
    return ended_;
  }
  std::vector<std::pair<std::int64_t, std::string>> checkpoints() const {
    MutexLock lock(mu_);
    return checkpoints_;
  }
  int demand_changes() const {
    MutexLock lock(mu_);
    return demand_changes_;
  }
  void AnswerCheckpoints(Status answer) {
    MutexLock lock(mu_);
    checkpoint_answer_ = std::move(answer);
  }

  plugin::HandlerRegistry registry;
  plugin::HostCalls calls;
  plugin::Limits limits;

 private:
  mutable Mutex mu_;
  CondVar changed_;
  std::vector<Ended> ended_ GUARDED_BY(mu_);
  std::vector<std::pair<std::int64_t, std::string>> checkpoints_ GUARDED_BY(mu_);
  Status checkpoint_answer_ GUARDED_BY(mu_) = Ok();
  int demand_changes_ GUARDED_BY(mu_) = 0;
  std::int64_t claims_ GUARDED_BY(mu_) = 0;
};

// What an end says, in a form that tests compare.
inline std::string Say(const std::optional<PluginHost::Ended>& ended) {
  if (!ended) return "no end";
  if (const auto* success = std::get_if<workflow::Succeeded>(&ended->outcome))
    return "succeeded: " + success->result;
  if (const auto* failed = std::get_if<workflow::Failed>(&ended->outcome)) {
    return (failed->retryable ? "failed, retryable, " : "failed for good, ") + failed->type + ": " +
           failed->message;
  }
  if (const auto* yielded = std::get_if<workflow::Yielded>(&ended->outcome)) {
    return "yielded " + yielded->checkpoint.value_or("nothing") + " for " +
           std::to_string(yielded->resume_after.count()) + " us";
  }
  if (const auto* back = std::get_if<workflow::HandedBack>(&ended->outcome)) {
    return back->started ? "handed back, started" : "handed back";
  }
  return "timed out";
}

}  // namespace tasker::testing
