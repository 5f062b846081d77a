#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/uuid.h"
#include "pipeline/inbox.h"
#include "plugin/instance.h"
#include "store/store.h"

namespace tasker::pipeline {

class Executor;

// One claim of this worker whose end is not committed.
struct Place {
  store::StepKey step;
  store::ClaimId claim{};
  Uuid task;
  std::shared_ptr<const store::Workflow> workflow;  // owners: the store's cache and every attempt
  std::int32_t template_step = 0;
  std::int64_t handler = 0;
  std::int32_t attempt = 1;
  std::int32_t slot = 0;  // of store::RunningSlots
  plugin::Instance* instance = nullptr;
  Executor* executor = nullptr;
  Time claimed;
  Steady dispatched;
  bool on_executor_thread = true;  // which its handler occupies until it returns
  bool ended = false;              // its end is known and waits for its commit
  bool timed_out = false;          // and that end is, or was, a timeout
  bool late = false;  // ended in the store (timeout, cancel): what waits is its handler's return
  std::optional<AttemptEnded> returned;  // what came while the timeout waited for its commit

  const workflow::StepDefinition& definition() const {
    return workflow->definition.steps[static_cast<std::size_t>(template_step)];
  }
};

// The claims in flight, each with a slot of its own. Owned by the turn thread.
class Places final {
 public:
  explicit Places(std::int32_t slots);

  // There must be a free slot, and no place of this claim. The reference holds until Free.
  Place& Take(const store::Claimed& claimed, plugin::Instance* instance, Executor* executor);
  Place* Find(store::ClaimId claim);
  // The end is committed.
  void Free(store::ClaimId claim);

  std::int64_t size() const { return static_cast<std::int64_t>(places_.size()); }
  std::unordered_map<std::int64_t, Place>& all() { return places_; }
  const std::unordered_map<std::int64_t, Place>& all() const { return places_; }

 private:
  std::unordered_map<std::int64_t, Place> places_;  // by the claim's number
  std::vector<std::int32_t> free_slots_;
};

}  // namespace tasker::pipeline
