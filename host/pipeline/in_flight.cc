#include "pipeline/in_flight.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <variant>

#include "base/check.h"
#include "log/log.h"

namespace tasker::pipeline {
namespace {

Steady Monotonic() { return std::chrono::steady_clock::now(); }

// The wall-clock time of a steady one.
Time ToWall(Steady then, Steady now, Time now_wall) {
  return now_wall - std::chrono::duration_cast<std::chrono::microseconds>(now - then);
}

void LogFailure(const Place& place, const workflow::Failed& failed) {
  const std::string& handler = place.definition().handler.callable;
  log::Warning("pipeline", "an attempt of handler '" + handler + "' failed: " + failed.type,
               {{"task", place.task.ToString()},
                {"step", place.definition().name},
                {"attempt", place.attempt},
                {"handler", handler},
                {"retryable", failed.retryable ? "true" : "false"}});
}

plugin::CancelReason ReasonOf(workflow::Revocation::Why why) {
  switch (why) {
    case workflow::Revocation::Why::kTimeout:
      return plugin::CancelReason::kTimeout;
    case workflow::Revocation::Why::kResolved:
      return plugin::CancelReason::kResolved;
    case workflow::Revocation::Why::kCancelled:
      break;
  }
  return plugin::CancelReason::kCancelled;
}

}  // namespace

InFlight::InFlight(std::int32_t places, store::RunningSlots& slots, ServedHandlers& handlers,
                   Dispatcher& dispatcher, TurnBatch& batch, Clock& clock)
    : slots_(slots),
      handlers_(handlers),
      dispatcher_(dispatcher),
      batch_(batch),
      clock_(clock),
      places_(places) {
  CHECK(places <= slots.size());
}

void InFlight::Dispatch(std::vector<store::Claimed> claimed) {
  const Steady now = Monotonic();
  for (const store::Claimed& claim : claimed) {
    handlers_.Claimed(claim.handler);
    // It starts later, if at all: then it is looked at again.
    if (const auto timeout = claim.definition().timeout())
      timeouts_.Add(now + *timeout, claim.claim);
  }
  const auto refused = dispatcher_.Dispatch(std::move(claimed), handlers_, places_);
  CHECK(refused.empty());  // only served handlers are asked for, and they change on this thread
}

const Place* InFlight::Running(std::int64_t claim) {
  const Place* const place = places_.Find(store::ClaimId{claim});
  return place == nullptr || place->ended ? nullptr : place;
}

bool InFlight::End(AttemptEnded ended, std::size_t bytes) {
  Place* const place = places_.Find(store::ClaimId{ended.claim});
  if (place == nullptr) return false;
  if (place->ended) {
    // What comes after a timeout is kept: it says what the handler did all the same.
    if (place->timed_out && !place->returned) place->returned = std::move(ended);
    return false;
  }
  EndPlace(*place, std::move(ended), bytes);
  return true;
}

void InFlight::EndPlace(Place& place, AttemptEnded ended, std::size_t bytes) {
  const Steady now = Monotonic();
  const Time wall = clock_.Now();
  place.ended = true;
  ++ended_;
  // A handler that has not returned still counts against its limit.
  if (!place.timed_out || place.late) handlers_.Ended(place.handler, now);
  store::End end;
  end.step = place.step;
  end.claim = place.claim;
  end.outcome = std::move(ended.outcome);
  end.claimed = place.claimed;
  if (ended.started != Steady{}) end.started = ToWall(ended.started, now, wall);
  end.ended = ToWall(ended.ended, now, wall);
  batch_.AddEnd(std::move(end), bytes);
}

void InFlight::HandBack(Place& place, bool started) {
  AttemptEnded ended;
  ended.outcome = workflow::HandedBack{started};
  ended.ended = Monotonic();
  EndPlace(place, std::move(ended), 0);
}

// The slot stays set until here: a handler that ran and whose end was not committed has run,
// whoever asks after a crash.
void InFlight::FreeEnded() {
  for (const store::Event& event : batch_.events()) {
    const auto* const end = std::get_if<store::End>(&event);
    if (end == nullptr) continue;
    Place* const place = places_.Find(end->claim);
    if (place == nullptr) continue;  // a forgotten one
    if (const auto* const failed = std::get_if<workflow::Failed>(&end->outcome))
      LogFailure(*place, *failed);
    --ended_;
    if (std::holds_alternative<workflow::TimedOut>(end->outcome)) {
      CommittedTimeOut(*place);
      continue;
    }
    if (place->late) --late_;
    slots_.Clear(place->slot);
    places_.Free(end->claim);
  }
}

void InFlight::EndReturned() {
  for (const store::ClaimId claim : std::exchange(returned_, {})) {
    Place& place = *places_.Find(claim);
    EndPlace(place, *std::move(place.returned), 0);
  }
}

void InFlight::CommittedTimeOut(Place& place) {
  place.ended = false;
  if (!std::exchange(place.late, true)) ++late_;
  if (place.returned) returned_.push_back(place.claim);
}

void InFlight::TimeOut(Steady now) {
  for (const store::ClaimId claim : timeouts_.TakeDue(now)) {
    Place* const place = places_.Find(claim);
    if (place == nullptr || place->ended || place->late) continue;
    const std::chrono::seconds timeout = *place->definition().timeout();
    const auto started = slots_.Started(place->slot, claim);
    const Steady deadline = started.value_or(now) + timeout;
    if (deadline > now) {
      timeouts_.Add(deadline, claim);
      continue;
    }
    log::Warning("pipeline",
                 "handler '" + place->definition().handler.callable + "' has not ended within " +
                     std::to_string(timeout.count()) + " s, its step's timeout_seconds",
                 {{"task", place->task.ToString()},
                  {"step", place->definition().name},
                  {"attempt", place->attempt},
                  {"handler", place->definition().handler.callable}});
    const auto* const served = handlers_.Find(place->handler);
    AttemptEnded ended;
    ended.claim = workflow::Number(claim);
    ended.outcome = workflow::TimedOut{served != nullptr && served->info.idempotent};
    ended.started = *started;
    ended.ended = now;
    place->timed_out = true;
    EndPlace(*place, std::move(ended), 0);
  }
}

std::int64_t InFlight::stuck() const {
  if (late_ == 0) return 0;
  return std::ranges::count_if(places_.all(), [](const auto& entry) {
    const Place& place = entry.second;
    return place.late && !place.ended && place.on_executor_thread;
  });
}

std::int64_t InFlight::HandBackWaiting(Steady since,
                                       const std::set<std::int64_t>& served_elsewhere) {
  std::int64_t handed_back = 0;
  for (auto& [claim, place] : places_.all()) {
    if (place.ended || place.late || place.dispatched > since) continue;
    if (!served_elsewhere.contains(place.handler)) continue;
    if (slots_.Started(place.slot, place.claim) || !dispatcher_.TakeBack(place)) continue;
    HandBack(place, false);
    ++handed_back;
  }
  return handed_back;
}

void InFlight::Revoke(const std::vector<workflow::Revocation>& revoked) {
  for (const workflow::Revocation& revocation : revoked) {
    Place* const place = places_.Find(revocation.claim);
    if (place == nullptr || place->ended) continue;
    if (!place->late && dispatcher_.TakeBack(*place)) {
      HandBack(*place, false);
    } else {
      if (!std::exchange(place->late, true)) ++late_;
      place->instance->Cancel(workflow::Number(revocation.claim), ReasonOf(revocation.why));
    }
  }
}

void InFlight::HandBackUnstarted() {
  for (const store::ClaimId claim : dispatcher_.Close()) {
    Place* const place = places_.Find(claim);
    CHECK(place != nullptr);
    HandBack(*place, false);
  }
}

void InFlight::CancelRunning() {
  for (auto& [claim, place] : places_.all()) {
    if (!place.ended) place.instance->Cancel(claim, plugin::CancelReason::kShutdown);
  }
}

// What the store has ended stays as it is: its step must not run elsewhere while it runs here.
void InFlight::HandBackRunning() {
  for (auto& [claim, place] : places_.all()) {
    if (!place.ended && !place.late) HandBack(place, true);
  }
}

void InFlight::HandBackForgotten(const std::vector<store::HeldClaim>& held) {
  for (const store::HeldClaim& claim : held) {
    if (places_.Find(claim.claim) != nullptr) continue;
    store::End end;
    end.step = claim.step;
    end.claim = claim.claim;
    end.outcome = workflow::HandedBack{};
    end.ended = clock_.Now();
    batch_.AddEnd(std::move(end), 0);
  }
}

}  // namespace tasker::pipeline
