#include "store/sqlite/life.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>

#include "store/sqlite/files.h"
#include "store/sqlite/schema_lock.h"
#include "tests/support/child_process.h"
#include "tests/support/scoped_temp_dir.h"

namespace tasker::store::sqlite {
namespace {

using tasker::testing::Channel;
using tasker::testing::ChildProcess;
using tasker::testing::ScopedTempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using workflow::ClaimId;

constexpr std::int64_t kWorker = 7;

ClaimId Claim(std::int64_t number) {
  return ClaimId{kWorker << workflow::kClaimWorkerShift | number};
}

std::string LockFolder(const ScopedTempDir& dir) {
  auto folder = PrepareLockFolder((dir.path() / "x.db").string(), "", true);
  CHECK(folder.has_value());
  return *folder;
}

std::unique_ptr<Life> CreateLife(const std::string& lock_folder, std::int32_t slots = 4) {
  auto life = Life::Create(lock_folder, kWorker, slots);
  CHECK(life.has_value());
  return *std::move(life);
}

// Lives as worker 7, running claims 1 and 3, until it is told to go or is killed.
void LiveAsWorker(const std::string& lock_folder, Channel& parent) {
  const auto life = CreateLife(lock_folder);
  life->slots().Set(0, Claim(1), Steady{});
  life->slots().Set(1, Claim(2), Steady{});
  life->slots().Set(3, Claim(3), Steady{});
  life->slots().Clear(1);
  parent.Say("alive");
  if (parent.Hear() == "leave") CHECK(life->Remove().has_value());
  parent.Say("left");
  parent.Hear();
}

// Replaces bytes of a file in place.
void Patch(const std::string& path, std::size_t offset, const std::string& bytes) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(offset));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  CHECK(file.good());
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// What a killed worker 7 left behind.
class DeadWorker : public ::testing::Test {
 protected:
  DeadWorker() {
    ChildProcess child([this](Channel& parent) { LiveAsWorker(lock_folder_, parent); });
    CHECK(child.Hear() == "alive");
    child.Kill();
  }

