#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "pipeline/claiming.h"
#include "pipeline/dispatcher.h"
#include "pipeline/in_flight.h"
#include "pipeline/inbox.h"
#include "pipeline/missing_handlers.h"
#include "pipeline/peers.h"
#include "pipeline/pruning.h"
#include "pipeline/settled_waiters.h"
#include "pipeline/turn_batch.h"
#include "plugin/registry.h"
#include "store/reads.h"
#include "store/store.h"

namespace tasker::pipeline {

struct TurnLimits {
  std::int64_t worker = 0;
  std::int32_t in_flight_max = 256;
  std::int64_t threads = 1;                                 // of the shared executor
  std::map<std::string, std::int64_t> handler_limits = {};  // handler -> attempts at once here
  std::chrono::milliseconds keep_finished{0};               // 0: for ever
  std::size_t turn_max_items = 4096;
  std::size_t turn_max_bytes = std::size_t{64} << 20;
};

// What others may know about the loop.
struct TurnLoopStatus : store::WorkerNotice {
  std::uint64_t beats = 0;  // grows at least once a second while the turn thread makes progress
  std::vector<std::string> missing_handlers;
};

// The turn thread: gathers what has arrived and what is wanted, commits it as one turn, and only
// then dispatches and answers. The store is its own while it runs. Start and Stop belong to one
// thread; the rest is thread-safe.
class TurnLoop final {
 public:
  TurnLoop(const TurnLimits& limits, store::Store& store, const plugin::HandlerRegistry& registry,
           Inbox& inbox, Dispatcher& dispatcher, SettledWaiters& settled, Clock& clock);
  ~TurnLoop();  // Stop with the deadline now.
  TurnLoop(const TurnLoop&) = delete;
  TurnLoop& operator=(const TurnLoop&) = delete;

  Status Start();

  // From now on claims nothing and hands back what has not started.
  void Drain() { Ask(Phase::kDraining); }
  // After Drain: waits until nothing is in flight. False: the deadline, or Hurry, came first.
  bool WaitDrained(Steady deadline);
  // Asks every attempt that runs to stop.
  void CancelRunning() { Ask(Phase::kCancelling); }
  // Makes a WaitDrained in progress, and later ones, return.
  void Hurry();
  // Drains, hands back what still runs, commits what there is, ends the thread. At the deadline,
  // but not sooner than in a second, it stops waiting for the store. Idempotent.
  void Stop(Steady deadline);

  // After Stop: everything that was to be stored is.
  bool flushed() const { return !lost_; }

  TurnLoopStatus status() const;

 private:
  enum class Phase { kRunning, kDraining, kCancelling, kFlushing };
  struct Outage {
    std::string reason;
    Steady next_probe;
  };

  void Ask(Phase phase);
  void Run();
  void EnterPhase();
  void Sleep();
  void NoticeOthers();
  void LookAtWhatOthersDid();
  void LookForPeers();
  void ShareWaiting(Steady now);
  void RefreshHandlers();
  void LookForMissingHandlers();
  void Prune();

  void Collect();
  void Accept(SubmitAsked asked, std::size_t bytes);
  void Accept(CheckpointAsked asked, std::size_t bytes);
  void Accept(ActAsked asked, std::size_t bytes);
  void Accept(AttemptEnded ended, std::size_t bytes);

  bool AllStuck() const;
  bool MayClaim(Steady now) const;
  bool TurnIsDue(Steady now);
  void RunTurn(Steady now);
  void NoteJump();
  void Committed(store::TurnOutput out, const Plan& plan, Steady now);
  void NotCommitted(const Error& error, Steady now);
  bool HandBackForgotten();

  bool Finished() const;
  void NoteError(std::string message);
  void Publish(Steady now);
  void End();

  const TurnLimits limits_;
  store::Store& store_;
  Inbox& inbox_;
  SettledWaiters& settled_;
  Clock& clock_;

  // Of the turn thread once started.
  std::unique_ptr<store::Reader> reader_;
  Claiming claiming_;
  TurnBatch batch_;
  InFlight in_flight_;
  MissingHandlers missing_;
  Peers peers_;
  Pruning pruning_;
  Steady shared_looked_{};  // when claims that wait were last offered to others
  std::vector<Message> taken_;
  Phase phase_ = Phase::kRunning;
  std::optional<Outage> outage_;
  std::optional<Time> next_due_;
  bool others_committed_ = true;  // another process, since the last turn
  Steady others_looked_{};        // when that was last asked
  bool jumped_ = false;           // the wall clock stands apart, which the log has said
  bool missing_outdated_ =
      true;  // something was committed since the last look for missing handlers
  Steady missing_looked_{};
  std::uint64_t seed_;
  int flush_failures_ = 0;
  bool lost_ = false;   // ends that could not be stored at last
  TurnLoopStatus own_;  // what is published

  std::atomic<std::uint64_t> beats_ = 0;

  mutable Mutex mu_;
  CondVar changed_;
  Phase asked_ GUARDED_BY(mu_) = Phase::kRunning;
  bool drained_ GUARDED_BY(mu_) = false;
  bool hurried_ GUARDED_BY(mu_) = false;
  bool ended_ GUARDED_BY(mu_) = false;
  TurnLoopStatus published_ GUARDED_BY(mu_);

  std::thread thread_;
};

}  // namespace tasker::pipeline
