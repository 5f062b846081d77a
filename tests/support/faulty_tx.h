#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "store/tx.h"

namespace tasker::testing {

// A backend's transaction that fails once where the test says.
class FaultyTx final : public store::Tx {
 public:
  enum class Fault {
    kNone,
    kBegin,      // nobody lets it in
    kSave,       // the disk is full
    kHalves,     // an item is refused, so that halves are run, and the second one is not committed
    kCommit,     // certainly not committed
    kLostReply,  // committed, and nobody says so
  };

  explicit FaultyTx(store::Tx& real) : real_(real) {}

  // The next time only.
  void Fail(Fault fault) { fault_ = fault; }

  Status Begin() override {
    if (Take(Fault::kBegin)) return Unavailable("begin a turn: somebody else holds the store");
    return real_.Begin();
  }
  Result<bool> OthersCommitted() override { return real_.OthersCommitted(); }
  void Rollback() override { real_.Rollback(); }
  Status Commit() override {
    const bool second_half = fault_ == Fault::kHalves && refused_ && ++commits_ == 2;
    if (Take(Fault::kCommit) || (second_half && Take(Fault::kHalves))) {
      real_.Rollback();
      return Error{ErrorCode::kNotApplied, "commit the turn: the disk says no"};
    }
    const bool lost = Take(Fault::kLostReply);
    TRY_OK(real_.Commit());
    if (lost) return Error{ErrorCode::kUnknown, "commit the turn: nobody knows"};
    return Ok();
  }

  Result<std::optional<std::int64_t>> FindTask(const Uuid& task) override {
    return real_.FindTask(task);
  }
  Result<std::optional<Identified>> FindIdentity(std::string_view identity) override {
    return real_.FindIdentity(identity);
  }
  Result<std::int64_t> LastTaskId() override { return real_.LastTaskId(); }
  Result<std::optional<store::TaskInput>> SmallInput(std::int64_t task,
                                                     std::int64_t characters_max) override {
    return real_.SmallInput(task, characters_max);
  }
  Status Load(std::span<store::Wanted> wanted) override { return real_.Load(wanted); }
  Status Save(std::span<const store::Dirty> dirty, const workflow::Effects& effects,
              Time now) override {
    TRY_OK(real_.Save(dirty, effects, now));
    // After the rows were written: what is half done must go.
    if (Take(Fault::kSave)) return Unavailable("save a turn: the disk is full");
    if (fault_ == Fault::kHalves && !std::exchange(refused_, true))
      return Invalid("save a turn: an item cannot be stored");
    return Ok();
  }
  Result<bool> ActionExists(const Uuid& action) override { return real_.ActionExists(action); }
  Status AddAction(const store::ActionRow& action, Time now) override {
    return real_.AddAction(action, now);
  }
  Status ResolveDeadLetters(store::StepKey step, std::string_view resolution) override {
    return real_.ResolveDeadLetters(step, resolution);
  }
  Result<DueRows> Due(Time now, std::int64_t limit) override { return real_.Due(now, limit); }
  Result<std::optional<Time>> NextDue() override { return real_.NextDue(); }
  Result<std::vector<store::ReadyStep>> Ready(const store::ReadyQuery& query) override {
    return real_.Ready(query);
  }
  Result<std::vector<store::HeldClaim>> Claims(std::int64_t worker) override {
    return real_.Claims(worker);
  }
  Result<std::vector<workflow::Revocation>> Revoked(std::int64_t worker) override {
    return real_.Revoked(worker);
  }
  Result<std::vector<std::int64_t>> PausedHandlers() override { return real_.PausedHandlers(); }
  Status SetPaused(std::int64_t handler, bool paused) override {
    return real_.SetPaused(handler, paused);
  }
  Status SetWorkerHandlers(std::int64_t worker, std::span<const std::int64_t> handlers) override {
    return real_.SetWorkerHandlers(worker, handlers);
  }
  Status EndWorker(std::int64_t worker, std::string_view reason, Time now) override {
    return real_.EndWorker(worker, reason, now);
  }

 private:
  bool Take(Fault fault) {
    if (fault_ != fault) return false;
    fault_ = Fault::kNone;
    return true;
  }

  store::Tx& real_;
  Fault fault_ = Fault::kNone;
  bool refused_ = false;  // of kHalves
  int commits_ = 0;       // since then
};

}  // namespace tasker::testing
