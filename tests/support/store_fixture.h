#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/reads.h"
#include "store/store.h"
#include "tests/support/scoped_temp_dir.h"
#include "workflow/identity.h"

namespace tasker::testing {

// A real store in a folder of its own, with the clock in the test's hand, and this process as its
// one worker.
class StoreTest : public ::testing::Test {
 protected:
  static constexpr std::string_view kLinear = R"(
name: linear
namespace_name: tests
version: "1.0.0"
steps:
  - {name: a, handler: {callable: h.a}}
  - {name: b, handler: {callable: h.b}, dependencies: [a]}
  - {name: c, handler: {callable: h.c}, dependencies: [b]}
  - {name: d, handler: {callable: h.d}, dependencies: [c]}
)";
  static constexpr std::string_view kDiamond = R"(
name: diamond
namespace_name: tests
version: "1.0.0"
steps:
  - {name: a, handler: {callable: h.a}}
  - name: b
    handler: {callable: h.b}
    dependencies: [a]
    retry: {max_attempts: 2, backoff: linear, backoff_base_ms: 1000}
  - {name: c, handler: {callable: h.c}, dependencies: [a]}
  - {name: d, handler: {callable: h.d}, dependencies: [b, c]}
)";
  static constexpr std::string_view kOne = R"(
name: one
namespace_name: tests
version: "1.0.0"
steps:
  - {name: a, handler: {callable: h.a}}
)";

  void SetUp() override { Open(); }

  void Open() {
    auto opened = store::Store::Open({.path = path(), .group = {}});
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = *std::move(opened);
  }

  std::string path() const { return (dir_.path() / "x.db").string(); }

  void Join(std::int32_t slots = 64) {
    auto joined = store_->Join({.uuid = Uuid::New(),
                                .host = "test",
                                .version = "0",
                                .pid = ::getpid(),
                                .slots = slots,
                                .namespaces = {}});
    ASSERT_TRUE(joined) << joined.error().message;
    worker_ = *joined;
  }

  std::int64_t Register(std::string_view yaml, const std::string& name,
                        const std::string& version = "1.0.0") {
    const store::NewTemplate text{"tests", name, version, workflow::Sha256Hex(yaml),
                                  std::string(yaml)};
    auto registered = store_->Register(std::span(&text, 1));
    EXPECT_TRUE(registered) << registered.error().message;
    return registered->front().id;
  }

  std::int64_t Handler(const std::string& callable) {
    const store::HandlerName name{callable, "", false};
    auto ids = store_->Intern(std::span(&name, 1));
    EXPECT_TRUE(ids) << ids.error().message;
    return ids->front();
  }

  std::vector<std::int64_t> Handlers() {
    return {Handler("h.a"), Handler("h.b"), Handler("h.c"), Handler("h.d")};
  }

  // Demand for all of kLinear's and kDiamond's handlers.
  void WantAll(std::int32_t free) { demand_ = {{Handlers(), free}}; }

  store::Submit NewSubmit(std::int64_t template_id, std::int32_t priority = 0) {
    store::Submit submit;
    submit.ticket = store::Ticket{++tickets_};
    submit.task = Uuid::New();
    submit.template_id = template_id;
    submit.priority = priority;
    return submit;
  }

  store::End NewEnd(const store::Claimed& claimed, workflow::Outcome outcome) {
    return {.step = claimed.step,
            .claim = claimed.claim,
            .outcome = std::move(outcome),
            .claimed = claimed.claimed,
            .started = now_,
            .ended = now_};
  }
  static workflow::Outcome Success(std::string result = "{}") {
    return workflow::Succeeded{.result = std::move(result), .metadata = {}, .events = {}};
  }
  static workflow::Outcome Failure(bool retryable) {
    workflow::Failed failed;
    failed.retryable = retryable;
    failed.type = "Broken";
    failed.message = "it broke";
    return failed;
  }

  // One turn, a millisecond later.
  Result<store::TurnOutput> TryTurn(std::vector<store::Event> events) {
    now_ += std::chrono::milliseconds(1);
    store::TurnInput in;
    in.worker = worker_;
    in.now = now_;
    in.seed = 1;
    in.events = std::move(events);
    if (worker_ != 0) {
      in.demand = demand_;
      for (const store::Demand& demand : demand_) in.free_total += demand.free;
    }
    return store_->Commit(in);
  }
  store::TurnOutput Turn(std::vector<store::Event> events) {
    auto out = TryTurn(std::move(events));
    EXPECT_TRUE(out) << out.error().message;
    return out ? *std::move(out) : store::TurnOutput{};
  }

  store::TaskView View(const Uuid& task) {
    auto reader = store_->NewReader();
    EXPECT_TRUE(reader) << reader.error().message;
    auto view = (*reader)->Task(task);
    EXPECT_TRUE(view) << view.error().message;
    return view ? *std::move(view) : store::TaskView{};
  }

  // SQL from outside, on a connection of its own: an operator's, or another program's.
  void Sql(const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
    char* message = nullptr;
    const int code = sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &message);
    EXPECT_EQ(code, SQLITE_OK) << (message != nullptr ? message : "");
    sqlite3_free(message);
    sqlite3_close(db);
  }
  std::int64_t Number(const std::string& sql) {
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db);
    EXPECT_EQ(sqlite3_step(statement), SQLITE_ROW) << sql;
    const std::int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return number;
  }

  ScopedTempDir dir_;
  std::unique_ptr<store::Store> store_;
  std::int64_t worker_ = 0;
  std::vector<store::Demand> demand_;
  Time now_ = FromMicros(1'700'000'000'000'000);
  std::uint64_t tickets_ = 0;
};

}  // namespace tasker::testing
