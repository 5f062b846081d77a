#pragma once

#include <string>
#include <utility>

#include "plugin/instance.h"
#include "plugin/rundown.h"

namespace tasker::plugin {

// The way from a plugin to its host, until it is cut: a plugin that was left behind may call for as
// long as the process lives, what HostCalls reaches does not. Thread-safe.
class Uplink final {
 public:
  explicit Uplink(const HostCalls& calls) : calls_(calls) {}

  void Finished(std::int64_t claim, workflow::Outcome&& outcome, Steady started) {
    if (!under_way_.Enter()) return;
    calls_.finished(claim, std::move(outcome), started);
    under_way_.Leave();
  }
  Status Checkpoint(std::int64_t claim, std::string body) {
    if (!under_way_.Enter()) return Unavailable("the host has stopped");
    Status saved = calls_.checkpoint(claim, std::move(body));
    under_way_.Leave();
    return saved;
  }
  Result<std::string> Client(std::string_view operation, std::string_view request) {
    if (!under_way_.Enter()) return Unavailable("the host has stopped");
    Result<std::string> reply = calls_.client ? calls_.client(operation, request)
                                              : Unavailable("this host has no client for plugins");
    under_way_.Leave();
    return reply;
  }
  std::string HostStatus() {
    if (!under_way_.Enter()) return "{}";
    std::string status = calls_.status ? calls_.status() : "{}";
    under_way_.Leave();
    return status;
  }
  void DemandChanged() {
    if (!under_way_.Enter()) return;
    calls_.demand_changed();
    under_way_.Leave();
  }

  // Returns when no call is under way; later ones reach nobody.
  void Cut() {
    under_way_.Close();
    under_way_.WaitEmpty();
  }

 private:
  const HostCalls& calls_;
  Rundown under_way_;
};

}  // namespace tasker::plugin
