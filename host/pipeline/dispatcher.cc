#include "pipeline/dispatcher.h"

#include <utility>

namespace tasker::pipeline {

Dispatcher::Dispatcher(const store::Store& store, store::RunningSlots& slots, Inbox& inbox,
                       std::int64_t hydrated_max_bytes)
    : store_(store),
      slots_(slots),
      inbox_(inbox),
      hydrated_max_bytes_(hydrated_max_bytes),
      shared_("of the in-process handlers", hydrated_max_bytes, inbox, slots) {}

Status Dispatcher::Start(std::int32_t threads) { return shared_.Start(store_, threads); }

Status Dispatcher::StartRuntimes(const ServedHandlers& handlers) {
  for (const auto& [id, served] : handlers.all()) {
    if (served.info.threads != plugin::HandlerInfo::Threads::kRuntime) continue;
    std::unique_ptr<Executor>& executor = runtimes_[served.instance];
    if (executor) continue;
    auto made = std::make_unique<Executor>("of plugin " + served.instance->name(),
                                           hydrated_max_bytes_, inbox_, slots_);
    TRY_OK(made->Start(store_, 1));
    executor = std::move(made);
  }
  return Ok();
}

Executor* Dispatcher::ExecutorOf(const ServedHandlers::Served& served) {
  if (served.info.threads != plugin::HandlerInfo::Threads::kRuntime) return &shared_;
  const auto found = runtimes_.find(served.instance);
  return found == runtimes_.end() ? nullptr : found->second.get();
}

std::vector<store::Claimed> Dispatcher::Dispatch(std::vector<store::Claimed> claimed,
                                                 const ServedHandlers& handlers, Places& places) {
  std::vector<store::Claimed> refused;
  std::map<Executor*, std::vector<Work>> queued;
  for (store::Claimed& claim : claimed) {
    const ServedHandlers::Served* const served = handlers.Find(claim.handler);
    Executor* const executor = served == nullptr ? nullptr : ExecutorOf(*served);
    if (executor == nullptr) {
      refused.push_back(std::move(claim));
      continue;
    }
    Place& place = places.Take(claim, served->instance, executor);
    place.on_executor_thread = executor == &shared_;
    const std::uint32_t pool =
        served->info.threads == plugin::HandlerInfo::Threads::kRuntime ? served->info.pool : 0;
    std::vector<Work>& work = queued[executor];
    if (work.empty()) work.reserve(claimed.size());
    work.push_back({std::move(claim), served->instance, place.slot, pool});
  }
  for (auto& [executor, work] : queued) executor->Dispatch(std::move(work));
  return refused;
}

std::vector<store::ClaimId> Dispatcher::Close() {
  std::vector<store::ClaimId> left;
  const auto close = [&left](Executor& executor) {
    for (const Work& work : executor.Close()) left.push_back(work.claimed.claim);
  };
  close(shared_);
  for (auto& [instance, executor] : runtimes_) {
    if (executor) close(*executor);
  }
  return left;
}

std::optional<std::int64_t> Dispatcher::Unstarted(const ServedHandlers::Pool& pool, bool wake) {
  const auto found = runtimes_.find(pool.instance);
  if (found == runtimes_.end() || !found->second) return std::nullopt;
  return found->second->Unstarted(pool.number, wake);
}

std::int32_t Dispatcher::Stop(Steady deadline) {
  static_cast<void>(Close());
  std::int32_t left_behind = shared_.Stop(deadline);
  for (auto& [instance, executor] : runtimes_) {
    if (executor) left_behind += executor->Stop(deadline);
  }
  return left_behind;
}

}  // namespace tasker::pipeline
