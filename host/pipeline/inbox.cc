#include "pipeline/inbox.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <iterator>
#include <system_error>
#include <utility>

namespace tasker::pipeline {
namespace {

// Of a row beside its texts.
constexpr std::size_t kRowBytes = 128;

struct Size {
  std::size_t operator()(const SubmitAsked& m) const {
    return m.submit.context.size() + m.submit.envelope.size();
  }
  std::size_t operator()(const CheckpointAsked& m) const { return m.body.size(); }
  std::size_t operator()(const ActAsked& m) const {
    return m.act.result.size() + m.act.reason.size();
  }
  std::size_t operator()(const AttemptEnded& m) const { return std::visit(*this, m.outcome); }

  std::size_t operator()(const workflow::Succeeded& o) const {
    return o.result.size() + o.metadata.size() + o.events.size();
  }
  std::size_t operator()(const workflow::Failed& o) const {
    return o.message.size() + o.backtrace.size() + o.context.size() + o.metadata.size();
  }
  std::size_t operator()(const workflow::Yielded& o) const {
    return o.checkpoint ? o.checkpoint->size() : 0;
  }
  std::size_t operator()(const workflow::TimedOut&) const { return 0; }
  std::size_t operator()(const workflow::HandedBack&) const { return 0; }
};

Error Stopped() {
  return Unavailable("the host stops and takes nothing new; send it again to one that runs");
}

}  // namespace

std::size_t BytesOf(const Message& message) { return kRowBytes + std::visit(Size{}, message); }

Result<std::unique_ptr<Inbox>> Inbox::Open(std::size_t submissions_max) {
  UniqueFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd.valid()) {
    return Internal("cannot make the event descriptor that wakes the turn thread: " +
                    std::generic_category().message(errno) + "; raise the limit of open files");
  }
  return std::unique_ptr<Inbox>(new Inbox(std::move(fd), submissions_max));
}

Inbox::Inbox(UniqueFd fd, std::size_t submissions_max)
    : fd_(std::move(fd)), submissions_max_(submissions_max) {}

Status Inbox::PushSubmit(SubmitAsked asked) {
  bool ring = false;
  {
    MutexLock lock(mu_);
    if (closed_ || submissions_closed_) return Stopped();
    if (submissions_ >= submissions_max_) {
      return Unavailable(std::to_string(submissions_) +
                         " submissions wait for the store already; try again later");
    }
    ++submissions_;
    arrived_.emplace_back(std::move(asked));
    ring = std::exchange(asleep_, false);
  }
  if (ring) Ring();
  return Ok();
}

Status Inbox::PushCheckpoint(CheckpointAsked asked) { return PushWaiting(std::move(asked)); }

Status Inbox::PushAct(ActAsked asked) { return PushWaiting(std::move(asked)); }

void Inbox::PushEnd(AttemptEnded ended) { static_cast<void>(PushWaiting(std::move(ended))); }

Status Inbox::PushWaiting(Message message) {
  bool ring = false;
  {
    MutexLock lock(mu_);
    if (closed_) return Stopped();
    arrived_.push_back(std::move(message));
    ring = std::exchange(asleep_, false);
  }
  if (ring) Ring();
  return Ok();
}

void Inbox::Wake(bool demand_changed) {
  bool ring = false;
  {
    MutexLock lock(mu_);
    woken_ = true;
    demand_changed_ = demand_changed_ || demand_changed;
    ring = std::exchange(asleep_, false);
  }
  if (ring) Ring();
}

void Inbox::CloseSubmissions() {
  MutexLock lock(mu_);
  submissions_closed_ = true;
}

std::vector<Message> Inbox::Close() {
  std::vector<Message> left(std::make_move_iterator(taken_.begin()),
                            std::make_move_iterator(taken_.end()));
  taken_.clear();
  MutexLock lock(mu_);
  closed_ = true;
  std::move(arrived_.begin(), arrived_.end(), std::back_inserter(left));
  arrived_.clear();
  submissions_ = 0;
  return left;
}

void Inbox::Take(std::size_t items_max, std::size_t bytes_max, std::vector<Message>& out) {
  std::vector<Message> arrived;
  {
    MutexLock lock(mu_);
    arrived.swap(arrived_);
    submissions_ = 0;
  }
  std::move(arrived.begin(), arrived.end(), std::back_inserter(taken_));
  std::size_t items = 0;
  std::size_t bytes = 0;
  while (!taken_.empty() && items < items_max) {
    bytes += BytesOf(taken_.front());
    if (items > 0 && bytes > bytes_max) return;
    ++items;
    out.push_back(std::move(taken_.front()));
    taken_.pop_front();
  }
}

bool Inbox::TakeWake() {
  MutexLock lock(mu_);
  woken_ = false;
  return std::exchange(demand_changed_, false);
}

bool Inbox::MaySleep() {
  if (!taken_.empty()) return false;
  MutexLock lock(mu_);
  if (!arrived_.empty() || woken_) return false;
  asleep_ = true;
  return true;
}

void Inbox::Awake() {
  {
    MutexLock lock(mu_);
    asleep_ = false;
  }
  eventfd_t count = 0;
  static_cast<void>(::eventfd_read(fd_.get(), &count));  // EAGAIN: nobody rang
}

void Inbox::Ring() { static_cast<void>(::eventfd_write(fd_.get(), 1)); }

}  // namespace tasker::pipeline
