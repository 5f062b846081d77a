#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <tasker/plugin.h>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "plugin/instance.h"
#include "workflow/outcome.h"

namespace tasker::plugin {

// Whose attempts the tokens stand for; it outlives them. Implementations: Attempts, and the tests'.
class TokenOwner {
 public:
  // Exactly once a token, on the thread that ended it.
  virtual void Ended(const StepInput& input, workflow::Outcome&& outcome, Steady started) = 0;
  // After Ended, exactly once a token: nothing refers to it any more. The last thing that the slab
  // does with its owner.
  virtual void Released() = 0;
  // Of this attempt, while it has not ended: HostCalls::checkpoint.
  virtual Status Checkpoint(const StepInput& input, std::string body) = 0;
  virtual const Limits& limits() const = 0;

 protected:
  ~TokenOwner() = default;
};

// The completion tokens of this process. A tasker_call* is {generation, index}, never dereferenced,
// so that a use after the last release is seen as stale, whatever the slot holds by then. Slots
// have stable addresses and are never freed. Thread-safe and without locks, but for a token's note
// and for growing.
class TokenSlab final {
 public:
  struct Slot;

  // A token kept from being retired while this lives. Empty when the handle was stale.
  class Pin final {
   public:
    Pin() = default;
    Pin(Pin&& other) noexcept
        : slab_(other.slab_), slot_(std::exchange(other.slot_, nullptr)), call_(other.call_) {}
    Pin& operator=(Pin&&) = delete;
    ~Pin();

    explicit operator bool() const { return slot_ != nullptr; }
    tasker_call* call() const { return call_; }
    const StepInput& input() const;
    TokenOwner* owner() const;
    void* handler() const;  // what Make was given

    bool ended() const;
    bool cancelled() const;
    bool begun() const;
    void Begin(Steady now);  // Its start() is about to be called.
    bool Cancel();           // From now on heartbeats say so; true the first time.
    // The first end wins and is told to the owner; false: it had ended before.
    bool End(workflow::Outcome&& outcome);

    // Negative progress or an empty note leaves what was said before.
    void SetProgress(double progress, std::string_view note);
    Instance::Running Describe() const;

   private:
    friend class TokenSlab;
    Pin(TokenSlab& slab, Slot& slot, tasker_call* call) : slab_(&slab), slot_(&slot), call_(call) {}

    TokenSlab* slab_ = nullptr;
    Slot* slot_ = nullptr;
    tasker_call* call_ = nullptr;
  };

  // The one that the ABI's functions use. They get a token and nothing else, and a plugin that was
  // left behind may call them until the process is gone: so it belongs to the process and is never
  // destroyed.
  static TokenSlab& OfProcess();

  TokenSlab() = default;
  ~TokenSlab();
  TokenSlab(const TokenSlab&) = delete;
  TokenSlab& operator=(const TokenSlab&) = delete;

  // A new token with one reference and the view of its input, which lives as long as the token.
  // Null, with `input` untouched, when kTokensMax are in use.
  struct Made {
    tasker_call* call = nullptr;
    const tasker_step* step = nullptr;
  };
  Made Make(TokenOwner& owner, void* handler, std::unique_ptr<StepInput>& input, Steady now);

  Pin Find(const tasker_call* call);
  // Calls for every token of this owner that still has a reference, ended or not.
  void ForEach(const TokenOwner& owner, const std::function<void(Pin&)>& visit);

  // Both ignore a stale handle. The last release of a token that had not ended ends it as
  // "tasker.dropped".
  void Retain(const tasker_call* call);
  void Release(const tasker_call* call);

  // Ends of attempts that had ended, and releases of tokens that were gone. A timeout or a cancel
  // makes the first innocent; where there was none, both are defects of a plugin.
  std::uint64_t late_ends() const { return late_ends_.load(); }
  std::uint64_t late_releases() const { return late_releases_.load(); }
  void CountLateEnd() { ++late_ends_; }

  static constexpr std::size_t kChunkSlots = 256;
  static constexpr std::size_t kChunksMax = 4096;
  static constexpr std::size_t kTokensMax = kChunkSlots * kChunksMax;

 private:
  struct Chunk;

  Slot* SlotAt(std::uint32_t index) const;
  Slot* Pop();
  void Push(Slot& slot);
  bool Grow();
  void TakeOff(Slot& slot, std::uint64_t generation, std::uint64_t unit);
  void Retire(Slot& slot, std::uint64_t state);

  std::array<std::atomic<Chunk*>, kChunksMax> chunks_{};
  std::atomic<std::uint32_t> chunk_count_{0};
  std::atomic<std::uint64_t> free_{
      0};  // {pushes:32, index + 1:32}: the count makes an old head differ from a new one
  std::atomic<std::uint64_t> late_ends_{0};
  std::atomic<std::uint64_t> late_releases_{0};
  Mutex grow_mu_;
};

}  // namespace tasker::plugin
