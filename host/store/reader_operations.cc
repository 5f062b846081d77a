// What people read before they act: handlers with who serves them, dead letters.
#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

#include "store/reader_state.h"

namespace tasker::store {
namespace {

using sqlite::Statement;

constexpr std::int32_t kLimitMax = 1000;

Result<std::vector<DeadLetterView>> AllLetters(Statement& s) {
  std::vector<DeadLetterView> out;
  while (true) {
    TRY(const bool row, s.Step());
    if (!row) return out;
    out.push_back({.id = s.Int(0),
                   .task = s.UuidAt(1),
                   .ns = std::string(s.Text(2)),
                   .name = std::string(s.Text(3)),
                   .n = s.Int32(4),
                   .step = std::string(s.Text(5)),
                   .handler = std::string(s.Text(6)),
                   .reason = std::string(s.Text(7)),
                   .at = FromMicros(s.Int(8)),
                   .snapshot = std::string(s.Text(9)),
                   .resolution = std::string(s.Text(10)),
                   .notes = std::string(s.Text(11)),
                   .state = static_cast<workflow::StepState>(s.Int32(12))});
  }
}

// The handlers by their ids, while their list is filled.
using ById = std::unordered_map<std::int64_t, HandlerView*>;

Status ReadServers(Reader::State& state, const ById& handlers) {
  TRY(Statement* const served, state.Get("handlers_of_open_workers"));
  while (true) {
    TRY(const bool row, served->Step());
    if (!row) break;
    const auto at = handlers.find(served->Int(0));
    if (at != handlers.end()) at->second->servers.push_back({served->Int(1), 0});
  }
  TRY(Statement* const running, state.Get("running_by_handler"));
  while (true) {
    TRY(const bool row, running->Step());
    if (!row) return Ok();
    const auto at = handlers.find(running->Int(0));
    if (at == handlers.end()) continue;
    auto& servers = at->second->servers;
    const auto server = std::ranges::find(servers, running->Int(1), &HandlerView::Server::worker);
    if (server != servers.end()) server->running = running->Int(2);
  }
}

Status ReadPauses(Reader::State& state, const ById& handlers) {
  TRY(Statement* const pauses, state.Get("pauses"));
  while (true) {
    TRY(const bool row, pauses->Step());
    if (!row) return Ok();
    const auto at = handlers.find(pauses->Int(0));
    if (at == handlers.end()) continue;
    at->second->pause = ActionView{.n = std::nullopt,
                                   .at = FromMicros(pauses->Int(1)),
                                   .kind = "pause",
                                   .actor = std::string(pauses->Text(2)),
                                   .reason = std::string(pauses->Text(3))};
  }
}

}  // namespace

Result<std::vector<HandlerView>> Reader::Handlers() {
  TRY(const auto snapshot, Snapshot::Begin(*state_->connection));
  TRY(Statement* const handlers, state_->Get("handlers"));
  TRY(Statement* const enqueued, state_->Get("enqueued_of_handler"));
  std::vector<HandlerView> out;
  while (true) {
    TRY(const bool row, handlers->Step());
    if (!row) break;
    HandlerView& handler = out.emplace_back();
    handler.id = handlers->Int(0);
    handler.name = {std::string(handlers->Text(1)), std::string(handlers->Text(2)),
                    handlers->Int(3) != 0};
    handler.paused = handlers->Int(4) != 0;
    TRY(const bool counted, enqueued->Bind(handler.id).Step());
    if (counted) {
      handler.enqueued = enqueued->Int(0);
      handler.oldest_ready = enqueued->TimeAt(1);
    }
    enqueued->Reset();
  }
  ById by_id;
  for (HandlerView& handler : out) by_id.emplace(handler.id, &handler);
  TRY_OK(ReadServers(*state_, by_id));
  TRY_OK(ReadPauses(*state_, by_id));
  return out;
}

Result<std::vector<DeadLetterView>> Reader::DeadLetters(const DeadLetterFilter& filter) {
  TRY(Statement* const letters, state_->Get("dead_letters"));
  const std::int64_t before = filter.before_id.value_or(std::numeric_limits<std::int64_t>::max());
  letters->Bind(before, filter.all, std::clamp(filter.limit, 1, kLimitMax));
  return AllLetters(*letters);
}

Result<std::vector<DeadLetterView>> Reader::DeadLettersOf(StepKey step) {
  TRY(Statement* const letters, state_->Get("dead_letters_of_step"));
  letters->Bind(step.task, step.n);
  return AllLetters(*letters);
}

}  // namespace tasker::store
