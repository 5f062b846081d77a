#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "store/sqlite/bell.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/life.h"
#include "store/sqlite/process_table.h"
#include "store/sqlite/schema_lock.h"
#include "store/sqlite/turnstile.h"
#include "store/sqlite/tx.h"
#include "store/store.h"
#include "store/turn.h"

namespace tasker::store {

// What an open store is made of. Members stand in the order in which they depend on each other.
struct Store::State {
  OpenOptions options;
  std::string lock_folder;
  std::optional<sqlite::OpenedStore> opened;
  std::unique_ptr<sqlite::SchemaLock> schema_lock;
  std::unique_ptr<sqlite::Turnstile> turnstile;
  std::unique_ptr<sqlite::Bell> bell;
  std::unique_ptr<sqlite::Connection> connection;
  std::unique_ptr<sqlite::SqliteTx> tx;
  std::unordered_map<std::int64_t, std::shared_ptr<const Workflow>> workflows;
  std::unique_ptr<TurnRunner> turns;
  std::int64_t noticed = 0;  // the data_version that Changed has told of
  std::int64_t worker = 0;
  std::unique_ptr<sqlite::Life> life;

  // In this process's turn: two may create the database at the same moment.
  Status OpenOrCreate();
  // Whoever only looks needs no turn: a process that is stuck inside its own can be looked at.
  Status OpenExisting();
  Result<std::shared_ptr<const Workflow>> WorkflowOf(std::int64_t template_id);
};

}  // namespace tasker::store
