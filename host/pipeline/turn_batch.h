#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "pipeline/inbox.h"
#include "store/store.h"

namespace tasker::pipeline {

// The events of the next turn and who waits for their answers. Owned by the turn thread.
class TurnBatch final {
 public:
  // `bytes`: BytesOf the message that it came from.
  void AddSubmit(SubmitAsked asked, std::size_t bytes);
  void AddCheckpoint(store::StepKey step, CheckpointAsked asked, std::size_t bytes);
  void AddAct(ActAsked asked, std::size_t bytes);
  void AddEnd(store::End end, std::size_t bytes);
  void AddAnnounce(store::Announce announce);
  void AddBury(store::Bury bury);

  std::vector<store::Event>& events() { return events_; }
  bool empty() const { return events_.empty(); }
  std::size_t items() const { return events_.size(); }
  std::size_t bytes() const { return bytes_; }
  std::size_t submits() const { return submits_; }
  // The ends among the events.
  std::int64_t ends() const { return ends_; }

  // The turn was committed: answers and forgets everything.
  void Committed(const std::vector<store::Ack>& acks);
  // It was not, or perhaps not: submissions are answered with the error and forgotten; the rest
  // goes again.
  void NotCommitted(const Error& error);
  // Nothing goes again: answers whoever still waits.
  void GiveUp(const Error& error);

 private:
  store::Ticket NewTicket(Reply* reply);
  void Answer(store::Ticket ticket, const Result<store::Ack>& answer);

  std::vector<store::Event> events_;
  std::unordered_map<std::uint64_t, Reply*> waiting_;  // by ticket
  std::uint64_t last_ticket_ = 0;
  std::size_t bytes_ = 0;
  std::size_t submit_bytes_ = 0;  // among them
  std::size_t submits_ = 0;
  std::int64_t ends_ = 0;
};

}  // namespace tasker::pipeline
