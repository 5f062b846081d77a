// Opening a store, and its turns. The rare transactions stand in admin.cc.
#include <chrono>
#include <functional>
#include <utility>

#include "store/reads.h"
#include "store/sqlite/files.h"
#include "store/sqlite/schema.h"
#include "store/state.h"

namespace tasker::store {
namespace {

sqlite::Turnstile::GiveUp GiveUpAsTold(const OpenOptions& options) {
  return [most = options.wait_max, give_up = options.give_up](auto waited) {
    return (most.count() > 0 && waited >= most) || (give_up && give_up());
  };
}

}  // namespace

Status Store::State::OpenOrCreate() {
  TRY_OK(turnstile->Enter());
  auto done = [&]() -> Status {
    TRY(connection, sqlite::Connection::Open(options.path, sqlite::Connection::Mode::kWrite,
                                             options.full_sync));
    TRY_OK(sqlite::EnsureSchema(*connection));
    return sqlite::SetFileModes(options.path, options.group);
  }();
  turnstile->Leave();
  return done;
}

Status Store::State::OpenExisting() {
  TRY(connection,
      sqlite::Connection::Open(options.path, sqlite::Connection::Mode::kWrite, options.full_sync));
  TRY(const bool there, sqlite::HasSchema(*connection));
  return there ? Ok() : OpenOrCreate();
}

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::Open(const OpenOptions& options) {
  auto state = std::make_unique<State>();
  state->options = options;
  // Before anything is made there.
  TRY_OK(sqlite::CheckFileSystem(options.path + ".d", options.allow_network_fs));
  TRY(state->lock_folder, sqlite::PrepareLockFolder(options.path, options.group, options.create));
  TRY(state->opened, sqlite::OpenedStore::Claim(options.path));
  TRY(state->schema_lock, sqlite::SchemaLock::Open(state->lock_folder));
  TRY(state->turnstile, sqlite::Turnstile::Open(state->lock_folder));
  state->turnstile->set_give_up(GiveUpAsTold(options));
  TRY(state->bell, sqlite::Bell::Open(state->lock_folder));

  TRY_OK(options.create ? state->OpenOrCreate() : state->OpenExisting());
  TRY(state->tx, sqlite::SqliteTx::Make(*state->connection, *state->turnstile));
  TRY(state->noticed, state->tx->DataVersion());
  State* const borrowed = state.get();
  state->turns = std::make_unique<TurnRunner>(
      *state->tx, [borrowed](std::int64_t id) { return borrowed->WorkflowOf(id); },
      TurnRunner::Settings{.crash_max = options.crash_max,
                           .cache_steps_max = options.cache_steps_max});
  return std::unique_ptr<Store>(new Store(std::move(state)));
}

Result<TurnOutput> Store::Commit(const TurnInput& in) {
  auto out = state_->turns->Run(in);
  if (state_->turns->rang() || (out && out->committed && state_->bell->listened_to()))
    state_->bell->Ring();
  if (out) {
    for (const Event& event : in.events) {
      if (const Bury* bury = std::get_if<Bury>(&event))
        sqlite::RemoveLife(state_->lock_folder, bury->worker);
    }
  }
  return out;
}

void TuneProcess() { sqlite::TuneProcess(); }

int Store::bell_fd() const { return state_->bell->fd(); }

Result<bool> Store::Changed() {
  state_->bell->Drain();
  TRY(const std::int64_t version, state_->tx->DataVersion());
  if (std::exchange(state_->noticed, version) == version || version == state_->tx->seen_version())
    return false;
  state_->turns->Forget();
  return true;
}

void Store::Listen() { state_->bell->Listen(); }

void Store::Unlisten() { state_->bell->Unlisten(); }

void Store::set_on_wait(std::function<void()> on_wait) {
  state_->turnstile->set_give_up(nullptr);
  state_->turnstile->set_on_wait(std::move(on_wait));
}

void Store::StopWaiting() { state_->turnstile->StopWaiting(); }

RunningSlots& Store::slots() {
  CHECK(state_->life != nullptr);
  return state_->life->slots();
}

NoticeBoard& Store::board() {
  CHECK(state_->life != nullptr);
  return state_->life->board();
}

const std::string& Store::path() const { return state_->options.path; }

std::string Store::durability() const {
  return state_->options.full_sync ? "durable: fsync before acknowledge"
                                   : "not durable against power loss: synchronous = normal, the "
                                     "last commits may be lost with the machine";
}

}  // namespace tasker::store