  const ScopedTempDir dir_;
  const std::string lock_folder_ = LockFolder(dir_);
  const std::string file_ = lock_folder_ + "/worker-7";
};

TEST(Life, IsSeenWhileItsProcessLivesAndNotAfterSigkill) {
  const ScopedTempDir dir;
  const std::string lock_folder = LockFolder(dir);
  ChildProcess child([&](Channel& parent) { LiveAsWorker(lock_folder, parent); });
  ASSERT_EQ(child.Hear(), "alive");
  EXPECT_TRUE(IsAlive(lock_folder, kWorker));
  EXPECT_TRUE(IsAlive(lock_folder, kWorker)) << "the first probe freed the lock";
  EXPECT_EQ(LockHolder(lock_folder, kWorker), child.pid());
  child.Kill();
  EXPECT_FALSE(IsAlive(lock_folder, kWorker));
  EXPECT_EQ(LockHolder(lock_folder, kWorker), std::nullopt);
}

TEST(Life, EndsWithItsProcessAlthoughAForkedChildLivesOn) {
  const ScopedTempDir dir;
  const std::string lock_folder = LockFolder(dir);
  ChildProcess child([&](Channel& parent) {
    const auto life = CreateLife(lock_folder);
    if (::fork() == 0) {
      parent.Say(std::to_string(::getpid()));
      parent.Hear();  // until the test ends
      ::_exit(0);
    }
    ::pause();
  });
  const pid_t orphan = std::stoi(child.Hear());
  EXPECT_TRUE(IsAlive(lock_folder, kWorker));
  child.Kill();
  EXPECT_FALSE(IsAlive(lock_folder, kWorker));
  EXPECT_EQ(::kill(orphan, 0), 0) << "the forked child should have lived on";
}

TEST(Life, IsOverWhenItWasRemovedInOrder) {
  const ScopedTempDir dir;
  const std::string lock_folder = LockFolder(dir);
  ChildProcess child([&](Channel& parent) { LiveAsWorker(lock_folder, parent); });
  ASSERT_EQ(child.Hear(), "alive");
  child.Say("leave");
  ASSERT_EQ(child.Hear(), "left");
  EXPECT_FALSE(IsAlive(lock_folder, kWorker));
  EXPECT_FALSE(std::filesystem::exists(lock_folder + "/worker-7"));
  EXPECT_THAT(ReadRunning(lock_folder, kWorker), IsEmpty());
}

TEST(Life, RefusesASecondProcessAsTheSameWorkerAndNamesTheFirst) {
  const ScopedTempDir dir;
  const std::string lock_folder = LockFolder(dir);
  ChildProcess child([&](Channel& parent) { LiveAsWorker(lock_folder, parent); });
  ASSERT_EQ(child.Hear(), "alive");
  const auto second = Life::Create(lock_folder, kWorker, 4);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  EXPECT_THAT(second.error().message, HasSubstr("pid " + std::to_string(child.pid())));
  EXPECT_TRUE(IsAlive(lock_folder, kWorker));
}

TEST(Life, SlotsMayBeWrittenAfterRemoveAndNobodySeesThem) {
  const ScopedTempDir dir;
  const std::string lock_folder = LockFolder(dir);
  const auto life = CreateLife(lock_folder);
  ASSERT_TRUE(life->Remove());
  ASSERT_TRUE(life->Remove());
  life->slots().Set(0, Claim(1), Steady{});
  EXPECT_EQ(life->slots().size(), 4);
  EXPECT_THAT(ReadRunning(lock_folder, kWorker), IsEmpty());
}

TEST(Life, MustNotBeProbedByItsOwnProcess) {
  const ScopedTempDir dir;
  const std::string lock_folder = LockFolder(dir);
  ChildProcess child([&](Channel&) {
    const auto life = CreateLife(lock_folder);
    IsAlive(lock_folder, kWorker);
  });
  EXPECT_EQ(child.Wait(), 128 + SIGABRT);
}

TEST(Life, MayBeProbedByAChildForkedFromItsProcess) {
  const ScopedTempDir dir;
  const std::string lock_folder = LockFolder(dir);
  const auto life = CreateLife(lock_folder);
  ChildProcess child([&](Channel&) { CHECK(IsAlive(lock_folder, kWorker)); });
  EXPECT_EQ(child.Wait(), 0);
}

TEST(Life, TellsOtherProcessesWhatTheWorkerSaysOfItself) {
  const ScopedTempDir dir;
  const std::string lock_folder = LockFolder(dir);
  const WorkerNotice said{.turns = 5,
                          .commits = 4,
                          .claimed = 300,
                          .ended = 200,
                          .submitted = 3,
                          .in_flight = 100,
                          .places = 256,
                          .not_ready = "the store cannot be written: disk full",
                          .last_error = std::string(NoticeBoard::kTextBytes - 1, 'e') + "\u00e9"};
  ChildProcess child([&](Channel& parent) {
    const auto life = CreateLife(lock_folder);
    parent.Say("silent");
    parent.Hear();
    life->board().Write(said);
    parent.Say("said");
    parent.Hear();
  });
  ASSERT_EQ(child.Hear(), "silent");
  const auto silent = ReadNotice(lock_folder, kWorker);
  ASSERT_TRUE(silent);
  EXPECT_EQ(silent->places, 0);
  EXPECT_EQ(silent->last_error, "");
  child.Say("speak");
  ASSERT_EQ(child.Hear(), "said");
  const auto heard = ReadNotice(lock_folder, kWorker);
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->turns, 5u);
  EXPECT_EQ(heard->commits, 4u);
  EXPECT_EQ(heard->claimed, 300u);
  EXPECT_EQ(heard->ended, 200u);
  EXPECT_EQ(heard->submitted, 3u);
  EXPECT_EQ(heard->in_flight, 100);
  EXPECT_EQ(heard->places, 256);
  EXPECT_EQ(heard->not_ready, said.not_ready);
  // Cut before the character that does not fit.
  EXPECT_EQ(heard->last_error, std::string(NoticeBoard::kTextBytes - 1, 'e'));
}

TEST(Life, SaysNothingWhileItsTextsChange) {
  std::array<std::int64_t, NoticeBoard::kWords> first{}, second{};
  EXPECT_TRUE(DecodeNotice(first, second));
  second[0] = 2;
  EXPECT_FALSE(DecodeNotice(first, second));
  first[0] = second[0] = 1;
  EXPECT_FALSE(DecodeNotice(first, second));
}

