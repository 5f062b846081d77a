#include "gil.h"

#include <pthread.h>
#include <unistd.h>

#include <memory>
#include <thread>

namespace tasker::python {
namespace {

using Clock = std::chrono::steady_clock;

thread_local std::chrono::nanoseconds waited_here{0};

}  // namespace

GilGate& GilGate::OfProcess() {
  static GilGate* const gate = std::unique_ptr<GilGate>(new GilGate).release();
  return *gate;
}

bool GilGate::IsCloser() const { return closer_ == ::pthread_self(); }

bool GilGate::Enter() {
  std::uint64_t state = state_;
  do {
    if ((state & kClosed) != 0) {
      if (!IsCloser()) return false;
      ++state_;
      return true;
    }
  } while (!state_.compare_exchange_weak(state, state + 1));
  return true;
}

void GilGate::Leave() { --state_; }

// Those who entered need the GIL only for a moment, and nobody who holds it waits for this.
void GilGate::Close() {
  closer_ = ::pthread_self();
  state_ |= kClosed;
  while ((state_ & ~kClosed) != 0) std::this_thread::yield();
}

bool GilGate::closed() const { return (state_ & kClosed) != 0; }

void GilGate::Park() {
  while (true) ::pause();
}

void GilGate::Measure() {
  native_ns_ = 0;
  waited_ns_ = 0;
  measures_ = true;
}

std::chrono::nanoseconds GilGate::WaitedHere() { return waited_here; }

GilGate::Spent GilGate::spent() const {
  return {std::chrono::nanoseconds(native_ns_), std::chrono::nanoseconds(waited_ns_)};
}

WithoutGil::WithoutGil(For what) : what_(what), state_(PyEval_SaveThread()) {
  if (GilGate::OfProcess().measures_) since_ = Clock::now();
}

WithoutGil::~WithoutGil() {
  GilGate& gate = GilGate::OfProcess();
  if (!gate.Enter()) GilGate::Park();
  const bool measured = since_ != Clock::time_point();
  const Clock::time_point asked = Clock::now();
  PyEval_RestoreThread(state_);
  const std::chrono::nanoseconds waited = Clock::now() - asked;
  waited_here += waited;
  if (measured) {
    if (what_ == For::kWork) gate.native_ns_ += std::chrono::nanoseconds(asked - since_).count();
    gate.waited_ns_ += waited.count();
  }
  gate.Leave();
}

WithGil::WithGil() : entered_(GilGate::OfProcess().Enter()) {
  if (entered_) state_ = PyGILState_Ensure();
}

WithGil::~WithGil() {
  if (!entered_) return;
  PyGILState_Release(state_);
  GilGate::OfProcess().Leave();
}

}  // namespace tasker::python
