#pragma once

#include <Python.h>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace tasker::python {

// Who may take the GIL. Once it is closed, which the package's exit hook does before CPython
// finalizes, no thread but the one that closed it takes the GIL through it any more: a thread that
// did so while CPython finalizes would end the process. Thread-safe; one a process, never
// destroyed.
class GilGate final {
 public:
  static GilGate& OfProcess();

  // False once it is closed: leave the GIL alone. Else Leave follows when the GIL is held (or was).
  bool Enter();
  void Leave();

  // Waits until nobody is on the way to the GIL. Without the GIL.
  void Close();
  bool closed() const;

  // What all threads spent in WithoutGil since `Measure`: in native code, unless it was idle, and
  // waiting to have the GIL back.
  struct Spent {
    std::chrono::nanoseconds native, waited;
  };
  void Measure();
  Spent spent() const;
  // What the calling thread has waited to have the GIL back, measured always.
  static std::chrono::nanoseconds WaitedHere();

  // For a thread that came back too late: never returns, and holds nothing.
  [[noreturn]] static void Park();

 private:
  GilGate() = default;
  bool IsCloser() const;

  static constexpr std::uint64_t kClosed = std::uint64_t{1} << 63;
  std::atomic<std::uint64_t> state_{0};
  std::atomic<unsigned long> closer_{0};

  friend class WithoutGil;
  std::atomic<bool> measures_{false};
  std::atomic<std::int64_t> native_ns_{0}, waited_ns_{0};
};

// Releases the GIL for its life, around everything that waits or takes a lock of the host.
class WithoutGil final {
 public:
  enum class For { kWork, kIdling };
  explicit WithoutGil(For what = For::kWork);
  ~WithoutGil();
  WithoutGil(const WithoutGil&) = delete;
  WithoutGil& operator=(const WithoutGil&) = delete;

 private:
  const For what_;
  PyThreadState* const state_;
  std::chrono::steady_clock::time_point since_{};  // where it is measured
};

// Takes the GIL on a native thread, if that may still be done: test it.
class WithGil final {
 public:
  WithGil();
  ~WithGil();
  WithGil(const WithGil&) = delete;
  WithGil& operator=(const WithGil&) = delete;
  explicit operator bool() const { return entered_; }

 private:
  const bool entered_;
  PyGILState_STATE state_ = PyGILState_UNLOCKED;
};

}  // namespace tasker::python
