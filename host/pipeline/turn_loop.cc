#include "pipeline/turn_loop.h"

#include <poll.h>

#include <algorithm>
#include <random>
#include <utility>

#include "base/own_thread.h"
#include "log/log.h"

namespace tasker::pipeline {
namespace {

constexpr std::chrono::seconds kProbeEvery{1};       // while the store cannot be written
constexpr std::chrono::seconds kBackstop{1};         // for a bell that did not ring
constexpr std::chrono::seconds kMissingEvery{1};     // when there is nothing else to do
constexpr std::chrono::seconds kMissingAtLeast{10};  // when there always is
constexpr std::chrono::seconds kShareEvery{1};
constexpr std::chrono::seconds kWaitMax{5};  // for its start here, when another worker could run it
constexpr std::chrono::seconds kFlushMin{1};
constexpr std::chrono::seconds kJumpMin{1};  // of the wall clock, to be spoken of
constexpr int kFlushTries = 2;

Steady Monotonic() { return std::chrono::steady_clock::now(); }

std::uint64_t RandomSeed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

}  // namespace

TurnLoop::TurnLoop(const TurnLimits& limits, store::Store& store,
                   const plugin::HandlerRegistry& registry, Inbox& inbox, Dispatcher& dispatcher,
                   SettledWaiters& settled, Clock& clock)
    : limits_(limits),
      store_(store),
      inbox_(inbox),
      settled_(settled),
      clock_(clock),
      claiming_(limits.in_flight_max, limits.threads, limits.handler_limits, registry, dispatcher),
      in_flight_(limits.in_flight_max, store.slots(), claiming_.handlers(), dispatcher, batch_,
                 clock),
      missing_(registry),
      peers_(limits.worker),
      pruning_(limits.keep_finished),
      seed_(RandomSeed()) {}

TurnLoop::~TurnLoop() { Stop(Monotonic()); }

Status TurnLoop::Start() {
  TRY(reader_, store_.NewReader());
  // The first turn announces these; an error here is one of the store, and a reason not to start.
  TRY(auto handlers, claiming_.Refresh(store_, Monotonic()));
  batch_.AddAnnounce({std::move(handlers)});
  // To wait for its turn is progress: who does not go on is another process.
  store_.set_on_wait([this] { beats_.fetch_add(1, std::memory_order_relaxed); });
  thread_ = std::thread([this] { Run(); });
  return Ok();
}

void TurnLoop::Ask(Phase phase) {
  {
    MutexLock lock(mu_);
    asked_ = std::max(asked_, phase);
  }
  inbox_.Wake(false);
}

bool TurnLoop::WaitDrained(Steady deadline) {
  MutexLock lock(mu_);
  while (!drained_ && !ended_ && !hurried_) {
    if (!changed_.WaitUntil(mu_, deadline) && Monotonic() >= deadline) break;
  }
  return drained_ || ended_;
}

void TurnLoop::Hurry() {
  MutexLock lock(mu_);
  hurried_ = true;
  changed_.NotifyAll();
}

void TurnLoop::Stop(Steady deadline) {
  inbox_.CloseSubmissions();
  if (!thread_.joinable()) return;
  Ask(Phase::kFlushing);
  {
    MutexLock lock(mu_);
    const Steady last = std::max(deadline, Monotonic() + kFlushMin);
    while (!ended_) {
      if (changed_.WaitUntil(mu_, last) || Monotonic() < last) continue;
      store_.StopWaiting();
      while (!ended_) changed_.Wait(mu_);
    }
  }
  thread_.join();
  store_.set_on_wait(nullptr);
}

TurnLoopStatus TurnLoop::status() const {
  TurnLoopStatus status;
  {
    MutexLock lock(mu_);
    status = published_;
  }
  status.beats = beats_.load(std::memory_order_relaxed);
  return status;
}

void TurnLoop::Run() {
  BeginThread("tasker-turn");
  while (true) {
    beats_.fetch_add(1, std::memory_order_relaxed);
    EnterPhase();
    if (inbox_.TakeWake()) claiming_.MayBeReady();
    RefreshHandlers();
    LookForPeers();
    Collect();
    const Steady now = Monotonic();
    in_flight_.TimeOut(now);
    ShareWaiting(now);
    // First: what cannot be stored would be due for ever.
    if (Finished()) break;
    if (TurnIsDue(now)) {
      RunTurn(now);
    } else {
      LookForMissingHandlers();
      Prune();
      Publish(now);
      Sleep();
    }
    NoticeOthers();
  }
  End();
}

void TurnLoop::EnterPhase() {
  Phase asked;
  {
    MutexLock lock(mu_);
    asked = asked_;
  }
  if (asked >= Phase::kDraining && phase_ < Phase::kDraining) {
    inbox_.CloseSubmissions();
    in_flight_.HandBackUnstarted();
  }
  if (asked >= Phase::kCancelling && phase_ < Phase::kCancelling) in_flight_.CancelRunning();
  if (asked >= Phase::kFlushing && phase_ < Phase::kFlushing) {
    Collect();  // an end that is here is better than a hand-back
    in_flight_.HandBackRunning();
  }
  phase_ = asked;
}

void TurnLoop::Sleep() {
  if (!inbox_.MaySleep()) return;
  const Steady now = Monotonic();
  Steady until = others_looked_ + kBackstop;
  if (outage_) {
    until = std::min(until, outage_->next_probe);
  } else if (next_due_ && phase_ == Phase::kRunning) {
    until =
        std::min(until, now + std::max(*next_due_ - clock_.Now(), std::chrono::microseconds(0)));
  }
  if (!outage_ && phase_ == Phase::kRunning)
    until = std::min({until, peers_.next_look(), pruning_.next()});
  if (const auto timeout = in_flight_.next_timeout()) until = std::min(until, *timeout);
  const auto wait = std::max<std::chrono::nanoseconds>(until - now, std::chrono::nanoseconds(0));
  const auto seconds = std::chrono::floor<std::chrono::seconds>(wait);
  const timespec timeout{seconds.count(), (wait - seconds).count()};
  pollfd fds[] = {{inbox_.fd(), POLLIN, 0}, {store_.bell_fd(), POLLIN, 0}};
  static_cast<void>(
      ::ppoll(fds, std::size(fds), &timeout, nullptr));  // whatever it says, all is looked at
  inbox_.Awake();
}

// Own commits ring the bell too, so that it is asked who rang.
void TurnLoop::NoticeOthers() {
  const Steady now = Monotonic();
  pollfd bell{store_.bell_fd(), POLLIN, 0};
  const bool rang = bell.fd >= 0 && ::poll(&bell, 1, 0) > 0;
  if (!rang && now < others_looked_ + kBackstop) return;
  others_looked_ = now;
  const auto changed = store_.Changed();
  if (!changed)
    return NoteError("cannot see whether another process has committed: " +
                     changed.error().message);
  if (!*changed) return;
  others_committed_ = true;
  LookAtWhatOthersDid();
}

void TurnLoop::LookAtWhatOthersDid() {
  peers_.LookSoon();
  settled_.LookAgain();
  const auto revoked = store_.Revoked(limits_.worker);
  if (!revoked)
    return NoteError("cannot see what others have cancelled: " + revoked.error().message);
  in_flight_.Revoke(*revoked);
}

void TurnLoop::LookForPeers() {
  const Steady now = Monotonic();
  if (outage_ || phase_ != Phase::kRunning || !peers_.Due(now)) return;
  auto dead = peers_.Look(store_, now);
  if (!dead) return NoteError("cannot see which workers live: " + dead.error().message);
  for (store::Bury& bury : *dead) batch_.AddBury(std::move(bury));
}

// What waits here for its start while another worker could run it goes back, once.
void TurnLoop::ShareWaiting(Steady now) {
  if (outage_ || phase_ != Phase::kRunning || peers_.alone() || now < shared_looked_ + kShareEvery)
    return;
  shared_looked_ = now;
  const auto elsewhere = peers_.ServedElsewhere(*reader_);
  if (!elsewhere) return NoteError("cannot see what others serve: " + elsewhere.error().message);
  const std::int64_t handed_back = in_flight_.HandBackWaiting(now - kWaitMax, *elsewhere);
  if (handed_back == 0) return;
  log::Info("pipeline", "steps that waited here go back, for another worker to run",
            {{"steps", handed_back}});
  claiming_.HoldBack();
}

void TurnLoop::RefreshHandlers() {
  const Steady now = Monotonic();
  if (phase_ != Phase::kRunning || outage_ || !claiming_.Outdated(now)) return;
  auto handlers = claiming_.Refresh(store_, now);
  if (!handlers)
    return NoteError("cannot take over a change of the handlers: " + handlers.error().message);
  batch_.AddAnnounce({*std::move(handlers)});
}

void TurnLoop::LookForMissingHandlers() {
  const Steady now = Monotonic();
  if (!missing_outdated_ || phase_ != Phase::kRunning || now < missing_looked_ + kMissingEvery)
    return;
  missing_looked_ = now;
  missing_outdated_ = false;
  const Status looked = missing_.Look(*reader_, peers_.alive(), now);
  if (!looked) NoteError("cannot look for steps without a handler: " + looked.error().message);
  own_.missing_handlers = missing_.names();
}

void TurnLoop::Prune() {
  if (outage_ || phase_ != Phase::kRunning || Monotonic() < pruning_.next()) return;
  const Status pruned = pruning_.RunSlice(store_, clock_.Now());
  if (!pruned) NoteError("cannot delete tasks that ended long ago: " + pruned.error().message);
}

void TurnLoop::Collect() {
  if (batch_.items() >= limits_.turn_max_items || batch_.bytes() >= limits_.turn_max_bytes) return;
  inbox_.Take(limits_.turn_max_items - batch_.items(), limits_.turn_max_bytes - batch_.bytes(),
              taken_);
  for (Message& message : taken_) {
    const std::size_t bytes = BytesOf(message);
    std::visit([&](auto& known) { Accept(std::move(known), bytes); }, message);
  }
  taken_.clear();
}

void TurnLoop::Accept(SubmitAsked asked, std::size_t bytes) {
  if (outage_) {
    asked.reply->Answer(
        Unavailable("the task was not stored: " + outage_->reason + "; submit it again later"));
    return;
  }
  batch_.AddSubmit(std::move(asked), bytes);
}

void TurnLoop::Accept(CheckpointAsked asked, std::size_t bytes) {
  const Place* const place = in_flight_.Running(asked.claim);
  if (place == nullptr) {
    asked.reply->Answer(Conflict("this attempt has ended; its checkpoint was not stored"));
    return;
  }
  batch_.AddCheckpoint(place->step, std::move(asked), bytes);
}

void TurnLoop::Accept(ActAsked asked, std::size_t bytes) { batch_.AddAct(std::move(asked), bytes); }

void TurnLoop::Accept(AttemptEnded ended, std::size_t bytes) {
  std::string read_error = std::move(ended.read_error);
  if (!in_flight_.End(std::move(ended), bytes) || read_error.empty()) return;
  NoteError("cannot read what steps are given: " + read_error);
  claiming_.Pause(std::move(read_error), Monotonic());
}

bool TurnLoop::MayClaim(Steady now) const {
  return phase_ == Phase::kRunning && !outage_ && claiming_.Paused(now) == nullptr && !AllStuck();
}

bool TurnLoop::TurnIsDue(Steady now) {
  if (outage_) return now >= outage_->next_probe || (phase_ == Phase::kFlushing && !batch_.empty());
  if (!batch_.empty()) return true;
  if (phase_ != Phase::kRunning) return false;
  if (others_committed_ || (next_due_ && *next_due_ <= clock_.Now())) return true;
  return MayClaim(now) && claiming_.Due(now, in_flight_.running());
}

void TurnLoop::RunTurn(Steady now) {
  store::TurnInput in;
  in.worker = limits_.worker;
  in.now = clock_.Now();
  NoteJump();
  in.seed = ++seed_;
  // What this turn stores may become ready in it.
  if (!batch_.empty() || others_committed_ || next_due_) claiming_.MayBeReady();
  Plan plan;
  if (MayClaim(now)) plan = claiming_.PlanNow(now, in_flight_.running());
  in.demand = plan.demand;
  in.free_total = plan.free_total;
  in.events.swap(batch_.events());
  auto out = store_.Commit(in);
  in.events.swap(batch_.events());
  if (!out) return NotCommitted(out.error(), now);
  Committed(*std::move(out), plan, now);
}

void TurnLoop::Committed(store::TurnOutput out, const Plan& plan, Steady now) {
  ++own_.turns;
  own_.commits += out.committed ? 1 : 0;
  own_.claimed += out.claimed.size();
  own_.submitted += batch_.submits();
  own_.ended += static_cast<std::uint64_t>(batch_.ends());
  missing_outdated_ = missing_outdated_ || out.committed || others_committed_;
  others_committed_ = false;
  // A time that has come and that the turn did not move is asked for again, but not at once.
  next_due_ = out.next_due;
  if (next_due_ && *next_due_ <= clock_.Now() && !out.committed)
    next_due_ = clock_.Now() + kBackstop;
  claiming_.Found(plan, out.claimed.size(), out.more_ready);

  in_flight_.FreeEnded();
  in_flight_.Dispatch(std::move(out.claimed));
  batch_.Committed(out.acks);
  in_flight_.EndReturned();
  if (out.committed) settled_.Tell(out.settled);
  if (out.others_committed) LookAtWhatOthersDid();  // which Changed will not say again
  in_flight_.Revoke(out.revoked);
  if (outage_ && HandBackForgotten()) {
    log::Info("pipeline", "the store can be written again");
    outage_.reset();
    claiming_.MayBeReady();
    LookAtWhatOthersDid();  // and at what a turn did whose answer was lost
  }
  if (now >= missing_looked_ + kMissingAtLeast) LookForMissingHandlers();
  Publish(now);
}

// Said once a jump.
void TurnLoop::NoteJump() {
  const auto drift = std::chrono::duration_cast<std::chrono::seconds>(clock_.drift());
  const bool jumped = std::chrono::abs(drift) > kJumpMin;
  if (jumped && !jumped_) {
    log::Warning(
        "pipeline",
        "the machine's clock was set by " + std::to_string(drift.count()) +
            " s; times here follow it slowly, so that what waits neither comes at once nor "
            "stays away",
        {{"seconds", std::int64_t{drift.count()}}});
  }
  jumped_ = jumped;
}

// The turn may have happened or not: what it told goes again, what it claimed is asked for when the
// store answers.
void TurnLoop::NotCommitted(const Error& error, Steady now) {
  if (phase_ == Phase::kFlushing) ++flush_failures_;
  NoteError("the turn was not committed, so nothing is claimed: " + error.message);
  outage_ = Outage{error.message, now + kProbeEvery};
  batch_.NotCommitted(error);
  Publish(now);
}

// After an outage: the claims of a turn whose answer was lost. False: the store cannot say.
bool TurnLoop::HandBackForgotten() {
  const auto claims = store_.Claims(limits_.worker);
  if (!claims) {
    NoteError("cannot compare the claims with the store: " + claims.error().message);
    outage_->next_probe = Monotonic() + kProbeEvery;
    return false;
  }
  in_flight_.HandBackForgotten(*claims);
  return true;
}

// A handler that ends on a thread of its own holds none of these once its start() has returned.
bool TurnLoop::AllStuck() const {
  return in_flight_.stuck() >= limits_.threads && claiming_.unreturned() >= limits_.threads;
}

bool TurnLoop::Finished() const {
  if (phase_ != Phase::kFlushing) return false;
  return batch_.empty() || flush_failures_ >= kFlushTries;
}

void TurnLoop::NoteError(std::string message) {
  log::Error("pipeline", message);
  own_.last_error = std::move(message);
  own_.last_error_us = clock_.Now().time_since_epoch().count();
}

void TurnLoop::Publish(Steady now) {
  own_.in_flight = in_flight_.count();
  own_.places = claiming_.places();
  own_.not_ready.clear();
  if (phase_ != Phase::kRunning) {
    own_.not_ready = "the host stops";
  } else if (outage_) {
    own_.not_ready = "the store cannot be written: " + outage_->reason;
  } else if (AllStuck()) {
    own_.not_ready =
        "every executor thread is held by a handler that was timed out or cancelled "
        "and does not return";
  } else if (const std::string* const reason = claiming_.Paused(now)) {
    own_.not_ready = "the store cannot be read: " + *reason;
  }
  store_.board().Write(own_);
  MutexLock lock(mu_);
  published_ = own_;
  const bool drained = phase_ != Phase::kRunning && in_flight_.count() == 0 && batch_.empty();
  if (drained == drained_) return;
  drained_ = drained;
  changed_.NotifyAll();
}

void TurnLoop::End() {
  const Error stopped = Unavailable("the host has stopped");
  lost_ = !batch_.empty();
  if (lost_) {
    log::Error("pipeline",
               "the last turn could not be stored; the next start finds these steps as lost",
               {{"ends", batch_.ends()}});
  }
  batch_.GiveUp(stopped);
  for (Message& message : inbox_.Close()) {
    if (auto* const submit = std::get_if<SubmitAsked>(&message)) submit->reply->Answer(stopped);
    if (auto* const checkpoint = std::get_if<CheckpointAsked>(&message))
      checkpoint->reply->Answer(stopped);
    if (auto* const act = std::get_if<ActAsked>(&message)) act->reply->Answer(stopped);
  }
  settled_.Close();
  Publish(Monotonic());
  MutexLock lock(mu_);
  ended_ = true;
  changed_.NotifyAll();
}

}  // namespace tasker::pipeline
