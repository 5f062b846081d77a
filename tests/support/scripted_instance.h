#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/mutex.h"
#include "plugin/instance.h"
#include "plugin/registry.h"

namespace tasker::testing {

// One attempt in the hands of a test. Ended exactly once, on any thread.
class ScriptedAttempt final {
 public:
  ScriptedAttempt(const plugin::HostCalls& calls, std::unique_ptr<plugin::StepInput> input)
      : calls_(&calls), input_(std::move(input)), started_(std::chrono::steady_clock::now()) {}

  const plugin::StepInput& input() const { return *input_; }

  void End(workflow::Outcome outcome) {
    CHECK(!std::exchange(ended_, true));
    calls_->finished(input_->claim, std::move(outcome), started_);
  }
  void Succeed(std::string result = "{}") {
    workflow::Succeeded succeeded;
    succeeded.result = std::move(result);
    End(std::move(succeeded));
  }
  void Fail(bool retryable, std::string type = "Broken") {
    workflow::Failed failed;
    failed.retryable = retryable;
    failed.type = std::move(type);
    failed.message = "it broke";
    End(std::move(failed));
  }
  Status Checkpoint(std::string body) { return calls_->checkpoint(input_->claim, std::move(body)); }

 private:
  const plugin::HostCalls* calls_;
  std::unique_ptr<plugin::StepInput> input_;
  Steady started_;
  bool ended_ = false;
};

// A plugin whose handlers are functions of the test. Thread-safe.
class ScriptedInstance final : public plugin::Instance {
 public:
  using Script = std::function<void(ScriptedAttempt)>;

  ScriptedInstance(plugin::HandlerRegistry& registry, const plugin::HostCalls& calls)
      : registry_(registry), calls_(calls) {}
  ~ScriptedInstance() override { registry_.RemoveAll(*this); }

  void Add(plugin::HandlerInfo info, Script script) {
    {
      MutexLock lock(mu_);
      scripts_[info.id] = std::move(script);
    }
    const Status added = registry_.Add(*this, {info});
    CHECK(static_cast<bool>(added));
    calls_.demand_changed();
  }
  void Add(const std::string& id, Script script) {
    plugin::HandlerInfo info;
    info.id = id;
    Add(std::move(info), std::move(script));
  }
  void SetCapacity(std::uint32_t pool, std::uint32_t free) {
    {
      MutexLock lock(mu_);
      capacity_[pool] = free;
    }
    calls_.demand_changed();
  }

  // The claims that were asked to stop, in order.
  std::vector<std::int64_t> cancelled() const {
    MutexLock lock(mu_);
    return cancelled_;
  }
  // Called with each cancel, on the thread that asks.
  void OnCancel(std::function<void(std::int64_t)> call) {
    MutexLock lock(mu_);
    on_cancel_ = std::move(call);
  }

  const std::string& name() const override { return name_; }
  const std::string& version() const override { return version_; }
  const std::string& file() const override { return file_; }

  void Want(std::string, std::string, std::string) override {}

  void Start(std::string_view handler, std::unique_ptr<plugin::StepInput> input) override {
    Script script;
    {
      MutexLock lock(mu_);
      const auto found = scripts_.find(std::string(handler));
      if (found != scripts_.end()) script = found->second;
      for (auto& [pool, free] : capacity_) {
        if (free > 0) --free;
      }
    }
    if (script) {
      script(ScriptedAttempt(calls_, std::move(input)));
    } else {
      calls_.finished(input->claim, workflow::HandedBack{}, {});
    }
  }
  void Cancel(std::int64_t claim, plugin::CancelReason) override {
    std::function<void(std::int64_t)> call;
    {
      MutexLock lock(mu_);
      cancelled_.push_back(claim);
      call = on_cancel_;
    }
    if (call) call(claim);
  }
  std::uint32_t Capacity(std::uint32_t pool) const override {
    MutexLock lock(mu_);
    const auto found = capacity_.find(pool);
    return found == capacity_.end() ? 0 : found->second;
  }
  std::vector<Running> RunningCalls() const override { return {}; }
  Status Stop(Steady) override { return Ok(); }
  plugin::Ledger Leaked() const override { return {}; }

 private:
  const std::string name_ = "scripted";
  const std::string version_ = "1";
  const std::string file_ = "built in";
  plugin::HandlerRegistry& registry_;
  const plugin::HostCalls& calls_;

  mutable Mutex mu_;
  std::map<std::string, Script> scripts_ GUARDED_BY(mu_);
  std::map<std::uint32_t, std::uint32_t> capacity_ GUARDED_BY(mu_);
  std::vector<std::int64_t> cancelled_ GUARDED_BY(mu_);
  std::function<void(std::int64_t)> on_cancel_ GUARDED_BY(mu_);
};

}  // namespace tasker::testing
