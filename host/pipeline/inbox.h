#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "pipeline/reply.h"
#include "store/store.h"
#include "workflow/outcome.h"

namespace tasker::pipeline {

// What other threads tell the turn thread.
struct SubmitAsked {
  store::Submit submit;
  Reply* reply = nullptr;
};
struct CheckpointAsked {
  std::int64_t claim = 0;
  std::string body;  // JSON
  Reply* reply = nullptr;
};
struct ActAsked {
  store::Act act;
  Reply* reply = nullptr;
};
struct AttemptEnded {
  std::int64_t claim = 0;
  workflow::Outcome outcome;
  Steady started, ended;   // `started` is Steady{} when the handler was not called
  std::string read_error;  // why the store could not be read for it; empty: that was not the reason
};
using Message = std::variant<SubmitAsked, CheckpointAsked, ActAsked, AttemptEnded>;

// Roughly what it occupies in the turn's transaction.
std::size_t BytesOf(const Message& message);

// The way to the turn thread: many push, one takes. Submissions are bounded here; checkpoints and
// ends are so by the places. Push..., Wake and Close... are thread-safe; the rest belongs to the
// turn thread.
class Inbox final {
 public:
  static Result<std::unique_ptr<Inbox>> Open(std::size_t submissions_max);
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  // kUnavailable when it is closed or too many wait; then nobody answers the reply.
  Status PushSubmit(SubmitAsked asked);
  Status PushCheckpoint(CheckpointAsked asked);
  Status PushAct(ActAsked asked);
  // After Close it is dropped: the claim was handed back.
  void PushEnd(AttemptEnded ended);
  // The turn thread has a reason to look around; `demand_changed`: a plugin registered, or a
  // runtime takes more.
  void Wake(bool demand_changed);

  // Refuses submissions from now on.
  void CloseSubmissions();
  // Refuses everything from now on and returns what was not taken.
  std::vector<Message> Close();

  // Appends what has arrived, in order, to `out` until it would exceed a bound; at least one
  // message if there is any.
  void Take(std::size_t items_max, std::size_t bytes_max, std::vector<Message>& out);
  // Forgets the calls of Wake; returns whether one of them said that demand has changed.
  bool TakeWake();
  // False if there is something to take or Wake was called. Else from now on a push makes fd()
  // readable.
  bool MaySleep();
  // After a sleep: pushes need not make fd() readable any more.
  void Awake();
  int fd() const { return fd_.get(); }

 private:
  Inbox(UniqueFd fd, std::size_t submissions_max);
  Status PushWaiting(Message message);
  void Ring();

  const UniqueFd fd_;
  const std::size_t submissions_max_;
  std::deque<Message> taken_;  // of the turn thread
  Mutex mu_;
  std::vector<Message> arrived_ GUARDED_BY(mu_);
  std::size_t submissions_ GUARDED_BY(mu_) = 0;  // among arrived_
  bool woken_ GUARDED_BY(mu_) = false;
  bool demand_changed_ GUARDED_BY(mu_) = false;
  bool asleep_ GUARDED_BY(mu_) = false;
  bool submissions_closed_ GUARDED_BY(mu_) = false;
  bool closed_ GUARDED_BY(mu_) = false;
};

}  // namespace tasker::pipeline
