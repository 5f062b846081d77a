#pragma once

#include "base/result.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/turnstile.h"

namespace tasker::store::sqlite {

// One rare transaction through the turnstile; rolled back unless it was committed.
class Transaction final {
 public:
  static Result<std::unique_ptr<Transaction>> Begin(Connection& connection, Turnstile& turnstile);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  Status Commit();

 private:
  Transaction(Connection& connection, Turnstile& turnstile)
      : connection_(connection), turnstile_(turnstile) {}

  Connection& connection_;
  Turnstile& turnstile_;
  bool open_ = true;
};

}  // namespace tasker::store::sqlite
