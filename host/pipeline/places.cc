#include "pipeline/places.h"

#include "base/check.h"

namespace tasker::pipeline {

Places::Places(std::int32_t slots) {
  places_.reserve(static_cast<std::size_t>(slots));
  free_slots_.reserve(static_cast<std::size_t>(slots));
  for (std::int32_t slot = slots; slot-- > 0;) free_slots_.push_back(slot);
}

Place& Places::Take(const store::Claimed& claimed, plugin::Instance* instance, Executor* executor) {
  CHECK(!free_slots_.empty());
  const auto [entry, added] = places_.try_emplace(workflow::Number(claimed.claim));
  CHECK(added);
  Place& place = entry->second;
  place.step = claimed.step;
  place.claim = claimed.claim;
  place.task = claimed.task;
  place.workflow = claimed.workflow;
  place.template_step = claimed.template_step;
  place.handler = claimed.handler;
  place.attempt = claimed.attempt;
  place.slot = free_slots_.back();
  place.instance = instance;
  place.executor = executor;
  place.claimed = claimed.claimed;
  place.dispatched = std::chrono::steady_clock::now();
  free_slots_.pop_back();
  return place;
}

Place* Places::Find(store::ClaimId claim) {
  const auto found = places_.find(workflow::Number(claim));
  return found == places_.end() ? nullptr : &found->second;
}

void Places::Free(store::ClaimId claim) {
  const auto found = places_.find(workflow::Number(claim));
  CHECK(found != places_.end());
  free_slots_.push_back(found->second.slot);
  places_.erase(found);
}

}  // namespace tasker::pipeline
