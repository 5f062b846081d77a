#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace tasker::store::sqlite {

// Keeps the schema as it is while any process has the store open: each holds the lock shared as
// long as the object lives.
class SchemaLock final {
 public:
  // kUnavailable while another process changes the schema.
  static Result<std::unique_ptr<SchemaLock>> Open(const std::string& lock_folder);
  SchemaLock(const SchemaLock&) = delete;
  SchemaLock& operator=(const SchemaLock&) = delete;

  // Makes it exclusive, for a migration. kConflict, which names one of them, while other processes
  // have the store open; then it stays shared.
  Status Upgrade();

 private:
  SchemaLock(std::string database, UniqueFd file)
      : database_(std::move(database)), file_(std::move(file)) {}

  const std::string database_;  // its name, for people
  const UniqueFd file_;
};

}  // namespace tasker::store::sqlite
