#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/turn.h"
#include "tests/support/faulty_tx.h"
#include "tests/support/turn_backend.h"
#include "tests/support/workflow_builder.h"

namespace tasker::testing {

// A backend with workflows, and hosts that take turns on it, all on one thread and with no clock
// but the test's.
class SimulatedStore final {
 public:
  static constexpr std::int64_t kHandlers = 16;  // 100 to 115: BuildWorkflow's

  explicit SimulatedStore(BackendKind kind, std::int32_t crashes_allowed = 3)
      : backend_(MakeBackend(kind)), crash_max_(crashes_allowed) {
    for (std::int64_t i = 0; i < kHandlers; ++i) backend_->AddHandler(100 + i);
  }

  TurnBackend& backend() { return *backend_; }
  std::int32_t crash_max() const { return crash_max_; }

  // Known to the store from now on; its id.
  std::int64_t Add(workflow::Workflow flow) {
    flow.id = static_cast<std::int64_t>(workflows_.size()) + 1;
    backend_->AddTemplate(flow.id, flow.definition.namespace_name);
    const std::int64_t id = flow.id;
    workflows_.emplace(id, std::make_shared<const workflow::Workflow>(std::move(flow)));
    return id;
  }
  const workflow::Workflow& WorkflowAt(std::int64_t id) const { return *workflows_.at(id); }

  // A process that works on the store. Moved only before its first turn.
  class Host final {
   public:
    // `worker` 0: a client.
    Host(SimulatedStore& store, std::int64_t worker)
        : worker_(worker),
          store_(store),
          real_(store.backend_->NewHost()),
          tx_(real_),
          turns_(tx_,
                 [&store](std::int64_t id) -> Result<std::shared_ptr<const workflow::Workflow>> {
                   const auto at = store.workflows_.find(id);
                   if (at == store.workflows_.end()) {
                     return NotFound("the store has no template " + std::to_string(id));
                   }
                   return at->second;
                 },
                 {.crash_max = store.crash_max_}) {
      if (worker_ == 0) return;
      store.backend_->AddWorker(worker_);
      turns_.BecomeWorker(worker_, {});
    }
    ~Host() { store_.backend_->Drop(real_); }
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;

    std::int64_t worker() const { return worker_; }
    store::TurnRunner& turns() { return turns_; }
    store::Tx& tx() { return real_; }
    void Fail(FaultyTx::Fault fault) { tx_.Fail(fault); }

    Result<store::TurnOutput> Turn(Time now, std::vector<store::Event> events,
                                   std::vector<store::Demand> demand = {}, std::uint64_t seed = 1) {
      store::TurnInput in;
      in.worker = worker_;
      in.now = now;
      in.seed = seed;
      in.events = std::move(events);
      in.demand = std::move(demand);
      for (const store::Demand& d : in.demand) in.free_total += d.free;
      return turns_.Run(in);
    }

   private:
    const std::int64_t worker_;
    SimulatedStore& store_;
    store::Tx& real_;
    FaultyTx tx_;
    store::TurnRunner turns_;
  };

  // A host that nobody was before.
  std::unique_ptr<Host> Start() { return std::make_unique<Host>(*this, ++workers_); }
  std::unique_ptr<Host> StartClient() { return std::make_unique<Host>(*this, 0); }

  // Demand for every handler.
  static std::vector<store::Demand> WantAll(std::int32_t free) {
    store::Demand demand;
    demand.free = free;
    for (std::int64_t i = 0; i < kHandlers; ++i) demand.handlers.push_back(100 + i);
    return {demand};
  }

 private:
  const std::unique_ptr<TurnBackend> backend_;
  const std::int32_t crash_max_;
  std::map<std::int64_t, std::shared_ptr<const workflow::Workflow>> workflows_;
  std::int64_t workers_ = 0;
};

}  // namespace tasker::testing
