#include "store/sqlite/turnstile.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "store/sqlite/files.h"
#include "store/sqlite/lock_file.h"
#include "tests/support/child_process.h"
#include "tests/support/scoped_temp_dir.h"

namespace tasker::store::sqlite {
namespace {

using tasker::testing::Channel;
using tasker::testing::ChildProcess;
using tasker::testing::ScopedTempDir;
using ::testing::HasSubstr;

std::string LockFolder(const ScopedTempDir& dir, const std::string& name = "x.db") {
  auto folder = PrepareLockFolder((dir.path() / name).string(), "", true);
  CHECK(folder.has_value());
  return *folder;
}

std::unique_ptr<Turnstile> OpenTurnstile(const std::string& lock_folder) {
  auto turnstile = Turnstile::Open(lock_folder);
  CHECK(turnstile.has_value());
  return *std::move(turnstile);
}

// Takes a turn, and keeps it until told.
void HoldTurn(const std::string& lock_folder, Channel& parent) {
  const auto turnstile = OpenTurnstile(lock_folder);
  CHECK(turnstile->Enter().has_value());
  parent.Say("inside");
  if (parent.Hear().empty()) return;
  turnstile->Leave();
  parent.Say("left");
  parent.Hear();
}

// Appends its letter to the record in each of `turns` turns, and leaves each but the last only when
// the other process is seen to queue.
void TakeTurns(const std::string& lock_folder, const std::string& record, char letter, int turns,
               Channel& parent) {
  const auto turnstile = OpenTurnstile(lock_folder);
  auto next = OpenLockFile(lock_folder,
                           "next");  // open until the process ends: closing it would drop the lock
  const UniqueFd out(::open(record.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  CHECK(next.has_value() && out.valid());
  parent.Say("ready");
  parent.Hear();
  for (int turn = 1; turn <= turns; ++turn) {
    CHECK(turnstile->Enter().has_value());
    CHECK(::write(out.get(), &letter, 1) == 1);
    while (turn < turns) {
      const auto queued = FindBlocker(next->get());
      CHECK(queued.has_value());
      if (*queued) break;
      ::sched_yield();
    }
    turnstile->Leave();
  }
}

TEST(Turnstile, LetsTwoProcessesThatBothWaitTakeTurnsStrictly) {
  const ScopedTempDir dir;
  const std::string lock_folder = LockFolder(dir);
  const std::string record = (dir.path() / "record").string();
  constexpr int kTurns = 300;
  ChildProcess a([&](Channel& parent) { TakeTurns(lock_folder, record, 'a', kTurns, parent); });
  ChildProcess b([&](Channel& parent) { TakeTurns(lock_folder, record, 'b', kTurns, parent); });
  ASSERT_EQ(a.Hear(), "ready");
  ASSERT_EQ(b.Hear(), "ready");
  a.Say("go");
  b.Say("go");
  ASSERT_EQ(a.Wait(), 0);
  ASSERT_EQ(b.Wait(), 0);

  std::ifstream file(record);
  const std::string turns((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  ASSERT_EQ(turns.size(), 2U * kTurns);
  for (std::size_t turn = 1; turn < turns.size(); ++turn) {
    ASSERT_NE(turns[turn], turns[turn - 1]) << "turn " << turn << " of " << turns;
  }
}

TEST(Turnstile, NamesTheProcessThatIsInside) {
  const ScopedTempDir dir;
  const std::string lock_folder = LockFolder(dir);
  ChildProcess child([&](Channel& parent) { HoldTurn(lock_folder, parent); });
  const auto turnstile = OpenTurnstile(lock_folder);
  ASSERT_EQ(child.Hear(), "inside");
  EXPECT_EQ(turnstile->Holder(), child.pid());
  child.Say("leave");
  ASSERT_EQ(child.Hear(), "left");
  EXPECT_EQ(turnstile->Holder(), std::nullopt);
}

TEST(Turnstile, WaitsUntilTheOtherLeaves) {
  const ScopedTempDir dir;
  const std::string lock_folder = LockFolder(dir);
  ChildProcess child([&](Channel& parent) { HoldTurn(lock_folder, parent); });
  const auto turnstile = OpenTurnstile(lock_folder);
  int waited = 0;
  turnstile->set_on_wait([&] {
    ++waited;
    child.Say("leave");
  });
  ASSERT_EQ(child.Hear(), "inside");
  const Status entered = turnstile->Enter();
  ASSERT_TRUE(entered) << entered.error().message;
  EXPECT_GE(waited, 1);
  EXPECT_EQ(child.Hear(), "left");
  turnstile->Leave();
}

TEST(Turnstile, IsFreedByTheDeathOfTheProcessInside) {
  const ScopedTempDir dir;
  const std::string lock_folder = LockFolder(dir);
  ChildProcess child([&](Channel& parent) { HoldTurn(lock_folder, parent); });
  const auto turnstile = OpenTurnstile(lock_folder);
  turnstile->set_on_wait([&] { child.Kill(); });
  ASSERT_EQ(child.Hear(), "inside");
  const Status entered = turnstile->Enter();
  ASSERT_TRUE(entered) << entered.error().message;
  EXPECT_EQ(child.Wait(), 128 + SIGKILL);
  turnstile->Leave();
}

TEST(Turnstile, WaitsAgainAfterAWaitThatWasGivenUp) {
  const ScopedTempDir dir;
  const std::string lock_folder = LockFolder(dir);
  ChildProcess child([&](Channel& parent) { HoldTurn(lock_folder, parent); });
  const auto turnstile = OpenTurnstile(lock_folder);
  bool patient = false;
  turnstile->set_give_up([&](auto waited) {
    EXPECT_GE(waited, std::chrono::seconds(1));
    if (patient) child.Say("leave");
    return !patient;
  });
  ASSERT_EQ(child.Hear(), "inside");
  const Status refused = turnstile->Enter();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message,
              HasSubstr("x.db is held by pid " + std::to_string(child.pid())));
  patient = true;
  const Status entered = turnstile->Enter();
  ASSERT_TRUE(entered) << entered.error().message;
  EXPECT_EQ(child.Hear(), "left");
  turnstile->Leave();
}

TEST(Turnstile, WarnsWhoHoldsItAndRefusesOnceWaitingIsStopped) {
  const ScopedTempDir dir;
  const std::string lock_folder = LockFolder(dir);
  ChildProcess child([&](Channel& parent) { HoldTurn(lock_folder, parent); });
  const auto turnstile = OpenTurnstile(lock_folder);
  turnstile->set_on_wait([&] { turnstile->StopWaiting(); });
  ASSERT_EQ(child.Hear(), "inside");
  ::testing::internal::CaptureStderr();
  const Status entered = turnstile->Enter();
  const std::string log = ::testing::internal::GetCapturedStderr();
  const std::string held = "x.db is held by pid " + std::to_string(child.pid());
  ASSERT_FALSE(entered);
  EXPECT_EQ(entered.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(entered.error().message, HasSubstr(held));
  EXPECT_THAT(log, HasSubstr(held));
}

TEST(Turnstile, StopsAWaitPromptlyInAThreadThatBlocksEverySignal) {
  const ScopedTempDir dir;
  const std::string lock_folder = LockFolder(dir);
  ChildProcess child([&](Channel& parent) { HoldTurn(lock_folder, parent); });
  ASSERT_EQ(child.Hear(), "inside");
  const auto turnstile = OpenTurnstile(lock_folder);
  std::atomic<int> waited = 0;
  turnstile->set_on_wait([&] {
    ++waited;
    waited.notify_all();
  });
  std::atomic<int> waited_when_stopped = -1;
  std::thread waiter([&] {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
    const Status entered = turnstile->Enter();
    EXPECT_FALSE(entered);
    EXPECT_EQ(waited, waited_when_stopped) << "it waited for the second after the stop";
    sigset_t now;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &now);
    for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal)
      EXPECT_EQ(sigismember(&now, signal), 1) << signal;
  });
  waited.wait(0);
  waited_when_stopped = waited.load();
  turnstile->StopWaiting();
  waiter.join();
}

TEST(Turnstile, DoesNotWaitAfterTheStopAndStillEntersWhenFree) {
  const ScopedTempDir dir;
  const std::string lock_folder = LockFolder(dir);
  ChildProcess child([&](Channel& parent) { HoldTurn(lock_folder, parent); });
  const auto turnstile = OpenTurnstile(lock_folder);
  int waited = 0;
  turnstile->set_on_wait([&] { ++waited; });
  turnstile->StopWaiting();
  ASSERT_EQ(child.Hear(), "inside");
  EXPECT_FALSE(turnstile->Enter());
  EXPECT_EQ(waited, 0);
  child.Say("leave");
  ASSERT_EQ(child.Hear(), "left");
  EXPECT_TRUE(turnstile->Enter());
  turnstile->Leave();
}

TEST(Turnstile, LeavesTheQueueWhenItGivesUp) {
  const ScopedTempDir dir;
  const std::string lock_folder = LockFolder(dir);
  ChildProcess holder([&](Channel& parent) { HoldTurn(lock_folder, parent); });
  ASSERT_EQ(holder.Hear(), "inside");
  ChildProcess third([&](Channel& parent) {
    parent.Hear();
    HoldTurn(lock_folder, parent);
  });
  const auto turnstile = OpenTurnstile(lock_folder);
  turnstile->StopWaiting();
  ASSERT_FALSE(turnstile->Enter());
  third.Say("go");
  holder.Say("leave");
  EXPECT_EQ(third.Hear(), "inside");
}

TEST(Turnstile, IsNotFooledByTwoStoresThatLookLikeADeadlock) {
  const ScopedTempDir dir;
  const std::string first = LockFolder(dir, "first.db");
  const std::string second = LockFolder(dir, "second.db");
  // The child is inside `second` and waits for `first`; this process is inside `first` and waits
  // for `second`, each in another thread.
  ChildProcess child([&](Channel& parent) {
    const auto inside = OpenTurnstile(second);
    const auto waiting = OpenTurnstile(first);
    CHECK(inside->Enter().has_value());
    parent.Say("inside");
    CHECK(parent.Hear() == "wait");
    bool left = false;
    waiting->set_on_wait([&] {
      if (!std::exchange(left, true)) inside->Leave();
    });
    const Status entered = waiting->Enter();
    CHECK(entered.has_value());
    waiting->Leave();
  });
  const auto inside = OpenTurnstile(first);
  const auto waiting = OpenTurnstile(second);
  ASSERT_EQ(child.Hear(), "inside");
  ASSERT_TRUE(inside->Enter());
  bool told = false;
  waiting->set_on_wait([&] {
    if (!std::exchange(told, true)) child.Say("wait");
  });
  const Status entered = waiting->Enter();
  ASSERT_TRUE(entered) << entered.error().message;
  waiting->Leave();
  inside->Leave();
  EXPECT_EQ(child.Wait(), 0);
}

}  // namespace
}  // namespace tasker::store::sqlite
