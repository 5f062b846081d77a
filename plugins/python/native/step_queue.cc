#include "step_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "event_json.h"
#include "json_text.h"

namespace tasker::python {

void StepQueue::Open() {
  const std::lock_guard lock(mu_);
  open_ = giving_ = true;
  slots_ = {};
  out_ = 0;
  polled_.reset();
}

void StepQueue::Close() {
  std::deque<Item> left;
  {
    const std::lock_guard lock(mu_);
    open_ = giving_ = false;
    slots_ = {};
    polled_.reset();
    MoveWaiting(left);
  }
  arrived_.notify_all();
  async_arrived_.notify_all();
  HandBack(left);
}

bool StepQueue::open() const {
  const std::lock_guard lock(mu_);
  return open_;
}

tasker_status StepQueue::Start(const tasker_step& step, tasker_call* call, std::uint32_t pool) {
  Item item;
  item.call = call;
  item.event = ToString(step.call_id);
  item.json = EventJson(step, item.event);
  item.handler = View(step.handler);
  item.step_uuid = ToString(step.step);
  item.pool = pool;
  item.deadline_ns = step.deadline_ns;
  item.since = now_();
  std::deque<Item> unwanted;
  bool to_async = false, to_wake = false;
  {
    const std::lock_guard lock(mu_);
    const bool wanted = open_ && (Consumed() || polled_.has_value());
    (wanted ? waiting_[pool] : unwanted).push_back(std::move(item));
    to_async = pool == kAsyncPool && async_takers_ > 0;
    to_wake = wanted && (to_async || !watched_ || !LeftToOthers());
  }
  if (to_wake) (to_async ? async_arrived_ : arrived_).notify_one();
  HandBack(unwanted);
  return TASKER_OK;
}

std::string StepQueue::Cancel(tasker_call* call) {
  std::deque<Item> untaken;
  {
    const std::lock_guard lock(mu_);
    for (const auto& [event, held] : taken_) {
      if (held.call == call) return event;
    }
    for (std::deque<Item>& waiting : waiting_) {
      const auto found = std::ranges::find(waiting, call, &Item::call);
      if (found == waiting.end()) continue;
      untaken.push_back(std::move(*found));
      waiting.erase(found);
      break;
    }
    if (untaken.empty()) return {};
  }
  HandBack(untaken);
  StateDemand();
  return {};
}

void StepQueue::Consume(std::uint32_t slots, std::uint32_t async_slots) {
  std::deque<Item> left;
  {
    const std::lock_guard lock(mu_);
    if (!giving_) return;
    slots_ = {slots, async_slots};
    if (!Consumed() && !polled_) MoveWaiting(left);
  }
  StateDemand();
  HandBack(left);
}

std::string StepQueue::TakeFront(std::uint32_t pool) {
  Item item = std::move(waiting_[pool].front());
  waiting_[pool].pop_front();
  ++taken_of_[pool];
  taken_[item.event] = {item.call, std::move(item.handler), std::move(item.step_uuid), pool,
                        now_()};
  return WithDeadline(std::move(item.json), item.deadline_ns);
}

std::string StepQueue::TakeOldest() {
  const auto& sync = waiting_[kSyncPool];
  const auto& async = waiting_[kAsyncPool];
  const bool first = !async.empty() && (sync.empty() || async.front().since < sync.front().since);
  return TakeFront(first ? kAsyncPool : kSyncPool);
}

void StepQueue::MoveWaiting(std::deque<Item>& to) {
  for (std::deque<Item>& waiting : waiting_) {
    std::ranges::move(waiting, std::back_inserter(to));
    waiting.clear();
  }
}

// Whoever runs a step will be back for these before it would help to wake another.
bool StepQueue::LeftToOthers() { return out_ > 0 && crowd_.IsInTheWay(now_()); }

std::optional<std::string> StepQueue::Take(Steady deadline, std::chrono::nanoseconds waited) {
  thread_local Outing mine;
  const std::chrono::nanoseconds busy = busy_();  // a system call, so not with the lock
  std::unique_lock lock(mu_);
  ComeBack(mine, busy, waited);
  while (!Waiting() || LeftToOthers()) {
    const Steady now = std::chrono::steady_clock::now();
    if (!open_ || now >= deadline) {
      if (open_ && Waiting() && !watched_) arrived_.notify_one();  // somebody has to look
      return std::nullopt;
    }
    if (!Waiting() || watched_) {
      arrived_.wait_until(lock, deadline);
      continue;
    }
    watched_ = true;
    arrived_.wait_until(lock, std::min(deadline, now + Crowd::kPatience));
    watched_ = false;
  }
  mine = {this, now_(), busy, waited};
  ++out_;
  crowd_.Took(mine.took);
  std::string event = TakeOldest();
  const bool more = Waiting() && !watched_;
  lock.unlock();
  if (more) arrived_.notify_one();
  return event;
}

void StepQueue::ComeBack(Outing& outing, std::chrono::nanoseconds busy,
                         std::chrono::nanoseconds waited) {
  const Outing was = std::exchange(outing, {});
  if (was.queue != this || out_ == 0) return;
  --out_;
  crowd_.CameBack(now_() - was.took - (waited - was.waited), busy - was.busy);
}

std::optional<std::string> StepQueue::TakeAsync(Steady deadline) {
  std::unique_lock lock(mu_);
  const auto& waiting = waiting_[kAsyncPool];
  ++async_takers_;
  async_arrived_.wait_until(lock, deadline, [&] { return !waiting.empty() || !open_; });
  --async_takers_;
  if (waiting.empty()) return std::nullopt;
  return TakeFront(kAsyncPool);
}

std::optional<std::string> StepQueue::Poll() {
  std::optional<std::string> event;
  bool restate = false;
  {
    const std::lock_guard lock(mu_);
    if (!giving_) return std::nullopt;
    restate = !polled_ || now_() - *polled_ >= kUntakenMax;
    polled_ = now_();
    if (Waiting()) {
      event = TakeOldest();
      restate = true;
    }
  }
  if (restate) StateDemand();
  return event;
}

bool StepQueue::LookAfterPoller() {
  std::deque<Item> left;
  bool gone = false;
  {
    const std::lock_guard lock(mu_);
    if (!polled_) return false;
    const Steady now = now_();
    // One that holds a step may be running its handler between two polls.
    gone = taken_.empty() && now - *polled_ >= kPollerGone;
    if (gone) polled_.reset();
    for (std::deque<Item>& waiting : waiting_) {
      while (!Consumed() && !waiting.empty() &&
             (gone || now - waiting.front().since >= kUntakenMax)) {
        left.push_back(std::move(waiting.front()));
        waiting.pop_front();
      }
    }
  }
  if (gone) {
    link_.Log(nullptr, TASKER_LOG_WARNING,
              "nobody has called poll_step_events for 10 s: no step is taken until somebody does",
              {});
  }
  StateDemand();
  HandBack(left);
  return true;
}

bool StepQueue::Complete(const std::string& event, const std::string& result,
                         const std::string& metadata, const std::string& events) {
  const auto held = Forget(event);
  if (!held) return false;
  tasker_success success{};
  success.size = sizeof success;
  success.result = Borrowed(result);
  success.metadata = Borrowed(metadata);
  success.events = Borrowed(events);
  const tasker_status status = link_.host().complete(held->call, &success);
  link_.host().release(held->call);
  return status == TASKER_OK;
}

bool StepQueue::Fail(const std::string& event, const Failure& failure) {
  const auto held = Forget(event);
  if (!held) return false;
  tasker_failure out{};
  out.size = sizeof out;
  out.retryable = failure.retryable ? 1 : 0;
  out.type = Str(failure.type);
  out.message = Str(failure.message);
  out.backtrace = Str(failure.backtrace);
  out.error_code = Str(failure.error_code);
  out.http_status = failure.http_status;
  out.context = Borrowed(failure.context);
  out.metadata = Borrowed(failure.metadata);
  out.retry_after_ns = failure.retry_after.count();
  const tasker_status status = link_.host().fail(held->call, &out);
  link_.host().release(held->call);
  return status == TASKER_OK;
}

bool StepQueue::Yield(const std::string& event, const std::string& checkpoint,
                      std::chrono::nanoseconds resume_after) {
  const auto held = Forget(event);
  if (!held) return false;
  tasker_bytes bytes = Borrowed(checkpoint);
  const tasker_status status =
      link_.host().yield(held->call, checkpoint.empty() ? nullptr : &bytes, resume_after.count());
  link_.host().release(held->call);
  return status == TASKER_OK;
}

GoOn StepQueue::Heartbeat(const std::string& event, double progress, const std::string& note) {
  const auto call = Find(event);
  if (!call) return GoOn::kStale;
  switch (link_.host().heartbeat(*call, progress, Str(note))) {
    case TASKER_OK:
      return GoOn::kYes;
    case TASKER_E_CANCELLED:
      return GoOn::kCancelled;
    default:
      return GoOn::kStale;
  }
}

tasker_status StepQueue::Checkpoint(const std::string& event, const std::string& checkpoint) {
  const auto call = Find(event);
  if (!call) return TASKER_E_STALE;
  tasker_bytes bytes = Borrowed(checkpoint);
  return link_.host().checkpoint(*call, &bytes);
}

tasker_call* StepQueue::CallOf(const std::string& event) const {
  return Find(event).value_or(nullptr);
}

StepQueue::Figures StepQueue::figures() const {
  const std::lock_guard lock(mu_);
  Figures figures;
  figures.waiting = waiting_[kSyncPool].size() + waiting_[kAsyncPool].size();
  figures.slots = slots_[kSyncPool];
  figures.async_slots = slots_[kAsyncPool];
  figures.polled = polled_.has_value();
  for (const auto& [event, held] : taken_) {
    figures.taken.push_back({event, held.handler, held.step_uuid, held.since});
  }
  return figures;
}

bool StepQueue::polled() const {
  const std::lock_guard lock(mu_);
  return polled_.has_value();
}

void StepQueue::StopGiving() {
  std::deque<Item> left;
  {
    const std::lock_guard lock(mu_);
    giving_ = false;
    slots_ = {};
    polled_.reset();
    MoveWaiting(left);
  }
  StateDemand();
  HandBack(left);
}

// The token is the caller's from now on; whoever else ends the same event comes too late.
std::optional<StepQueue::Held> StepQueue::Forget(const std::string& event) {
  std::optional<Held> held;
  {
    const std::lock_guard lock(mu_);
    const auto found = taken_.find(event);
    if (found == taken_.end()) return std::nullopt;
    held = std::move(found->second);
    taken_.erase(found);
    --taken_of_[held->pool];
  }
  StateDemand();
  return held;
}

// A token that was released meanwhile is seen as stale.
std::optional<tasker_call*> StepQueue::Find(const std::string& event) const {
  const std::lock_guard lock(mu_);
  const auto found = taken_.find(event);
  if (found == taken_.end()) return std::nullopt;
  return found->second.call;
}

std::uint32_t StepQueue::Room(std::uint32_t pool) const {
  if (!giving_) return 0;
  if (Consumed()) {
    const std::size_t held = waiting_[pool].size() + taken_of_[pool];
    return held >= slots_[pool] ? 0 : slots_[pool] - static_cast<std::uint32_t>(held);
  }
  const bool polls = polled_ && now_() - *polled_ < kUntakenMax;
  return polls && !Waiting() ? 1 : 0;
}

void StepQueue::StateDemand() {
  const std::lock_guard order(demand_mu_);
  std::array<std::uint32_t, kPools> room{};
  {
    const std::lock_guard lock(mu_);
    for (std::uint32_t pool = 0; pool < kPools; ++pool) room[pool] = Room(pool);
  }
  link_.SetCapacity(kSyncPool, room[kSyncPool]);
  // Most programs have no async handlers.
  if (std::exchange(async_stated_, room[kAsyncPool] > 0) || async_stated_)
    link_.SetCapacity(kAsyncPool, room[kAsyncPool]);
}

void StepQueue::HandBack(const std::deque<Item>& items) {
  for (const Item& item : items) {
    static_cast<void>(link_.host().hand_back(item.call));
    link_.host().release(item.call);
  }
}

}  // namespace tasker::python
