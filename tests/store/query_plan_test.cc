#include <regex>
#include <set>

#include "store/sqlite/connection.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/turn_rows.h"
#include "tests/support/store_fixture.h"

namespace tasker::store {
namespace {

using sqlite::SqlFile;

// These count, so that they have to look at all that they count; each walks an index that holds
// nothing else.
const std::set<std::string> kMayScan = {"count_tasks",    "count_enqueued",    "count_claimed",
                                        "count_due",      "oldest_ready",      "claims",
                                        "revoked_claims",  // the few revoked steps
                                        "shared_claim",    // the few claims that are held
                                        "rows_task",       // store stats, each in a read of its own
                                        "rows_step",      "rows_payload",      "rows_attempt",
                                        "prunable",  // of the state's index, a page at a time
                                        "newest_task",    "running_by_handler"};  // one row
const std::set<std::string> kNoPlan = {
    "begin",     "commit",     "data_version",   "application_id", "user_version",
    "page_size", "page_count", "freelist_count", "vacuum_some",    "quick_check_all"};

class QueryPlanTest : public testing::StoreTest {
 protected:
  // The lines of the plan that walk a whole large table, or an index of one.
  std::vector<std::string> Scans(const std::string& sql) {
    static const std::regex scan(R"(SCAN (task|step|attempt|payload|t|s)\b.*)");
    std::vector<std::string> found;
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
    const sqlite::TurnRows rows;
    EXPECT_TRUE(sqlite::RegisterTurnRows(db, rows));
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(
        sqlite3_prepare_v2(db, ("EXPLAIN QUERY PLAN " + sql).c_str(), -1, &statement, nullptr),
        SQLITE_OK)
        << sqlite3_errmsg(db) << "\n"
        << sql;
    while (sqlite3_step(statement) == SQLITE_ROW) {
      const std::string line = reinterpret_cast<const char*>(sqlite3_column_text(statement, 3));
      if (std::regex_match(line, scan)) found.push_back(line);
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return found;
  }
};

TEST_F(QueryPlanTest, NoStatementWalksALargeTable) {
  int checked = 0;
  for (const char* text : {sqlite::kSql_turn, sqlite::kSql_admin, sqlite::kSql_read,
                           sqlite::kSql_verify, sqlite::kSql_upkeep}) {
    for (const auto& [name, sql] : sqlite::ParseSqlFile(text)) {
      if (kNoPlan.contains(name)) continue;
      ++checked;
      const auto scans = Scans(sql);
      if (kMayScan.contains(name)) continue;
      EXPECT_TRUE(scans.empty()) << name << ": " << scans.front();
    }
  }
  EXPECT_GT(checked, 50);
}

TEST_F(QueryPlanTest, AStatementThatWalksATableIsNoticed) {
  EXPECT_EQ(Scans("SELECT count(*) FROM step WHERE attempts = 3").size(), 1u);
  EXPECT_EQ(Scans("SELECT * FROM task t WHERE t.priority = 1").size(), 1u);
  EXPECT_TRUE(Scans("SELECT * FROM task WHERE id = 1").empty());
}

TEST_F(QueryPlanTest, CountsWalkOnlyThePartialIndexOfTheirState) {
  const SqlFile read = sqlite::ParseSqlFile(sqlite::kSql_read);
  for (const char* name : {"count_enqueued", "count_claimed", "count_due"}) {
    for (const std::string& scan : Scans(read.at(name))) {
      EXPECT_TRUE(std::regex_search(scan, std::regex("INDEX step_(ready|claimed|due)")))
          << name << ": " << scan;
    }
  }
}

}  // namespace
}  // namespace tasker::store
