#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "pipeline/demand.h"
#include "pipeline/rate_window.h"
#include "plugin/instance.h"
#include "plugin/registry.h"
#include "store/store.h"

namespace tasker::pipeline {

// The handlers of the live instances here, as the store numbers them, and what of them is in
// flight. Owned by the turn thread.
class ServedHandlers final {
 public:
  struct Served {
    std::int64_t id = 0;
    plugin::HandlerInfo info;
    plugin::Instance* instance = nullptr;
    bool maybe_ready = true;  // steps of it may be enqueued that no claim has looked for
  };
  using Intern =
      std::function<Result<std::vector<std::int64_t>>(std::span<const store::HandlerName>)>;

  // `limits`: attempts at once of single handlers, beside what they say themselves.
  ServedHandlers(const plugin::HandlerRegistry& registry,
                 std::map<std::string, std::int64_t> limits)
      : registry_(registry), limits_(std::move(limits)) {}

  // Whether the registry has changed since the last Refresh that succeeded.
  bool Outdated() const { return registry_.version() != version_; }
  // Reads the registry; `intern` numbers the names.
  Status Refresh(const Intern& intern);

  const Served* Find(std::int64_t handler) const;
  const std::map<std::int64_t, Served>& all() const { return served_; }

  // An attempt of this handler was claimed, or its end is about to be committed.
  void Claimed(std::int64_t handler) { ++counts_[handler].in_flight; }
  void Ended(std::int64_t handler, Steady now);

  // Steps may have become ready.
  void MarkAll();
  // A claim for these has found all that is ready.
  void Unmark(std::span<const store::Demand> demand);
  // Whether a handler is marked; of these, or of all.
  bool AnyMarked(std::span<const store::Demand> demand) const;
  bool AnyMarked() const;

  // The handlers as PlanDemand wants them, and the pools that their `pool` counts. A serial handler
  // is limited to what it starts one after the other within about a second.
  struct Pool {
    plugin::Instance* instance;
    std::uint32_t number;
  };
  struct Loads {
    std::vector<HandlerLoad> handlers;
    std::vector<Pool> pools;
  };
  Loads LoadsAt(Steady now);

 private:
  struct Count {
    std::int64_t in_flight = 0;
    RateWindow ends;
  };

  const plugin::HandlerRegistry& registry_;
  const std::map<std::string, std::int64_t> limits_;
  std::uint64_t version_ = 0;
  std::map<std::int64_t, Served> served_;
  std::map<std::int64_t, Count> counts_;  // also of handlers that are not served any more
};

}  // namespace tasker::pipeline
