#include "plugin/control_thread.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <utility>

#include "base/own_thread.h"

namespace tasker::plugin {
namespace {

struct Call {
  std::string noun;
  std::function<void()> call;
  std::uint64_t number = 0;
};

}  // namespace

struct ControlThread::Mailbox {
  Mutex mu;
  CondVar changed;
  std::deque<Call> calls GUARDED_BY(mu);
  std::uint64_t posted GUARDED_BY(mu) = 0;
  std::uint64_t returned GUARDED_BY(mu) = 0;  // the number of the last call that returned
  std::optional<Current> current GUARDED_BY(mu);
  bool ending GUARDED_BY(mu) = false;
  bool ended GUARDED_BY(mu) = false;
};

ControlThread::ControlThread()
    : mailbox_(std::make_shared<Mailbox>()), thread_([mailbox = mailbox_] { Loop(mailbox); }) {}

ControlThread::~ControlThread() { static_cast<void>(End(std::chrono::steady_clock::now())); }

void ControlThread::Loop(const std::shared_ptr<Mailbox>& mailbox) {
  BeginThread("tasker-control");
  Mailbox& box = *mailbox;
  box.mu.Lock();
  while (true) {
    while (box.calls.empty() && !box.ending) box.changed.Wait(box.mu);
    if (box.ending) break;
    Call next = std::move(box.calls.front());
    box.calls.pop_front();
    box.current = Current{next.noun, std::chrono::steady_clock::now()};
    box.mu.Unlock();
    next.call();
    next.call = nullptr;
    box.mu.Lock();
    box.current.reset();
    box.returned = next.number;
    box.changed.NotifyAll();
  }
  box.calls.clear();
  box.ended = true;
  box.changed.NotifyAll();
  box.mu.Unlock();
}

// The number of the call; 0 once the thread has been told to end.
std::uint64_t ControlThread::Send(std::string noun, std::function<void()> call) {
  Mailbox& box = *mailbox_;
  MutexLock lock(box.mu);
  if (box.ending) return 0;
  box.calls.push_back({std::move(noun), std::move(call), ++box.posted});
  box.changed.NotifyAll();
  return box.posted;
}

bool ControlThread::WaitFor(std::uint64_t call, Steady deadline) {
  Mailbox& box = *mailbox_;
  MutexLock lock(box.mu);
  while (box.returned < call && !box.ended) {
    if (!box.changed.WaitUntil(box.mu, deadline)) break;
  }
  return box.returned >= call;
}

bool ControlThread::Post(std::string noun, std::function<void()> call) {
  return Send(std::move(noun), std::move(call)) != 0;
}

bool ControlThread::Run(std::string noun, std::function<void()> call, Steady deadline) {
  const std::uint64_t sent = Send(std::move(noun), std::move(call));
  return sent != 0 && WaitFor(sent, deadline);
}

bool ControlThread::RunToEnd(std::string noun, std::function<void()> call,
                             std::chrono::milliseconds every,
                             const std::function<void(std::chrono::seconds waited)>& slow) {
  const std::uint64_t sent = Send(std::move(noun), std::move(call));
  const Steady since = std::chrono::steady_clock::now();
  for (Steady next = since + every; sent != 0; next += every) {
    if (WaitFor(sent, next)) return true;
    if (ended()) break;
    slow(
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - since));
  }
  return false;
}

std::optional<ControlThread::Current> ControlThread::current() const {
  Mailbox& box = *mailbox_;
  MutexLock lock(box.mu);
  return box.current;
}

bool ControlThread::End(Steady deadline) {
  Mailbox& box = *mailbox_;
  bool stuck = false;
  {
    MutexLock lock(box.mu);
    box.ending = true;
    box.changed.NotifyAll();
    while (!box.ended && !stuck) {
      // Without a call the thread ends by itself at once.
      if (!box.current) {
        box.changed.Wait(box.mu);
      } else {
        stuck = !box.changed.WaitUntil(box.mu, deadline) && box.current.has_value();
      }
    }
  }
  if (!thread_.joinable()) return !stuck;
  if (stuck) {
    thread_.detach();
  } else {
    thread_.join();
  }
  return !stuck;
}

bool ControlThread::ended() const {
  Mailbox& box = *mailbox_;
  MutexLock lock(box.mu);
  return box.ended;
}

}  // namespace tasker::plugin
