#include "pipeline/turn_batch.h"

#include <utility>
#include <variant>

namespace tasker::pipeline {

void TurnBatch::AddSubmit(SubmitAsked asked, std::size_t bytes) {
  bytes_ += bytes;
  submit_bytes_ += bytes;
  ++submits_;
  asked.submit.ticket = NewTicket(asked.reply);
  events_.emplace_back(std::move(asked.submit));
}

void TurnBatch::AddCheckpoint(store::StepKey step, CheckpointAsked asked, std::size_t bytes) {
  bytes_ += bytes;
  events_.emplace_back(store::Checkpoint{NewTicket(asked.reply), step, store::ClaimId{asked.claim},
                                         std::move(asked.body)});
}

void TurnBatch::AddAct(ActAsked asked, std::size_t bytes) {
  bytes_ += bytes;
  asked.act.ticket = NewTicket(asked.reply);
  events_.emplace_back(std::move(asked.act));
}

void TurnBatch::AddEnd(store::End end, std::size_t bytes) {
  bytes_ += bytes;
  ++ends_;
  events_.emplace_back(std::move(end));
}

void TurnBatch::AddAnnounce(store::Announce announce) { events_.emplace_back(std::move(announce)); }

void TurnBatch::AddBury(store::Bury bury) { events_.emplace_back(std::move(bury)); }

store::Ticket TurnBatch::NewTicket(Reply* reply) {
  waiting_.emplace(++last_ticket_, reply);
  return store::Ticket{last_ticket_};
}

void TurnBatch::Answer(store::Ticket ticket, const Result<store::Ack>& answer) {
  const auto waits = waiting_.find(static_cast<std::uint64_t>(ticket));
  if (waits == waiting_.end()) return;
  waits->second->Answer(answer);
  waiting_.erase(waits);
}

void TurnBatch::Committed(const std::vector<store::Ack>& acks) {
  for (const store::Ack& ack : acks) Answer(ack.ticket, ack);
  GiveUp(Internal("the store committed the turn without an answer to this item"));
}

void TurnBatch::NotCommitted(const Error& error) {
  Error answer =
      Unavailable("the task was not stored: " + error.message + "; submit it again later");
  if (error.code == ErrorCode::kUnknown) {
    answer.message =
        "the task may or may not have been stored: " + error.message +
        "; submit it again later with the same key, which makes sure that it runs once";
  }
  std::erase_if(events_, [&](const store::Event& event) {
    const auto* const submit = std::get_if<store::Submit>(&event);
    if (submit == nullptr) return false;
    Answer(submit->ticket, answer);
    return true;
  });
  bytes_ -= submit_bytes_;
  submit_bytes_ = submits_ = 0;
}

void TurnBatch::GiveUp(const Error& error) {
  for (const auto& [ticket, reply] : waiting_) reply->Answer(error);
  waiting_.clear();
  events_.clear();
  bytes_ = submit_bytes_ = submits_ = 0;
  ends_ = 0;
}

}  // namespace tasker::pipeline
