#include "pipeline/executor.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/own_thread.h"
#include "log/log.h"
#include "workflow/identity.h"

namespace tasker::pipeline {
namespace {

constexpr int kReadTries = 3;
constexpr std::chrono::milliseconds kOutsideMax{
    10};  // until a thread that is outside of a handler is looked at again

Steady Now() { return std::chrono::steady_clock::now(); }

void LogStart(const Work& work, const std::string& handler) {
  log::Debug("pipeline", "attempt starts",
             {{"task", work.claimed.task.ToString()},
              {"step", work.claimed.definition().name},
              {"attempt", work.claimed.attempt},
              {"handler", handler}});
}

}  // namespace

// What a thread may touch after its handler returned, whatever became of the executor meanwhile.
struct Executor::Seat {
  enum class Phase { kOutside, kInHandler, kLeftBehind };

  explicit Seat(std::unique_ptr<store::Reader> made, std::int64_t bytes_max)
      : reader(std::move(made)), hydrator(*reader, bytes_max) {}

  std::atomic<Phase> phase{Phase::kOutside};
  std::unique_ptr<store::Reader> reader;  // of the thread; of whoever left it behind
  Hydrator hydrator;
  bool ended = false;  // guarded by the executor's mu_
};

Executor::Executor(std::string name, std::int64_t hydrated_max_bytes, Inbox& inbox,
                   store::RunningSlots& slots)
    : name_(std::move(name)),
      hydrated_max_bytes_(hydrated_max_bytes),
      inbox_(inbox),
      slots_(slots) {}

Executor::~Executor() { static_cast<void>(Stop(Now())); }

Status Executor::Start(const store::Store& store, std::int32_t threads) {
  for (std::int32_t i = 0; i < threads; ++i) {
    auto reader = store.NewReader();
    if (!reader) return Prefixed("executor " + name_, reader.error());
    seats_.push_back(std::make_shared<Seat>(*std::move(reader), hydrated_max_bytes_));
    threads_.emplace_back([this, seat = seats_.back()] { Run(*seat); });
  }
  return Ok();
}

void Executor::Dispatch(std::vector<Work> work) {
  std::size_t wake = 0;
  {
    MutexLock lock(mu_);
    CHECK(!closed_);
    for (const Work& one : work) ++unstarted_[one.pool];
    std::move(work.begin(), work.end(), std::back_inserter(queue_));
    wake = std::min(work.size(), static_cast<std::size_t>(sleeping_));
  }
  for (; wake > 0; --wake) changed_.NotifyOne();
}

std::vector<Work> Executor::Close() {
  std::vector<Work> left;
  MutexLock lock(mu_);
  closed_ = true;
  std::move(queue_.begin(), queue_.end(), std::back_inserter(left));
  queue_.clear();
  for (const Work& one : left) --unstarted_[one.pool];
  changed_.NotifyAll();
  return left;
}

std::optional<Work> Executor::TakeBack(workflow::ClaimId claim) {
  MutexLock lock(mu_);
  const auto found =
      std::ranges::find_if(queue_, [&](const Work& one) { return one.claimed.claim == claim; });
  if (found == queue_.end()) return std::nullopt;
  Work work = std::move(*found);
  queue_.erase(found);
  --unstarted_[work.pool];
  return work;
}

std::int64_t Executor::Unstarted(std::uint32_t pool, bool wake) {
  MutexLock lock(mu_);
  const auto count = unstarted_.find(pool);
  if (count == unstarted_.end() || count->second == 0) return 0;
  if (wake) wake_ = true;
  return count->second;
}

void Executor::Run(Seat& seat) {
  BeginThread("tasker-exec");
  std::optional<std::uint32_t> done;
  while (auto work = Next(done)) {
    done = work->pool;
    // Left behind: the executor may be gone.
    if (!Execute(seat, *std::move(work))) return;
  }
  MutexLock lock(mu_);
  seat.ended = true;
  ended_.NotifyAll();
}

// Nobody takes more than one, so that a slow step keeps no other from an idle thread.
std::optional<Work> Executor::Next(std::optional<std::uint32_t> done) {
  if (done && Returned(*done)) inbox_.Wake(false);
  MutexLock lock(mu_);
  while (queue_.empty() && !closed_) {
    ++sleeping_;
    changed_.Wait(mu_);
    --sleeping_;
  }
  if (queue_.empty()) return std::nullopt;
  Work next = std::move(queue_.front());
  queue_.pop_front();
  return next;
}

// Whether the turn thread asked to be woken for it.
bool Executor::Returned(std::uint32_t pool) {
  MutexLock lock(mu_);
  --unstarted_[pool];
  return std::exchange(wake_, false);
}

// False: this thread was left behind while its handler ran.
bool Executor::Execute(Seat& seat, Work work) {
  auto input = seat.hydrator.Hydrate(work.claimed);
  for (int tries = 1; !input && input.error().code != ErrorCode::kInvalid && tries < kReadTries;
       ++tries) {
    input = seat.hydrator.Hydrate(work.claimed);
  }
  if (!input && input.error().code == ErrorCode::kInvalid) {
    workflow::Failed failed;
    failed.retryable = false;
    failed.type = "tasker.input_too_large";
    failed.message = input.error().message;
    End(work, std::move(failed));
    return true;
  }
  if (!input) {
    End(work, workflow::HandedBack{}, input.error().message);
    return true;
  }
  if (closed_) {
    End(work, workflow::HandedBack{});
    return true;
  }
  const std::string handler = plugin::HandlerKey((*input)->handler, (*input)->resolver);
  if (log::Enabled("pipeline", log::Level::kDebug)) LogStart(work, handler);
  const Steady now = Now();
  const auto timeout = work.claimed.definition().timeout();
  if (timeout) (*input)->deadline = now + *timeout;
  slots_.Set(work.slot, work.claimed.claim, now);
  starts_.fetch_add(1, std::memory_order_relaxed);
  seat.phase = Seat::Phase::kInHandler;
  work.instance->Start(handler, *std::move(input));
  auto inside = Seat::Phase::kInHandler;
  return seat.phase.compare_exchange_strong(inside, Seat::Phase::kOutside);
}

void Executor::End(const Work& work, workflow::Outcome outcome, std::string read_error) {
  AttemptEnded ended;
  ended.claim = workflow::Number(work.claimed.claim);
  ended.outcome = std::move(outcome);
  ended.ended = Now();
  ended.read_error = std::move(read_error);
  inbox_.PushEnd(std::move(ended));
}

std::int32_t Executor::Stop(Steady deadline) {
  static_cast<void>(Close());
  std::int32_t left_behind = 0;
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    Seat& seat = *seats_[i];
    bool stuck = false;
    {
      MutexLock lock(mu_);
      while (!seat.ended && !stuck) {
        if (ended_.WaitUntil(mu_, deadline)) continue;
        // Outside of a handler it ends soon by itself.
        auto inside = Seat::Phase::kInHandler;
        stuck = seat.phase.compare_exchange_strong(inside, Seat::Phase::kLeftBehind);
        deadline = Now() + kOutsideMax;
      }
    }
    if (!stuck) {
      threads_[i].join();
      continue;
    }
    threads_[i].detach();
    seat.reader.reset();
    ++left_behind;
  }
  threads_.clear();
  seats_.clear();
  return left_behind;
}

}  // namespace tasker::pipeline
