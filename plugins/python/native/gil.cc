#include "gil.h"

#include <pthread.h>
#include <unistd.h>

#include <memory>
#include <thread>

namespace tasker::python {

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

WithoutGil::~WithoutGil() {
  GilGate& gate = GilGate::OfProcess();
  if (!gate.Enter()) GilGate::Park();
  PyEval_RestoreThread(state_);
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