TEST_F(DeadWorker, LeavesTheClaimsThatItRan) {
  EXPECT_THAT(ReadRunning(lock_folder_, kWorker), ElementsAre(Claim(1), Claim(3)));
}

TEST_F(DeadWorker, IsNotBelievedAfterAReboot) {
  const std::string id = ReadAll("/proc/sys/kernel/random/boot_id").substr(0, 36);
  const std::size_t at = ReadAll(file_).find(id);
  ASSERT_NE(at, std::string::npos);
  Patch(file_, at, "00000000-1111-2222-3333-444444444444");
  EXPECT_THAT(ReadRunning(lock_folder_, kWorker), IsEmpty());
}

TEST_F(DeadWorker, IsNotBelievedWithADamagedHeader) {
  Patch(file_, 0, "damaged!");
  EXPECT_THAT(ReadRunning(lock_folder_, kWorker), IsEmpty());
}

TEST_F(DeadWorker, IsNotBelievedWithAnImpossibleSlotCount) {
  Patch(file_, 12, std::string(4, '\xff'));
  EXPECT_THAT(ReadRunning(lock_folder_, kWorker), IsEmpty());
}

TEST_F(DeadWorker, IsNotBelievedWhenCutShort) {
  std::filesystem::resize_file(file_, 20);
  EXPECT_THAT(ReadRunning(lock_folder_, kWorker), IsEmpty());
}

TEST_F(DeadWorker, NamesNoClaimOfAnotherWorker) {
  const std::int64_t foreign = (kWorker + 1) << workflow::kClaimWorkerShift | 1;
  constexpr std::size_t kFirstSlot = 64 + NoticeBoard::kWords * 8;
  Patch(file_, kFirstSlot, std::string(reinterpret_cast<const char*>(&foreign), sizeof(foreign)));
  EXPECT_THAT(ReadRunning(lock_folder_, kWorker), ElementsAre(Claim(3)));
}

TEST_F(DeadWorker, IsForgottenOnceItsFileIsRemoved) {
  RemoveLife(lock_folder_, kWorker);
  RemoveLife(lock_folder_, kWorker);
  EXPECT_FALSE(std::filesystem::exists(file_));
  EXPECT_FALSE(IsAlive(lock_folder_, kWorker));
}

TEST_F(DeadWorker, GivesItsIdToAProcessThatStartsWithEmptySlots) {
  const auto life = CreateLife(lock_folder_, 2);
  const std::string now = ReadAll(file_);
  const std::size_t words = NoticeBoard::kWords + 2;
  EXPECT_EQ(now.size(), 64 + words * 8);
  EXPECT_EQ(now.substr(64), std::string(words * 8, '\0'));
}

TEST(SchemaLock, IsSharedByAllAndExclusiveForOneAlone) {
  const ScopedTempDir dir;
  const std::string lock_folder = LockFolder(dir);
  ChildProcess child([&](Channel& parent) {
    {
      const auto lock = SchemaLock::Open(lock_folder);
      CHECK(lock.has_value());
      parent.Say("open");
      CHECK(parent.Hear() == "close");
    }
    parent.Say("closed");
    CHECK(parent.Hear() == "open again");
    const auto lock = SchemaLock::Open(lock_folder);
    CHECK(!lock.has_value());
    parent.Say(lock.error().message);
  });
  ASSERT_EQ(child.Hear(), "open");
  auto lock = SchemaLock::Open(lock_folder);
  ASSERT_TRUE(lock) << lock.error().message;
  const Status early = (*lock)->Upgrade();
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, ErrorCode::kConflict);
  EXPECT_THAT(early.error().message,
              HasSubstr("pid " + std::to_string(child.pid()) + " has it open"));

  child.Say("close");
  ASSERT_EQ(child.Hear(), "closed");
  const Status upgraded = (*lock)->Upgrade();
  ASSERT_TRUE(upgraded) << upgraded.error().message;
  child.Say("open again");
  EXPECT_THAT(child.Hear(), HasSubstr("pid " + std::to_string(::getpid()) + " is migrating it"));
  EXPECT_EQ(child.Wait(), 0);
}

}  // namespace
}  // namespace tasker::store::sqlite
