#include "pipeline/peers.h"

#include <utility>

#include "log/log.h"

namespace tasker::pipeline {
namespace {

// Nobody else can die when nobody else is there; one that comes rings the bell.
constexpr std::chrono::milliseconds kProbeEvery{500};
constexpr std::chrono::milliseconds kAloneEvery{10'000};
// Busy peers commit all the time, and a look probes every lock.
constexpr std::chrono::milliseconds kSoon{50};

std::string Named(const store::OpenWorker& worker) {
  return "worker " + std::to_string(worker.id) + " (pid " + std::to_string(worker.pid) + ")";
}

}  // namespace

store::Bury BurialOf(const store::OpenWorker& dead) {
  log::Info(
      "pipeline", Named(dead) + " has died; its steps go on here",
      {{"worker", dead.id}, {"pid", dead.pid}, {"running", std::uint64_t{dead.running.size()}}});
  return {dead.id, Named(dead) + " died", dead.running};
}

std::chrono::milliseconds Peers::Interval() const {
  if (outdated_) return kSoon;
  return alone() ? kAloneEvery : kProbeEvery;
}

Result<std::vector<store::Bury>> Peers::Look(store::Store& store, Steady now) {
  looked_ = now;
  TRY(const auto workers, store.Workers());
  outdated_ = false;
  alive_ = {self_};
  std::vector<store::Bury> dead;
  for (const store::OpenWorker& worker : workers) {
    if (worker.id == self_) continue;
    if (worker.alive) {
      alive_.push_back(worker.id);
      NoteStopped(worker);
    } else if (burying_.insert(worker.id).second) {
      stopped_.erase(worker.id);
      dead.push_back(BurialOf(worker));
    }
  }
  return dead;
}

void Peers::NoteStopped(const store::OpenWorker& worker) {
  if (!worker.stopped) {
    if (stopped_.erase(worker.id) > 0) log::Info("pipeline", Named(worker) + " responds again");
    return;
  }
  if (!stopped_.insert(worker.id).second) return;
  log::Warning(
      "pipeline",
      Named(worker) +
          " is unresponsive: its process is stopped. It keeps its steps, because it may go "
          "on; let it (kill -CONT) or kill it",
      {{"worker", worker.id}, {"pid", worker.pid}});
}

Result<std::set<std::int64_t>> Peers::ServedElsewhere(store::Reader& reader) const {
  std::set<std::int64_t> handlers;
  for (const std::int64_t worker : alive_) {
    if (worker == self_) continue;
    TRY(const auto served, reader.HandlerIdsOf(worker));
    handlers.insert(served.begin(), served.end());
  }
  return handlers;
}

}  // namespace tasker::pipeline
