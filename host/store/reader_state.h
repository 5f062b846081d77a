#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "store/reads.h"
#include "store/sqlite/connection.h"

namespace tasker::store {

// A read connection with its statements, prepared at their first use.
struct Reader::State {
  std::string path;
  std::unique_ptr<sqlite::Connection> connection;
  std::map<std::string, sqlite::Statement, std::less<>> statements;
  std::unordered_map<std::int64_t, std::shared_ptr<const Workflow>> workflows;

  // Reset and ready to be bound. The reference holds as long as the state.
  Result<sqlite::Statement*> Get(std::string_view name);
};

// Makes the reads that follow one snapshot, until it goes.
class Snapshot final {
 public:
  static Result<std::unique_ptr<Snapshot>> Begin(sqlite::Connection& connection);
  ~Snapshot();
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

 private:
  explicit Snapshot(sqlite::Connection& connection) : connection_(connection) {}
  sqlite::Connection& connection_;
};

}  // namespace tasker::store
