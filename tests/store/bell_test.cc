#include "store/sqlite/bell.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <string>

#include "store/sqlite/files.h"
#include "tests/support/child_process.h"
#include "tests/support/scoped_temp_dir.h"

namespace tasker::store::sqlite {
namespace {

using tasker::testing::Channel;
using tasker::testing::ChildProcess;
using tasker::testing::ScopedTempDir;

std::string LockFolder(const ScopedTempDir& dir) {
  auto folder = PrepareLockFolder((dir.path() / "x.db").string(), "", true);
  CHECK(folder.has_value());
  return *folder;
}

std::unique_ptr<Bell> OpenBell(const std::string& lock_folder) {
  auto bell = Bell::Open(lock_folder);
  CHECK(bell.has_value());
  return *std::move(bell);
}

bool IsReadable(int fd, int timeout_ms) {
  pollfd entry = {fd, POLLIN, 0};
  return ::poll(&entry, 1, timeout_ms) == 1;
}

TEST(Bell, WakesAnotherProcess) {
  const ScopedTempDir dir;
  const std::string lock_folder = LockFolder(dir);
  ChildProcess listener([&](Channel& parent) {
    const auto bell = OpenBell(lock_folder);
    parent.Say(IsReadable(bell->fd(), 0) ? "rung too early" : "listening");
    CHECK(IsReadable(bell->fd(), 60'000));
    parent.Say(bell->Drain() ? "woken" : "nothing there");
  });
  const auto bell = OpenBell(lock_folder);
  ASSERT_EQ(listener.Hear(), "listening");
  bell->Ring();
  EXPECT_EQ(listener.Hear(), "woken");
  EXPECT_EQ(listener.Wait(), 0);
}

TEST(Bell, KnowsWhetherAnotherProcessListens) {
  const ScopedTempDir dir;
  const std::string lock_folder = LockFolder(dir);
  const auto bell = OpenBell(lock_folder);
  bell->Listen();
  EXPECT_FALSE(bell->listened_to());  // It hears itself.
  bell->Unlisten();
  ChildProcess listener([&](Channel& parent) {
    const auto other = OpenBell(lock_folder);
    other->Listen();
    other->Listen();
    other->Unlisten();
    parent.Say("listening");
    CHECK(parent.Hear() == "stop");
    other->Unlisten();
    parent.Say("stopped");
    CHECK(parent.Hear() == "die");
    other->Listen();
  });
  ASSERT_EQ(listener.Hear(), "listening");
  EXPECT_TRUE(bell->listened_to());
  listener.Say("stop");
  ASSERT_EQ(listener.Hear(), "stopped");
  EXPECT_FALSE(bell->listened_to());
  listener.Say("die");
  EXPECT_EQ(listener.Wait(), 0);
  EXPECT_FALSE(bell->listened_to());
}

TEST(Bell, IsSilentOnceDrainedAndRingsAgain) {
  const ScopedTempDir dir;
  const auto bell = OpenBell(LockFolder(dir));
  EXPECT_FALSE(bell->Drain());
  for (int round = 0; round < 3; ++round) {
    bell->Ring();
    bell->Ring();
    EXPECT_TRUE(IsReadable(bell->fd(), 0));
    EXPECT_TRUE(bell->Drain());
    EXPECT_FALSE(IsReadable(bell->fd(), 0));
    EXPECT_FALSE(bell->Drain());
  }
}

TEST(Bell, KeepsOneByteHoweverOftenItRings) {
  const ScopedTempDir dir;
  const std::string lock_folder = LockFolder(dir);
  const auto bell = OpenBell(lock_folder);
  for (int i = 0; i < 100; ++i) bell->Ring();
  EXPECT_EQ(std::filesystem::file_size(lock_folder + "/bell"), 1U);
}

}  // namespace
}  // namespace tasker::store::sqlite
