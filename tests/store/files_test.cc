#include "store/sqlite/files.h"

#include <gmock/gmock.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>

#include "store/sqlite/lock_file.h"
#include "store/sqlite/process_table.h"
#include "tests/support/child_process.h"
#include "tests/support/scoped_temp_dir.h"

namespace tasker::store::sqlite {
namespace {

using tasker::testing::Channel;
using tasker::testing::ChildProcess;
using tasker::testing::ScopedTempDir;
using ::testing::HasSubstr;

mode_t ModeOf(const std::string& path) {
  struct stat file {};
  CHECK(::stat(path.c_str(), &file) == 0);
  return file.st_mode & 0777;
}

// The most and the least that files are made with, until the end of the scope.
class Umask final {
 public:
  explicit Umask(mode_t mask) : before_(::umask(mask)) {}
  ~Umask() { ::umask(before_); }

 private:
  mode_t before_;
};

class StoreFiles : public ::testing::Test {
 protected:
  const ScopedTempDir dir_;
  const std::string database_ = (dir_.path() / "x.db").string();
};

TEST(UnsafeFileSystem, NamesNetworkAndFuseFileSystemsAndNoLocalOne) {
  EXPECT_EQ(UnsafeFileSystem(0x6969), "NFS");
  EXPECT_EQ(UnsafeFileSystem(0xff534d42), "CIFS");
  EXPECT_EQ(UnsafeFileSystem(0xfe534d42), "SMB2");
  EXPECT_EQ(UnsafeFileSystem(0x65735546), "FUSE");
  EXPECT_EQ(UnsafeFileSystem(0x01021997), "9P");
  EXPECT_EQ(UnsafeFileSystem(0x00c36400), "Ceph");
  EXPECT_EQ(UnsafeFileSystem(0x5346414f), "AFS");
  for (const std::uint64_t local :
       {0xef53U, 0x58465342U, 0x9123683eU, 0x01021994U, 0x794c7630U, 0x2fc12fc1U}) {
    EXPECT_EQ(UnsafeFileSystem(local), std::nullopt) << std::hex << local;
  }
}

TEST_F(StoreFiles, OnALocalFileSystemAreAccepted) {
  const Status there = CheckFileSystem(dir_.path().string(), false);
  EXPECT_TRUE(there) << there.error().message;
  const Status not_yet = CheckFileSystem((dir_.path() / "no" / "such" / "folder").string(), false);
  EXPECT_TRUE(not_yet) << not_yet.error().message;
}

TEST_F(StoreFiles, AreForThisUserOnlyWhateverTheUmask) {
  const Umask open_to_all(0);
  const auto lock_folder = PrepareLockFolder(database_, "", true);
  ASSERT_TRUE(lock_folder) << lock_folder.error().message;
  EXPECT_EQ(*lock_folder, database_ + ".d");
  EXPECT_EQ(ModeOf(*lock_folder), 0700U);
  EXPECT_EQ(ModeOf(database_), 0600U);
  ASSERT_TRUE(OpenLockFile(*lock_folder, "turn"));
  EXPECT_EQ(ModeOf(*lock_folder + "/turn"), 0600U);
}

TEST_F(StoreFiles, AreForTheGroupTooWhereOneIsNamed) {
  const Umask closed_to_all(077);
  const struct group* const own = ::getgrgid(::getegid());
  ASSERT_NE(own, nullptr);
  const std::string name = own->gr_name;
  const auto lock_folder = PrepareLockFolder(database_, name, true);
  ASSERT_TRUE(lock_folder) << lock_folder.error().message;
  EXPECT_EQ(ModeOf(*lock_folder), 0770U);
  ASSERT_TRUE(OpenLockFile(*lock_folder, "turn"));
  EXPECT_EQ(ModeOf(*lock_folder + "/turn"), 0660U);
  dir_.Write("x.db-wal", "");
  ASSERT_TRUE(SetFileModes(database_, name));
  EXPECT_EQ(ModeOf(database_), 0660U);
  EXPECT_EQ(ModeOf(database_ + "-wal"), 0660U);
}

TEST_F(StoreFiles, OfAnUnknownGroupAreRefused) {
  const auto lock_folder = PrepareLockFolder(database_, "no-such-group", true);
  ASSERT_FALSE(lock_folder);
  EXPECT_EQ(lock_folder.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(lock_folder.error().message, HasSubstr("'no-such-group': there is no such group"));
  EXPECT_FALSE(std::filesystem::exists(database_));
}

TEST_F(StoreFiles, AreMadeInAFolderThatIsMissing) {
  const auto lock_folder =
      PrepareLockFolder((dir_.path() / ".tasker" / "tasker.db").string(), "", true);
  ASSERT_TRUE(lock_folder) << lock_folder.error().message;
  EXPECT_EQ(ModeOf((dir_.path() / ".tasker").string()), 0700U);
}

TEST_F(StoreFiles, AreNotMadeUnlessAskedFor) {
  const auto lock_folder = PrepareLockFolder(database_, "", false);
  ASSERT_FALSE(lock_folder);
  EXPECT_EQ(lock_folder.error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(std::filesystem::is_empty(dir_.path()));
}

TEST_F(StoreFiles, GetALockFolderBesideADatabaseThatWasRestored) {
  dir_.Write("x.db", "");
  const auto lock_folder = PrepareLockFolder(database_, "", false);
  ASSERT_TRUE(lock_folder) << lock_folder.error().message;
  EXPECT_TRUE(std::filesystem::is_directory(*lock_folder));
}

TEST_F(StoreFiles, ShareTheirLocksAmongTheirSymbolicLinks) {
  dir_.Write("data/y.db", "");
  std::filesystem::create_symlink("data/y.db", database_);
  const auto lock_folder = PrepareLockFolder(database_, "", true);
  ASSERT_TRUE(lock_folder) << lock_folder.error().message;
  EXPECT_EQ(*lock_folder, (dir_.path() / "data" / "y.db.d").string());
}

TEST_F(StoreFiles, WithASecondHardLinkAreRefused) {
  dir_.Write("x.db", "");
  std::filesystem::create_hard_link(database_, dir_.path() / "other.db");
  const auto lock_folder = PrepareLockFolder(database_, "", true);
  ASSERT_FALSE(lock_folder);
  EXPECT_THAT(lock_folder.error().message, HasSubstr("hard link"));
}

TEST_F(StoreFiles, ThatAreAFolderAreRefused) {
  std::filesystem::create_directory(database_);
  const auto lock_folder = PrepareLockFolder(database_, "", true);
  ASSERT_FALSE(lock_folder);
  EXPECT_THAT(lock_folder.error().message,
              HasSubstr(database_ + " as a store: it is no regular file"));
}

TEST_F(StoreFiles, ThatThisUserMayNotWriteAreRefused) {
  dir_.Write("x.db", "");
  std::filesystem::permissions(database_, std::filesystem::perms(0444));
  std::filesystem::permissions(dir_.path(), std::filesystem::perms(0777));
  ChildProcess child([&](Channel& parent) {
    constexpr uid_t kNobody = 65534;
    CHECK(::geteuid() != 0 || ::seteuid(kNobody) == 0);  // root may write everything
    const auto lock_folder = PrepareLockFolder(database_, "", true);
    parent.Say(lock_folder ? "accepted" : lock_folder.error().message);
  });
  EXPECT_EQ(child.Hear().find("cannot read and write " + database_ + ": "), 0U);
  EXPECT_EQ(child.Wait(), 0);
}

TEST_F(StoreFiles, GetTheModesOfTheirUserAndThoseThatAreMissingAreSkipped) {
  for (const char* name : {"x.db", "x.db-wal"}) {
    std::filesystem::permissions(dir_.Write(name, ""), std::filesystem::perms(0666));
  }
  ASSERT_TRUE(SetFileModes(database_, ""));
  EXPECT_EQ(ModeOf(database_), 0600U);
  EXPECT_EQ(ModeOf(database_ + "-wal"), 0600U);
}

class OpenedStores : public ::testing::Test {
 protected:
  OpenedStores() { CHECK(PrepareLockFolder(database_, "", true).has_value()); }

  const ScopedTempDir dir_;
  const std::string database_ = (dir_.path() / "x.db").string();
};

TEST_F(OpenedStores, AreOneAProcessByWhateverNameTheyAreOpened) {
  const auto first = OpenedStore::Claim(database_);
  ASSERT_TRUE(first) << first.error().message;
  const std::string link = (dir_.path() / "link.db").string();
  std::filesystem::create_symlink(database_, link);
  for (const std::string& name : {database_, link}) {
    const auto second = OpenedStore::Claim(name);
    ASSERT_FALSE(second) << name;
    EXPECT_EQ(second.error().code, ErrorCode::kConflict);
    EXPECT_THAT(second.error().message,
                HasSubstr("this process already has " + database_ + " open"));
  }
}

TEST_F(OpenedStores, MayBeOpenedAgainOnceClosed) {
  {
    auto first = OpenedStore::Claim(database_);
    ASSERT_TRUE(first);
    const OpenedStore moved = *std::move(first);
    EXPECT_FALSE(OpenedStore::Claim(database_));
  }
  EXPECT_TRUE(OpenedStore::Claim(database_));
}

TEST_F(OpenedStores, AreRefusedToAForkedChildAlsoWhenItDropsWhatItInherited) {
  auto first = OpenedStore::Claim(database_);
  ASSERT_TRUE(first);
  std::optional<OpenedStore> held = *std::move(first);
  ChildProcess child([&](Channel& parent) {
    held.reset();
    const auto second = OpenedStore::Claim(database_);
    CHECK(!second.has_value() && second.error().code == ErrorCode::kConflict);
    parent.Say(second.error().message);
  });
  const std::string message = child.Hear();
  EXPECT_THAT(message, HasSubstr("a parent process of this one (pid " + std::to_string(::getpid()) +
                                 ") had "));
  EXPECT_THAT(message, HasSubstr("start the worker after the fork"));
  EXPECT_EQ(child.Wait(), 0);
}

TEST_F(OpenedStores, MayBeOpenedByAForkedChildOfAProcessThatHadThemNotOpen) {
  ASSERT_TRUE(OpenedStore::Claim(database_));  // and closed again
  ChildProcess child([&](Channel&) { CHECK(OpenedStore::Claim(database_).has_value()); });
  EXPECT_EQ(child.Wait(), 0);
}

}  // namespace
}  // namespace tasker::store::sqlite
