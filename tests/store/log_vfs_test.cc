#include "store/sqlite/log_vfs.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "store/sqlite/connection.h"
#include "tests/support/scoped_temp_dir.h"

namespace tasker::store::sqlite {
namespace {

namespace fs = std::filesystem;

class LogVfsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = Connection::Open(dir_.Write("x.db", ""), Connection::Mode::kWrite, true);
    ASSERT_TRUE(opened) << opened.error().message;
    writer_ = *std::move(opened);
    ASSERT_TRUE(writer_->UseWal(true));
    Run("CREATE TABLE t(body TEXT)");
  }

  void Run(const std::string& sql) {
    const Status done = writer_->Execute(sql.c_str());
    ASSERT_TRUE(done) << done.error().message;
  }
  void Commit() {
    const GatheredCommit gathered;
    Run("COMMIT");
  }
  void InsertRows(int count) {
    Run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
        std::to_string(count) + ") INSERT INTO t SELECT printf('%.1000c', 'x') FROM n");
  }

  // As a machine would find it that lost its power now: the files, without what is in a process.
  std::string CountInCopy() const {
    const fs::path copy = dir_.path() / "copy";
    fs::remove_all(copy);
    fs::create_directory(copy);
    for (const char* name : {"x.db", "x.db-wal"}) fs::copy_file(dir_.path() / name, copy / name);
    return Count(copy / "x.db");
  }
  static std::string Count(const fs::path& file) {
    auto reader = Connection::Open(file.string(), Connection::Mode::kRead, true);
    if (!reader) return reader.error().message;
    const SqlFile sql = ParseSqlFile("-- name: count\nSELECT count(*) FROM t;\n");
    const auto count = (*reader)->Number(sql, "count");
    return count ? std::to_string(*count) : count.error().message;
  }
  fs::path log() const { return dir_.path() / "x.db-wal"; }

  testing::ScopedTempDir dir_;
  std::unique_ptr<Connection> writer_;
};

TEST_F(LogVfsTest, WhatIsCommittedIsInTheFile) {
  Run("BEGIN");
  InsertRows(300);  // more than is gathered at once
  EXPECT_EQ(CountInCopy(), "0");
  Commit();
  EXPECT_EQ(CountInCopy(), "300");
  EXPECT_EQ(Count(dir_.path() / "x.db"), "300");
}

TEST_F(LogVfsTest, ATransactionLargerThanTheCacheReadsWhatItWrote) {
  Run("PRAGMA cache_size = 10");
  Run("BEGIN");
  InsertRows(500);
  const SqlFile sql = ParseSqlFile("-- name: count\nSELECT sum(length(body)) FROM t;\n");
  const auto bytes = writer_->Number(sql, "count");
  ASSERT_TRUE(bytes) << bytes.error().message;
  EXPECT_EQ(*bytes, 500'000);
  Run("UPDATE t SET body = 'y'");
  Commit();
  EXPECT_EQ(CountInCopy(), "500");
}

// Where the log begins anew, what was spilled stands where the next commit, of whomever, is
// written.
TEST_F(LogVfsTest, NothingStaysOfATransactionThatIsRolledBack) {
  InsertRows(500);
  Run("PRAGMA wal_checkpoint(RESTART)");
  Run("PRAGMA cache_size = 10");
  Run("BEGIN");
  InsertRows(80);
  Run("ROLLBACK");
  auto other = Connection::Open((dir_.path() / "x.db").string(), Connection::Mode::kWrite, true);
  ASSERT_TRUE(other) << other.error().message;
  const Status updated = (*other)->Execute("UPDATE t SET body = printf('%.900c', 'b')");
  ASSERT_TRUE(updated) << updated.error().message;
  const SqlFile sql = ParseSqlFile(
      "-- name: ours\nSELECT count(*) FROM t WHERE body = printf('%.900c', 'b');\n"
      "-- name: sound\nSELECT count(*) FROM pragma_integrity_check WHERE integrity_check = "
      "'ok';\n");
  for (const char* name : {"ours", "sound"}) {
    const auto seen = writer_->Number(sql, name);
    ASSERT_TRUE(seen) << seen.error().message;
    EXPECT_EQ(*seen, std::string(name) == "ours" ? 500 : 1) << name;
  }
  writer_.reset();
  EXPECT_EQ(*(*other)->Number(sql, "ours"), 500);
  EXPECT_EQ(*(*other)->Number(sql, "sound"), 1);
}

TEST_F(LogVfsTest, ACommitThatCannotBeWrittenFailsAndTheNextOneIsWhole) {
  InsertRows(2);
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  rlimit small = old;
  small.rlim_cur = fs::file_size(log()) + 6000;  // in the midst of what follows
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  Run("BEGIN; INSERT INTO t SELECT printf('%.50000c', 'x')");
  const Status failed = [this] {
    const GatheredCommit gathered;
    return writer_->Execute("COMMIT");
  }();
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kUnavailable) << failed.error().message;
  writer_->Rollback();
  EXPECT_EQ(CountInCopy(), "2");
  InsertRows(5);
  EXPECT_EQ(CountInCopy(), "7");
}

TEST_F(LogVfsTest, ACheckpointMovesTheWholeLog) {
  InsertRows(200);
  Run("PRAGMA wal_checkpoint(TRUNCATE)");
  EXPECT_EQ(fs::file_size(log()), 0u);
  InsertRows(1);
  EXPECT_EQ(CountInCopy(), "201");
}

}  // namespace
}  // namespace tasker::store::sqlite
