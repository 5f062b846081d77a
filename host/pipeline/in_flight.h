#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "base/clock.h"
#include "pipeline/dispatcher.h"
#include "pipeline/inbox.h"
#include "pipeline/places.h"
#include "pipeline/served_handlers.h"
#include "pipeline/timeouts.h"
#include "pipeline/turn_batch.h"
#include "store/running_slots.h"
#include "store/store.h"

namespace tasker::pipeline {

// The claims of this worker, from the commit of the claim to the commit of its end. Owned by the
// turn thread.
class InFlight final {
 public:
  // At most `places`, which `slots` must have.
  InFlight(std::int32_t places, store::RunningSlots& slots, ServedHandlers& handlers,
           Dispatcher& dispatcher, TurnBatch& batch, Clock& clock);

  // Committed claims: each gets a place and goes to its handler.
  void Dispatch(std::vector<store::Claimed> claimed);

  // Null: no claim of ours, or its end is known already.
  const Place* Running(std::int64_t claim);
  // An attempt ended: its end goes into the batch. False: its claim was handed back meanwhile, or
  // has ended before.
  bool End(AttemptEnded ended, std::size_t bytes);
  // The ends in the batch are committed: their places are free.
  void FreeEnded();
  // Ends what has returned while its timeout waited for its commit. After the batch was emptied.
  void EndReturned();

  // What the store ended while its handler runs is asked to stop, or taken back if it has not
  // started.
  void Revoke(const std::vector<workflow::Revocation>& revoked);

  // Ends, as timed out, what has run for longer than its step may; asks it to stop once that is
  // committed. It keeps its place until its handler has returned.
  void TimeOut(Steady now);
  // Not before then has TimeOut anything to do.
  std::optional<Steady> next_timeout() const { return timeouts_.next(); }

  // Hands back what waits since before `since` for its start and another worker could run. Returns
  // how many.
  std::int64_t HandBackWaiting(Steady since, const std::set<std::int64_t>& served_elsewhere);
  // Starts nothing any more, and hands back what had not started.
  void HandBackUnstarted();
  // Asks all that runs to stop.
  void CancelRunning();
  // Hands back what still runs; when it returns, that is dropped.
  void HandBackRunning();

  // Claims that the store believes to be ours: hands back those that have no place here.
  void HandBackForgotten(const std::vector<store::HeldClaim>& held);

  std::int64_t count() const { return places_.size(); }
  // Less those whose end is in the batch.
  std::int64_t running() const { return places_.size() - ended_; }
  // Handlers of the executor threads that the store has ended and that have not returned.
  std::int64_t stuck() const;

 private:
  void EndPlace(Place& place, AttemptEnded ended, std::size_t bytes);
  void CommittedTimeOut(Place& place);
  void HandBack(Place& place, bool started);

  store::RunningSlots& slots_;
  ServedHandlers& handlers_;
  Dispatcher& dispatcher_;
  TurnBatch& batch_;
  Clock& clock_;
  Places places_;
  Timeouts timeouts_;
  std::vector<store::ClaimId> returned_;  // late places whose handler has returned already
  std::int64_t ended_ = 0;
  std::int64_t late_ = 0;  // places that are
};

}  // namespace tasker::pipeline
