#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/mutex.h"

namespace tasker::plugin {

// The one thread that makes a plugin's [control] calls, in order. Thread-safe.
class ControlThread final {
 public:
  ControlThread();
  ~ControlThread();  // End, without waiting for a call that is stuck.
  ControlThread(const ControlThread&) = delete;
  ControlThread& operator=(const ControlThread&) = delete;

  // Queues a call; `noun` names it for people ("init", "cancel of 'x'"). False once the thread has
  // been told to end.
  bool Post(std::string noun, std::function<void()> call);

  // Posts and waits until the call has returned, however long that takes; `slow` is told each
  // `every`, on this thread. False: after End.
  bool RunToEnd(std::string noun, std::function<void()> call, std::chrono::milliseconds every,
                const std::function<void(std::chrono::seconds waited)>& slow);

  // Posts and waits until the call has returned. False when the deadline came first, or after End:
  // then the call may still run later, or not at all.
  bool Run(std::string noun, std::function<void()> call, Steady deadline);

  // The call that runs now, with the time since when.
  struct Current {
    std::string noun;
    Steady since;
  };
  std::optional<Current> current() const;

  // Drops what is queued and ends the thread. False when it is in a call that does not return: the
  // thread is left alone and ends by itself when the call returns.
  bool End(Steady deadline);
  bool ended() const;

 private:
  // Shared by this object and the thread, which outlives it when a call is stuck.
  struct Mailbox;
  std::uint64_t Send(std::string noun, std::function<void()> call);
  bool WaitFor(std::uint64_t call, Steady deadline);
  static void Loop(const std::shared_ptr<Mailbox>& mailbox);

  const std::shared_ptr<Mailbox> mailbox_;
  std::jthread thread_;
};

}  // namespace tasker::plugin
