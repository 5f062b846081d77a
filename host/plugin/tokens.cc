#include "plugin/tokens.h"

#include <algorithm>

#include "plugin/abi.h"
#include "plugin/text.h"

namespace tasker::plugin {
namespace {

// A slot's state: {generation:32, ended:1, cancelled:1, begun:1, pins:14, references:15}.
// References are the plugin's, pins the host's, so that a plugin that releases too often cannot
// take the slot from under a host function.
constexpr std::uint64_t kReference = 1;
constexpr std::uint64_t kReferences = 0x7fff;
constexpr std::uint64_t kPin = 0x8000;
constexpr std::uint64_t kPins = std::uint64_t{0x3fff} << 15;
constexpr std::uint64_t kBegun = std::uint64_t{1} << 29;
constexpr std::uint64_t kCancelled = std::uint64_t{1} << 30;
constexpr std::uint64_t kEnded = std::uint64_t{1} << 31;
constexpr int kGenerationShift = 32;
constexpr std::size_t kNoteMaxBytes = 256;

static_assert(sizeof(void*) == 8, "a token is a 64-bit handle");

constexpr bool Unused(std::uint64_t state) { return (state & (kReferences | kPins)) == 0; }

tasker_call* ToHandle(std::uint64_t generation, std::uint32_t index) {
  return reinterpret_cast<tasker_call*>((generation << kGenerationShift) | index);
}

workflow::Failed Dropped(const StepInput& input) {
  workflow::Failed failed;
  failed.type = "tasker.dropped";
  failed.message = "handler '" + input.handler + "' let go of the attempt without ending it";
  return failed;
}

}  // namespace

struct TokenSlab::Slot {
  std::atomic<std::uint64_t> state{std::uint64_t{1} << kGenerationShift};
  std::atomic<std::uint32_t> next{0};  // in the free list: index + 1 of the next slot
  std::uint32_t index = 0;
  // Written while the slot is free, constant while it is in use.
  TokenOwner* owner = nullptr;
  void* handler = nullptr;
  std::unique_ptr<StepInput> input;
  tasker_step step{};
  std::atomic<Steady> started{};
  std::atomic<bool> noted{false};  // something was said under `mu`
  Mutex mu;
  double progress GUARDED_BY(mu) = -1;
  std::string note GUARDED_BY(mu);
};

struct TokenSlab::Chunk {
  std::array<Slot, kChunkSlots> slots;
};

TokenSlab::Pin::~Pin() {
  if (slot_ == nullptr) return;
  slab_->TakeOff(*slot_, reinterpret_cast<std::uint64_t>(call_) >> kGenerationShift, kPin);
}
const StepInput& TokenSlab::Pin::input() const { return *slot_->input; }
TokenOwner* TokenSlab::Pin::owner() const { return slot_->owner; }
void* TokenSlab::Pin::handler() const { return slot_->handler; }
bool TokenSlab::Pin::ended() const { return (slot_->state.load() & kEnded) != 0; }
bool TokenSlab::Pin::cancelled() const { return (slot_->state.load() & kCancelled) != 0; }
bool TokenSlab::Pin::begun() const { return (slot_->state.load() & kBegun) != 0; }

void TokenSlab::Pin::Begin(Steady now) {
  slot_->started.store(now, std::memory_order_relaxed);
  slot_->state.fetch_or(kBegun);
}

bool TokenSlab::Pin::Cancel() { return (slot_->state.fetch_or(kCancelled) & kCancelled) == 0; }

bool TokenSlab::Pin::End(workflow::Outcome&& outcome) {
  if ((slot_->state.fetch_or(kEnded) & kEnded) != 0) return false;
  slot_->owner->Ended(*slot_->input, std::move(outcome), slot_->started.load());
  return true;
}

void TokenSlab::Pin::SetProgress(double progress, std::string_view note) {
  if (!(progress >= 0) && note.empty()) return;
  std::string clean = CleanText(note, kNoteMaxBytes);
  MutexLock lock(slot_->mu);
  slot_->noted.store(true, std::memory_order_relaxed);
  if (progress >= 0) slot_->progress = std::min(progress, 1.0);
  if (!note.empty()) slot_->note.swap(clean);
}

Instance::Running TokenSlab::Pin::Describe() const {
  MutexLock lock(slot_->mu);
  return {slot_->input->claim, slot_->input->handler, slot_->input->step_name,
          slot_->note,         slot_->progress,       slot_->started.load()};
}

TokenSlab& TokenSlab::OfProcess() {
  static TokenSlab* const slab = std::make_unique<TokenSlab>().release();
  return *slab;
}

TokenSlab::~TokenSlab() {
  for (std::uint32_t i = 0; i < chunk_count_.load(); ++i) {
    std::unique_ptr<Chunk>(chunks_[i].load()).reset();
  }
}

TokenSlab::Made TokenSlab::Make(TokenOwner& owner, void* handler, std::unique_ptr<StepInput>& input,
                                Steady now) {
  Slot* slot = Pop();
  while (slot == nullptr) {
    if (!Grow()) return {};
    slot = Pop();
  }
  slot->owner = &owner;
  slot->handler = handler;
  slot->input = std::move(input);
  slot->step = ViewStep(*slot->input);
  slot->started.store(now, std::memory_order_relaxed);
  const std::uint64_t state = slot->state.load();
  slot->state.store(state | kReference, std::memory_order_release);
  return {ToHandle(state >> kGenerationShift, slot->index), &slot->step};
}

TokenSlab::Pin TokenSlab::Find(const tasker_call* call) {
  const auto handle = reinterpret_cast<std::uint64_t>(call);
  Slot* const slot = SlotAt(static_cast<std::uint32_t>(handle));
  if (slot == nullptr) return {};
  std::uint64_t state = slot->state.load();
  do {
    if ((state >> kGenerationShift) != (handle >> kGenerationShift)) return {};
    if ((state & kReferences) == 0 || (state & kPins) == kPins) return {};
  } while (!slot->state.compare_exchange_weak(state, state + kPin));
  return Pin(*this, *slot, ToHandle(handle >> kGenerationShift, slot->index));
}

void TokenSlab::ForEach(const TokenOwner& owner, const std::function<void(Pin&)>& visit) {
  for (std::uint32_t c = 0; c < chunk_count_.load(); ++c) {
    for (Slot& slot : chunks_[c].load()->slots) {
      std::uint64_t state = slot.state.load();
      do {
        if (Unused(state) || (state & kPins) == kPins) break;
      } while (!slot.state.compare_exchange_weak(state, state + kPin));
      if (Unused(state) || (state & kPins) == kPins) continue;
      Pin pin(*this, slot, ToHandle(state >> kGenerationShift, slot.index));
      if (pin.owner() == &owner) visit(pin);
    }
  }
}

void TokenSlab::Retain(const tasker_call* call) {
  const auto handle = reinterpret_cast<std::uint64_t>(call);
  Slot* const slot = SlotAt(static_cast<std::uint32_t>(handle));
  if (slot == nullptr) return;
  std::uint64_t state = slot->state.load();
  do {
    if ((state >> kGenerationShift) != (handle >> kGenerationShift)) return;
    if ((state & kReferences) == 0 || (state & kReferences) == kReferences) return;
  } while (!slot->state.compare_exchange_weak(state, state + kReference));
}

void TokenSlab::Release(const tasker_call* call) {
  const auto handle = reinterpret_cast<std::uint64_t>(call);
  Slot* const slot = SlotAt(static_cast<std::uint32_t>(handle));
  if (slot != nullptr) TakeOff(*slot, handle >> kGenerationShift, kReference);
}

// Takes a reference or a pin off. Whoever leaves the slot unused retires it: nobody can pin or
// retain it any more.
void TokenSlab::TakeOff(Slot& slot, std::uint64_t generation, std::uint64_t unit) {
  std::uint64_t state = slot.state.load();
  std::uint64_t next = 0;
  bool dropped = false;
  do {
    const bool stale = (state >> kGenerationShift) != generation;
    if (stale || (unit == kReference && (state & kReferences) == 0)) {
      ++late_releases_;
      return;
    }
    next = state - unit;
    dropped = Unused(next) && (next & kEnded) == 0;
    if (dropped) next = (next + kPin) | kEnded;  // kept with a pin until its owner knows
  } while (!slot.state.compare_exchange_weak(state, next));
  if (dropped) {
    slot.owner->Ended(*slot.input, Dropped(*slot.input), slot.started.load());
    next = slot.state.fetch_sub(kPin) - kPin;
  }
  if (Unused(next)) Retire(slot, next);
}

void TokenSlab::Retire(Slot& slot, std::uint64_t state) {
  TokenOwner* const owner = std::exchange(slot.owner, nullptr);
  slot.input.reset();
  if (slot.noted.load(std::memory_order_relaxed)) {
    MutexLock lock(slot.mu);
    slot.noted.store(false, std::memory_order_relaxed);
    slot.progress = -1;
    slot.note.clear();
  }
  const auto generation = static_cast<std::uint32_t>((state >> kGenerationShift) + 1);
  slot.state.store(std::uint64_t{std::max(generation, 1U)} << kGenerationShift,
                   std::memory_order_release);
  Push(slot);
  owner->Released();
}

TokenSlab::Slot* TokenSlab::SlotAt(std::uint32_t index) const {
  const std::size_t chunk = index / kChunkSlots;
  if (chunk >= chunk_count_.load()) return nullptr;
  return &chunks_[chunk].load()->slots[index % kChunkSlots];
}

TokenSlab::Slot* TokenSlab::Pop() {
  std::uint64_t head = free_.load();
  while (static_cast<std::uint32_t>(head) != 0) {
    Slot* const slot = SlotAt(static_cast<std::uint32_t>(head) - 1);
    const std::uint64_t next = (head & ~std::uint64_t{0xffffffff}) | slot->next.load();
    if (free_.compare_exchange_weak(head, next)) return slot;
  }
  return nullptr;
}

void TokenSlab::Push(Slot& slot) {
  std::uint64_t head = free_.load();
  std::uint64_t next = 0;
  do {
    slot.next.store(static_cast<std::uint32_t>(head), std::memory_order_relaxed);
    next = (((head >> 32) + 1) << 32) | (slot.index + 1);
  } while (!free_.compare_exchange_weak(head, next));
}

bool TokenSlab::Grow() {
  MutexLock lock(grow_mu_);
  if (static_cast<std::uint32_t>(free_.load()) != 0) return true;  // another thread grew it
  const std::uint32_t count = chunk_count_.load();
  if (count == kChunksMax) return false;
  auto chunk = std::make_unique<Chunk>();
  for (std::size_t i = 0; i < kChunkSlots; ++i) {
    chunk->slots[i].index = static_cast<std::uint32_t>(count * kChunkSlots + i);
  }
  Chunk* const published = chunk.release();
  chunks_[count].store(published);
  chunk_count_.store(count + 1);
  for (std::size_t i = kChunkSlots; i-- > 0;) Push(published->slots[i]);
  return true;
}

}  // namespace tasker::plugin
